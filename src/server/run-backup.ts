import { resolve } from 'node:path';

import {
  type CommandIo,
  type CommandOutcome,
  EXIT,
  type Failure,
  reportOutcome,
} from '../cli/command-outcome.ts';
import { createClock } from '../platform/clock.ts';
import { type Backup, type BackupRefusal, backUp } from './backup-store.ts';
import { chooseStore, outcomeOf, type StoreFlags } from './choose-store.ts';
import { restore, type Restored, type RestoreRefusal } from './restore-store.ts';
import { formatViolations } from './store-refusal.ts';

export interface RestoreFlags extends StoreFlags {
  readonly replace?: boolean;
}

const GUIDE = 'docs/guides/postgres.md, "Backing up"';

/** `tollkeeper backup`. */
export function runBackup(target: string, flags: StoreFlags, io: CommandIo): Promise<void> {
  return onDirectory(flags, io, 'pg_dump --format=custom', async (directory) =>
    describeBackup(target, await backUp({ directory, target }, createClock(0))),
  );
}

/** `tollkeeper restore`. */
export function runRestore(source: string, flags: RestoreFlags, io: CommandIo): Promise<void> {
  const plan = { source: resolve(source), replaces: flags.replace === true };
  return onDirectory(flags, io, 'pg_restore', async (directory) =>
    describeRestored(directory, await restore({ ...plan, directory }, createClock(0))),
  );
}

/** Runs on the data directory that is meant, and reports how that ended. `instead`: what does it for PostgreSQL. */
async function onDirectory(
  flags: StoreFlags,
  io: CommandIo,
  instead: string,
  run: (directory: string) => Promise<CommandOutcome>,
): Promise<void> {
  const directory = chooseDirectory(flags, io, instead);
  if (directory === undefined) return;
  const outcome = typeof directory === 'string' ? await outcomeOf(() => run(directory)) : directory;
  reportOutcome(outcome, io, flags.json === true);
}

/** The data directory that is meant; what to use instead where the books are elsewhere; undefined = it was told. */
function chooseDirectory(
  flags: StoreFlags,
  io: CommandIo,
  instead: string,
): string | Failure | undefined {
  const store = chooseStore(flags, io);
  if (store === undefined || store.type === 'sqlite') return store?.directory;
  return {
    kind: 'failed',
    exitCode: EXIT.failed,
    code: 'STORE_IS_POSTGRES',
    message: `the books are in PostgreSQL, whose own tools do this: ${instead}, and what goes with it, is in ${GUIDE}`,
  };
}

function describeBackup(target: string, result: Backup | BackupRefusal): CommandOutcome {
  if (result.kind === 'refused') return { ...result, kind: 'failed', exitCode: EXIT.failed };
  const { manifest, settled } = result;
  const directory = resolve(target);
  const { violations, held } = settled;
  const ok = violations.length === 0;
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const { made_at, schema, files } = manifest;
  const lines = [
    ...formatViolations(violations),
    `${directory}: ${countFiles(files.length)}, ${bytes} bytes, as of ${made_at}, schema version ${schema}`,
    ok ? 'its books add up' : 'its books do not add up, so that restore would refuse it',
  ];
  return {
    kind: 'done',
    json: { ok, directory, made_at, schema, files: files.length, bytes, violations, held },
    text: [...lines, ...describeHeld(held)].join('\n'),
    hint: 'keep tollkeeper.yaml and what it names with it: neither they nor the admin token are in a backup',
    exitCode: ok ? EXIT.ok : EXIT.failed,
  };
}

function describeRestored(directory: string, result: Restored | RestoreRefusal): CommandOutcome {
  if (result.kind === 'refused') return { ...result, kind: 'failed', exitCode: EXIT.failed };
  const { manifest, schema, replaced, held } = result;
  const { made_at, files } = manifest;
  const lines = [
    `${directory}: ${countFiles(files.length)}, as of ${made_at}, schema version ${schema}; its books add up`,
    ...(replaced === undefined ? [] : [`what was there before is in ${replaced}`]),
    ...describeHeld(held),
  ];
  return {
    kind: 'done',
    json: {
      ok: true,
      directory,
      made_at,
      schema,
      files: files.length,
      replaced: replaced ?? null,
      held,
    },
    text: lines.join('\n'),
    hint: 'next: start the gateway, and never another one on the store that was backed up: both would sell the same money',
  };
}

function describeHeld(held: readonly string[]): readonly string[] {
  if (held.length === 0) return [];
  return [`still held, because nothing proves that its process is dead: ${held.join(', ')}`];
}

function countFiles(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}
