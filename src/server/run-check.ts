import { type CommandIo, EXIT, reportOutcome } from '../cli/command-outcome.ts';
import { type ConfigFlags, loadOrTell, sourceOf } from './choose-config.ts';
import { formatProblem } from './config/config-problem.ts';
import { loadConfig } from './config/load-config.ts';

/** `tollkeeper check`. */
export function runCheck(flags: ConfigFlags, io: CommandIo): void {
  const loaded = loadConfig(sourceOf(flags, io), { env: io.env });
  if (loaded.kind === 'ok') {
    const { file, catalog, warnings } = loaded.config;
    const json = { ok: true, file, version: catalog.version, warnings };
    if (flags.json !== true) {
      for (const warning of warnings) io.talk(`warning: ${formatProblem(warning)}`);
    }
    reportOutcome(
      { kind: 'done', json, text: `${file} is valid (version ${catalog.version})` },
      io,
      flags.json === true,
    );
    return;
  }
  if (flags.json === true) io.out(JSON.stringify({ ok: false, problems: loaded.problems }));
  else for (const problem of loaded.problems) io.talk(formatProblem(problem));
  io.exit(EXIT.configuration);
}

/** `tollkeeper config print`. */
export function printConfig(
  flags: ConfigFlags & { readonly origin?: boolean },
  io: CommandIo,
): void {
  const config = loadOrTell(flags, io);
  if (config === undefined) return;
  const shown =
    flags.origin === true ? { ...record(config.source), origins: config.origins } : config.source;
  reportOutcome(
    { kind: 'done', json: shown, text: JSON.stringify(shown, undefined, 2) },
    io,
    flags.json === true,
  );
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
