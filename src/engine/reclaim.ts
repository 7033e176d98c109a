import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { takeProcessLock } from '../platform/process-lock.ts';
import type { LedgerStore, ReclaimResult } from '../stores/store.ts';
import { journalFiles, readJournal, retireJournal } from './journal.ts';
import { replayJournal } from './replay.ts';

/** The file whose lock says that an incarnation is alive. */
export function ownerLockPath(directory: string, owner: string): string {
  return join(directory, `${owner}.lock`);
}

export interface Reclaimed extends ReclaimResult {
  /** Bytes of its journal that could not be read: what they charged is lost. Absent = none. */
  readonly damagedBytes?: number;
  /** It had settled charges and left no journal: somebody removed it, and what it charged last is lost. */
  readonly journalMissing?: true;
}

/**
 * Settles what a dead process of this machine had served and returns the rest of its slices; of one that was written off
 * the house pays it. Undefined = it is still alive, or its files are not here: then its money stays held (DESIGN 5 "only
 * proof returns money"); or the store knows all about it already.
 */
export async function reclaimOwner(
  store: Pick<LedgerStore, 'lastSettled' | 'reclaim'>,
  directory: string,
  owner: string,
  now: number,
): Promise<Reclaimed | undefined> {
  const lockPath = ownerLockPath(directory, owner);
  if (!existsSync(lockPath)) return undefined;
  const lock = takeProcessLock(lockPath);
  if (lock === undefined) return undefined;
  try {
    const lastSeq = await store.lastSettled(owner);
    if (lastSeq === undefined) {
      retireJournal(directory, owner);
      return undefined;
    }
    // It was there before the first charge, and nobody puts it away before the store knows of the death.
    const isMissing = lastSeq > 0 && journalFiles(directory, owner).length === 0;
    const { groups, damagedBytes } = readJournal(directory, owner);
    const records = { afterSeq: lastSeq, ...replayJournal(groups, lastSeq) };
    const result = await store.reclaim(owner, records, now);
    retireJournal(directory, owner);
    return {
      ...result,
      ...(damagedBytes > 0 && { damagedBytes }),
      ...(isMissing && { journalMissing: true }),
    };
  } finally {
    lock.release();
    // As long as the store does not know of the death, the file must stay: without it nobody would look again. Nor does
    // anybody know where it does not answer now: what was reclaimed before is told all the same.
    const known = await store.lastSettled(owner).catch(() => 0);
    if (known === undefined) rmSync(lockPath, { force: true });
  }
}
