import { resolve } from 'node:path';

import { type CommandIo, type CommandOutcome, EXIT } from '../cli/command-outcome.ts';
import { StoreError } from '../stores/store-error.ts';
import { chooseConfig, reportInvalid } from './choose-config.ts';
import { loadConfig } from './config/load-config.ts';
import type { StoreSettings } from './config/loaded-config.ts';

export interface StoreFlags {
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/**
 * The store a command is about: SQLite in `--data`, for which no configuration is read, else what `dev` or `up` would
 * use here. Undefined = the configuration is invalid, which was told.
 */
export function chooseStore(flags: StoreFlags, io: CommandIo): StoreSettings | undefined {
  if (flags.data !== undefined) return { type: 'sqlite', directory: resolve(flags.data) };
  const chosen = chooseConfig(flags, io, 'dev');
  const loaded = loadConfig(chosen.source, { env: io.env, flags: chosen.flags });
  if (loaded.kind === 'ok') return loaded.config.store;
  reportInvalid(loaded.problems, io, flags.json === true);
  return undefined;
}

/** What `body` says, or why the store could not be worked on. */
export async function outcomeOf(
  body: () => CommandOutcome | Promise<CommandOutcome>,
): Promise<CommandOutcome> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof StoreError) {
      const code = `STORE_${error.code.toUpperCase()}`;
      return { kind: 'failed', exitCode: EXIT.dependency, code, message: error.message };
    }
    // The disk is full, or a directory may not be read: the message names it.
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    const { message } = error;
    return { kind: 'failed', exitCode: EXIT.failed, code: String(error.code), message };
  }
}
