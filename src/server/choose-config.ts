import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { type CommandIo, EXIT, reportOutcome } from '../cli/command-outcome.ts';
import { type ConfigProblem, formatProblem } from './config/config-problem.ts';
import { readDemoConfig } from './config/demo-config.ts';
import { type ConfigSource, loadConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { OverrideFlags } from './config/overrides.ts';

export interface ConfigFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** What is configured here: in `dev` the demo configuration unless there is a file. */
export function chooseConfig(
  flags: ConfigFlags & OverrideFlags,
  io: CommandIo,
  mode: 'dev' | 'up',
): { source: ConfigSource; flags: OverrideFlags } {
  const file = configFile(flags, io);
  const named = flags.config !== undefined || io.env['TOLLKEEPER_CONFIG'] !== undefined;
  if (mode === 'up' || named || existsSync(file)) return { source: file, flags };
  // The demo configuration lies inside the package; its data belongs where the command was called.
  const data = resolve(flags.data ?? io.env['TOLLKEEPER_DATA'] ?? '.tollkeeper');
  return { source: readDemoConfig(), flags: { ...flags, data } };
}

/** The named or default file; the demo configuration where there is none, as `dev` does. */
export function sourceOf(flags: ConfigFlags, io: CommandIo): ConfigSource {
  return chooseConfig(flags, io, 'dev').source;
}

/** The configuration that `sourceOf` means; undefined = it is invalid, which was told. */
export function loadOrTell(flags: ConfigFlags, io: CommandIo): LoadedConfig | undefined {
  const loaded = loadConfig(sourceOf(flags, io), { env: io.env });
  if (loaded.kind === 'ok') return loaded.config;
  reportInvalid(loaded.problems, io, flags.json === true);
  return undefined;
}

/** Tells what is wrong with a configuration to who wanted something else than a check of it. */
export function reportInvalid(
  problems: readonly ConfigProblem[],
  io: CommandIo,
  json: boolean,
): void {
  const message = problems.map(formatProblem).join('\n');
  const exitCode = EXIT.configuration;
  if (json) {
    reportOutcome({ kind: 'failed', code: 'BAD_CONFIGURATION', exitCode, message }, io, json);
    return;
  }
  io.talk(message);
  io.exit(exitCode);
}

/** The file a command means: --config, TOLLKEEPER_CONFIG, ./tollkeeper.yaml. */
function configFile(flags: { readonly config?: string }, io: CommandIo): string {
  return flags.config ?? io.env['TOLLKEEPER_CONFIG'] ?? 'tollkeeper.yaml';
}
