import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { ADMIN_TOKEN_FILE } from '../control/admin/admin-token.ts';
import type { Clock } from '../platform/clock.ts';
import { makeDirectory } from '../platform/make-directory.ts';
import { takeProcessLock } from '../platform/process-lock.ts';
import { RESTORING_DIRECTORY } from '../stores/sqlite/operations.ts';
import { SCHEMA_KNOWN } from '../stores/sqlite/schema.ts';
import { closeLedger, findDamage } from '../stores/sqlite/snapshot.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { type BackupFile, type BackupManifest, flush, readManifest } from './backup-manifest.ts';
import { findRunning } from './find-running.ts';
import { formatViolations, type Refusal, refuse } from './store-refusal.ts';

export interface RestorePlan {
  /** Directory of the backup. */
  readonly source: string;
  /** Data directory, made if missing. */
  readonly directory: string;
  /** Whether what is in it is moved aside. */
  readonly replaces: boolean;
}

export interface Restored {
  readonly kind: 'restored';
  readonly manifest: BackupManifest;
  /** Steps of its schema now: a backup of an earlier version is brought up to date. */
  readonly schema: number;
  /** Directory with what was there before; undefined = nothing was. */
  readonly replaced: string | undefined;
  /** Processes of which there was no proof of death when the backup was made: what they held stays held. */
  readonly held: readonly string[];
}

export type RestoreRefusal = Refusal<
  | 'NO_BACKUP'
  | 'BACKUP_DAMAGED'
  | 'BACKUP_NEWER'
  | 'STORE_IN_USE'
  | 'DIRECTORY_NOT_EMPTY'
  | 'RESTORE_RUNNING'
  | 'BOOKS_WRONG'
>;

/** Held while a restore is at work: one that was killed holds it no more. */
const LOCK_FILE = 'restoring.lock';
/** Of this installation and in no backup; the folder of an empty file system. */
const LEFT_IN_PLACE = new Set([ADMIN_TOKEN_FILE, 'lost+found']);
/** What restores make: the stage, the lock, what was there before. */
const OWN_NAME = /^(restoring|replaced-)/;

/**
 * Puts a backup into a data directory, or changes nothing there. Everything is copied, compared with its checksum, and
 * audited in a directory of its own before the first file moves to its place; until the last has moved no gateway starts
 * there. Throws StoreError and errors of the disk.
 */
export async function restore(plan: RestorePlan, clock: Clock): Promise<Restored | RestoreRefusal> {
  const { source, directory } = plan;
  const read = await readManifest(source);
  if (read.kind === 'refused') return read;
  const { manifest } = read;
  if (manifest.schema > SCHEMA_KNOWN) {
    const problem = `the backup has schema version ${manifest.schema} and this program knows ${SCHEMA_KNOWN}`;
    return refuse('BACKUP_NEWER', `${problem}: use the newer version of Tollkeeper that made it`);
  }
  const early = refuseDirectory(plan);
  if (early !== undefined) return early;
  const made = makeDirectory(directory);
  const lock = takeProcessLock(join(directory, LOCK_FILE));
  if (lock === undefined) {
    return refuse('RESTORE_RUNNING', `another restore into ${directory} is at work: wait for it`);
  }
  try {
    return await restoreAlone(plan, manifest, clock);
  } finally {
    lock.release();
    rmSync(join(directory, LOCK_FILE), { force: true });
    if (made && readdirSync(directory).length === 0) rmdirSync(directory);
  }
}

