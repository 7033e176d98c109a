import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

import { reclaimOwner } from '../engine/reclaim.ts';
import type { Clock } from '../platform/clock.ts';
import { makeDirectory } from '../platform/make-directory.ts';
import { LEDGER_FILE } from '../stores/sqlite/operations.ts';
import { DAY_FILE } from '../stores/sqlite/request-log.ts';
import { SCHEMA_KNOWN } from '../stores/sqlite/schema.ts';
import { copyDatabase, findDamage, takeSnapshot } from '../stores/sqlite/snapshot.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Violation } from '../stores/store.ts';
import {
  type BackupManifest,
  describeFile,
  flush,
  isBackedUp,
  writeManifest,
} from './backup-manifest.ts';
import { journalDirectory } from './data-directory.ts';
import { JournalViews } from './journal-views.ts';
import { type Refusal, refuse } from './store-refusal.ts';
import { VERSION } from './version.ts';

export interface BackupPlan {
  /** Data directory with a SQLite store; a gateway may be at work on it. */
  readonly directory: string;
  /** A directory that is not there or empty. */
  readonly target: string;
}

export interface Backup {
  readonly kind: 'made';
  readonly manifest: Omit<BackupManifest, 'format'>;
  readonly settled: SettledCopy;
}

/** A copied ledger whose processes have been settled as if they had been killed when it was taken. */
export interface SettledCopy {
  /** Processes that were settled from their journals. */
  readonly owners: number;
  /** Processes of which there is no proof of death: what they hold stays held. */
  readonly held: readonly string[];
  /** What is wrong with the books. */
  readonly violations: readonly Violation[];
}

export type BackupRefusal = Refusal<
  'NO_STORE' | 'TARGET_EXISTS' | 'TARGET_INSIDE' | 'STORE_DAMAGED'
>;

/**
 * Copies everything in a data directory that cannot be made anew, as it is at one moment, into a directory that is whole
 * or not there. Throws StoreError when the store does not answer or is of another version, and errors of the disk.
 */
export async function backUp(plan: BackupPlan, clock: Clock): Promise<Backup | BackupRefusal> {
  const target = resolve(plan.target);
  const refusal = refuseTarget(plan.directory, target);
  if (refusal !== undefined) return refusal;
  const stage = `${target}.unfinished-${randomBytes(4).toString('hex')}`;
  makeDirectory(stage);
  try {
    const made = await gather(plan.directory, stage, clock);
    // Takes the place of an empty directory, too.
    if (made.kind === 'made') renameSync(stage, target);
    flush(dirname(target));
    return made;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function refuseTarget(directory: string, target: string): BackupRefusal | undefined {
  if (existsSync(target) && !isEmptyDirectory(target)) {
    const message = `${target} is there: name a directory that is not there yet, one for each backup`;
    return refuse('TARGET_EXISTS', message);
  }
  const way = relative(resolve(directory), target);
  if (way !== '' && way.split(sep)[0] === '..') return undefined;
  const message = `${target} is inside of ${directory}, and would be lost with it: name a directory elsewhere`;
  return refuse('TARGET_INSIDE', message);
}

function isEmptyDirectory(path: string): boolean {
  return statSync(path).isDirectory() && readdirSync(path).length === 0;
}

async function gather(
  directory: string,
  stage: string,
  clock: Clock,
): Promise<Backup | BackupRefusal> {
  const madeAt = await copyLedger(directory, stage, clock);
  if (madeAt === undefined) {
    const message = `${directory} holds no SQLite store: name the data directory of the gateway with --data`;
    return refuse('NO_STORE', message);
  }
  const settled = await settleCopy(stage, clock);
  // Later than the ledger: a call whose charge is in it has its row.
  await copyOthers(directory, stage);
  for (const name of readdirSync(stage).filter((each) => each.endsWith('.db'))) {
    const damage = findDamage(join(stage, name));
    if (damage !== undefined) {
      const path = join(directory, name);
      return refuse('STORE_DAMAGED', `${path} is damaged (${damage}): restore an earlier backup`);
    }
  }
  // The journals have been read, and what SQLite had beside its files is in them now.
  for (const name of readdirSync(stage).filter((each) => !isBackedUp(each))) {
    rmSync(join(stage, name), { recursive: true });
  }
  const names = readdirSync(stage).toSorted();
  const files = [];
  for (const name of names) {
    chmodSync(join(stage, name), 0o600);
    flush(join(stage, name));
    // oxlint-disable-next-line no-await-in-loop -- files are read whole: at once they would only share one disk
    files.push(await describeFile(stage, name));
  }
  const manifest = {
    made_at: new Date(madeAt).toISOString(),
    tollkeeper: VERSION,
    schema: SCHEMA_KNOWN,
    files,
  };
  writeManifest(stage, manifest);
  flush(stage);
  return { kind: 'made', manifest, settled };
}

/** Copies the ledger with the journals that fit it. The moment that both are of; undefined = there is none. */
async function copyLedger(
  directory: string,
  stage: string,
  clock: Clock,
): Promise<number | undefined> {
  const journals = new JournalViews();
  try {
    let madeAt = 0;
    const snapshot = takeSnapshot(directory, (owners) => {
      madeAt = clock.now();
      journals.take(journalDirectory(directory), owners);
    });
    if (snapshot === undefined) return undefined;
    try {
      await snapshot.copyTo(join(stage, LEDGER_FILE));
    } finally {
      snapshot.close();
    }
    mkdirSync(journalDirectory(stage), { mode: 0o700 });
    journals.writeTo(journalDirectory(stage));
    return madeAt;
  } finally {
    journals.close();
  }
}

/**
 * Settles the processes of a copy from the journals beside it: nobody can be at work on a copy, so their lock files,
 * which nobody holds, say the truth. What is left is a store at rest.
 */
async function settleCopy(directory: string, clock: Clock): Promise<SettledCopy> {
  const journals = journalDirectory(directory);
  const store = await openSqliteStore({ directory, clock });
  try {
    const owners = await store.liveOwners();
    for (const owner of owners) {
      // oxlint-disable-next-line no-await-in-loop -- one journal at a time: each is read whole
      await reclaimOwner(store, journals, owner, clock.now());
    }
    const held = await store.liveOwners();
    const violations = await store.audit();
    return { owners: owners.length - held.length, held, violations };
  } finally {
    await store.close();
  }
}

async function copyOthers(directory: string, stage: string): Promise<void> {
  for (const name of readdirSync(directory).filter(isBackedUp)) {
    if (name === LEDGER_FILE) continue;
    const [from, to] = [join(directory, name), join(stage, name)];
    // oxlint-disable-next-line no-await-in-loop -- files are copied whole: at once they would only share one disk
    if (DAY_FILE.test(name)) await copyDatabase(from, to);
    else copyFileSync(from, to);
  }
}
