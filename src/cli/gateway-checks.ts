import { callAdmin } from './admin-client.ts';
import type { AdminCall, AdminOptions } from './admin-client.ts';
import { readList, readMember, readText } from './answer-shapes.ts';
import { type CommandIo, type CommandOutcome, EXIT } from './command-outcome.ts';

/** Every entry is read: three million took ten seconds, and of two audits at once one waits for the other. */
const AUDIT = {
  method: 'GET',
  path: ['admin', 'ledger', 'audit'],
  timeoutMs: 15 * 60_000,
} as const satisfies AdminCall;

/** One line of `doctor`. */
export interface CheckLine {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
}

/** The part of `doctor` that asks a running gateway: it answers, its books add up, its workers and parts serve. */
export async function checkGateway(
  options: AdminOptions,
  io: CommandIo,
): Promise<readonly CheckLine[]> {
  const ask = (call: AdminCall) => callAdmin(call, options, io);
  const config = await ask({ method: 'GET', path: ['admin', 'config'] });
  if (config.kind === 'failed')
    return [{ name: 'gateway', status: 'fail', detail: config.message }];
  const version = readText(config.json, 'version') ?? 'unknown';
  const lines: CheckLine[] = [
    { name: 'gateway', status: 'ok', detail: `configuration ${version}` },
  ];
  const readiness = await ask({ method: 'GET', path: ['readyz'], expectedStatus: 503 });
  if (readiness.kind === 'failed')
    lines.push({ name: 'readiness', status: 'fail', detail: readiness.message });
  else lines.push(...readList(readiness.json, 'parts').map(checkPart));
  const audit = await ask(AUDIT);
  if (audit.kind === 'failed')
    lines.push({ name: 'ledger', status: 'fail', detail: audit.message });
  else lines.push(...checkLedger(audit.json));
  return lines;
}

/** `doctor --ledger`: the books alone, recomputed from their entries while the gateways go on. */
export async function auditLedger(options: AdminOptions, io: CommandIo): Promise<CommandOutcome> {
  const audit = await callAdmin(AUDIT, options, io);
  if (audit.kind === 'failed') return audit;
  const lines = checkLedger(audit.json);
  const ok = lines.every(({ status }) => status === 'ok');
  return {
    kind: 'done',
    json: { ok, violations: readList(audit.json, 'violations') },
    text: formatChecks(lines),
    exitCode: ok ? EXIT.ok : EXIT.failed,
  };
}

export function formatChecks(lines: readonly CheckLine[]): string {
  return lines
    .map(({ status, name, detail }) => `${status.padEnd(5)} ${name.padEnd(14)} ${detail}`)
    .join('\n');
}

function checkPart(part: unknown): CheckLine {
  const serves = readMember(part, 'degraded') === true ? 'warn' : 'ok';
  return {
    name: readText(part, 'name') ?? 'part',
    status: readMember(part, 'ok') === true ? serves : 'fail',
    detail: readText(part, 'detail') ?? '',
  };
}

function checkLedger(json: unknown): readonly CheckLine[] {
  const violations = readList(json, 'violations');
  if (violations.length === 0)
    return [{ name: 'ledger', status: 'ok', detail: 'every invariant holds' }];
  return violations.map((violation) => ({
    name: 'ledger',
    status: 'fail',
    detail: `${readText(violation, 'invariant') ?? '?'}: ${readText(violation, 'detail') ?? ''}; stop and make a copy of the data directory before anything else`,
  }));
}
