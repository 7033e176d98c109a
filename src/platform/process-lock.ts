import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';

/**
 * A lock that the kernel frees when the process dies, and not when it is merely paused: an exclusive
 * SQLite (fcntl) lock on a file of its own. The holder must never open that file a second time:
 * POSIX drops all of a process's locks on a file when any descriptor of it is closed.
 */
export interface ProcessLock {
  release(): void;
}

/** Of a lock that is being made. */
const UNSEEN = '.new';
/** A lock is made in milliseconds. */
const MAKING_MS_MAX = 60_000;

/** Takes the lock, or undefined when another live process has it. */
export function takeProcessLock(path: string): ProcessLock | undefined {
  const database = openFile(path);
  try {
    // Nothing is ever written here: a journal of SQLite's beside it would outlive a process that is killed.
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/**
 * Makes the lock's file, with a name that nobody has used: whoever finds it there finds it held. A file that is there
 * before it is locked would be taken, or swept away, by those who look for dead processes.
 */
export function createProcessLock(path: string): ProcessLock {
  const unseen = `${path}${UNSEEN}`;
  const lock = takeProcessLock(unseen);
  if (lock === undefined) throw new Error(`${unseen}: another process makes the same lock`);
  renameSync(unseen, path);
  return lock;
}

/**
 * Removes what processes left in a directory that died while they made a lock in it. A file is young before its maker has
 * locked it, so the age tells those apart; `nowMs` is by the clock of the file system, epoch milliseconds.
 */
export function removeUnfinishedLocks(directory: string, nowMs: number): void {
  for (const name of readdirSync(directory)) {
    if (!name.endsWith(`.lock${UNSEEN}`)) continue;
    const path = join(directory, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || nowMs - found.mtimeMs < MAKING_MS_MAX) continue;
    const lock = takeProcessLock(path);
    if (lock === undefined) continue;
    rmSync(path, { force: true });
    lock.release();
  }
}

function openFile(path: string): DatabaseSyncInstance {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: ${reason}. May this user write there?`, { cause: error });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}
