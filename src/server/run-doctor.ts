import { type CommandIo, EXIT, reportOutcome } from '../cli/command-outcome.ts';
import { auditLedger, checkGateway, type CheckLine, formatChecks } from '../cli/gateway-checks.ts';
import { type ConfigFlags, sourceOf } from './choose-config.ts';
import { loadConfig } from './config/load-config.ts';
import { checkDatabase, checkMachine, checkRedis } from './doctor.ts';

/** `tollkeeper doctor`. */
export async function runDoctor(
  flags: ConfigFlags & { readonly data?: string; readonly ledger?: boolean },
  io: CommandIo,
): Promise<void> {
  if (flags.ledger === true) {
    reportOutcome(await auditLedger(flags, io), io, flags.json === true);
    return;
  }
  const loaded = loadConfig(sourceOf(flags, io), { env: io.env, flags: { data: flags.data } });
  const lines: readonly CheckLine[] = [
    ...checkMachine(loaded),
    ...(await checkDatabase(loaded)),
    ...(await checkRedis(loaded)),
    ...(await checkGateway(flags, io)),
  ];
  const failed = lines.some((line) => line.status === 'fail');
  reportOutcome(
    {
      kind: 'done',
      json: { ok: !failed, checks: lines },
      text: formatChecks(lines),
      exitCode: failed ? EXIT.dependency : EXIT.ok,
    },
    io,
    flags.json === true,
  );
}