async function restoreAlone(
  plan: RestorePlan,
  manifest: BackupManifest,
  clock: Clock,
): Promise<Restored | RestoreRefusal> {
  const { source, directory } = plan;
  const stage = join(directory, RESTORING_DIRECTORY);
  // One that was interrupted may have moved some files: then nobody may start here until a restore has ended well.
  let isHalfDone = existsSync(stage);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { mode: 0o700 });
  try {
    // Nobody starts here from now on, so whoever does not run at this moment will not run.
    const refusal = refuseDirectory(plan) ?? (await copyFiles(source, stage, manifest.files));
    if (refusal !== undefined) return refusal;
    const checked = await checkCopy(source, stage, clock);
    if (checked.kind === 'refused') return checked;
    isHalfDone = true;
    const replaced = moveAside(directory, clock);
    for (const name of readdirSync(stage)) renameSync(join(stage, name), join(directory, name));
    flush(directory);
    isHalfDone = false;
    return { kind: 'restored', manifest, schema: SCHEMA_KNOWN, replaced, held: checked.held };
  } finally {
    if (!isHalfDone) rmSync(stage, { recursive: true, force: true });
  }
}

function refuseDirectory({ directory, replaces }: RestorePlan): RestoreRefusal | undefined {
  const running = findRunning(directory);
  if (running !== undefined) {
    const message = `gateway process ${running} works on ${directory}: stop the gateway, and restore again`;
    return refuse('STORE_IN_USE', message);
  }
  if (listReplaceable(directory).length === 0) return undefined;
  if (!replaces) {
    const message = `${directory} is not empty: restore into another one, or move what is there aside with --replace`;
    return refuse('DIRECTORY_NOT_EMPTY', message);
  }
  if (closeLedger(directory)) return undefined;
  const message = `a process has the store in ${directory} open: stop the gateway, and restore again`;
  return refuse('STORE_IN_USE', message);
}

function listReplaceable(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => !LEFT_IN_PLACE.has(name) && !OWN_NAME.test(name));
}

async function copyFiles(
  source: string,
  stage: string,
  files: readonly BackupFile[],
): Promise<RestoreRefusal | undefined> {
  for (const { name, bytes, sha256 } of files) {
    const [from, to] = [join(source, name), join(stage, name)];
    if (!existsSync(from)) return damaged(from, 'it is missing');
    // oxlint-disable-next-line no-await-in-loop -- files are copied whole: at once they would only share one disk
    const copied = await copyHashed(from, to);
    if (copied.bytes !== bytes) {
      return damaged(from, `it has ${copied.bytes} bytes of ${bytes}`);
    }
    if (copied.sha256 !== sha256) return damaged(from, 'its checksum is another one');
  }
  return undefined;
}

async function copyHashed(from: string, to: string): Promise<Omit<BackupFile, 'name'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  const source = createReadStream(from).on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  await pipeline(source, createWriteStream(to, { flags: 'wx', mode: 0o600 }));
  flush(to);
  return { bytes, sha256: hash.digest('hex') };
}

/** What lies in the stage is what was backed up; is that a store, in good order? Brings it up to date. */
async function checkCopy(
  source: string,
  stage: string,
  clock: Clock,
): Promise<{ readonly kind: 'sound'; readonly held: readonly string[] } | RestoreRefusal> {
  for (const name of readdirSync(stage).filter((each) => each.endsWith('.db'))) {
    const damage = findDamage(join(stage, name));
    if (damage !== undefined) return damaged(join(source, name), damage);
  }
  const store = await openSqliteStore({ directory: stage, clock });
  try {
    const violations = formatViolations(await store.audit());
    if (violations.length === 0) return { kind: 'sound', held: await store.liveOwners() };
    const message = `the books of the backup do not add up: ${violations.join('; ')}: restore another backup`;
    return refuse('BOOKS_WRONG', message);
  } finally {
    await store.close();
  }
}

/** Returns the directory that has got everything; undefined = there was nothing. */
function moveAside(directory: string, clock: Clock): string | undefined {
  const names = listReplaceable(directory);
  if (names.length === 0) return undefined;
  const time = new Date(clock.now()).toISOString().replaceAll(':', '-');
  const aside = join(directory, `replaced-${time}`);
  mkdirSync(aside, { mode: 0o700 });
  for (const name of names) renameSync(join(directory, name), join(aside, name));
  return aside;
}

function damaged(path: string, problem: string): RestoreRefusal {
  return refuse('BACKUP_DAMAGED', `${path} is damaged (${problem}): restore another backup`);
}
