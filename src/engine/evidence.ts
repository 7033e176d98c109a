import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { makeDirectory } from '../platform/make-directory.ts';

/** Below the directory of the journals. */
const EVIDENCE = 'evidence';
/** Each start of a process leaves a file, however little is in it. */
const FILES_MAX = 10_000;

export interface EvidenceBounds {
  /** Since a journal was last written to. 0 = none is kept. */
  readonly keptMs: number;
  /** Of all together. */
  readonly bytesMax: number;
  /** Default FILES_MAX. */
  readonly filesMax?: number;
}

/**
 * Moves a journal file whose charges are settled to the evidence beside it: only its name changes. Where that cannot be
 * done it is deleted, because a full disk must not keep the process from settling.
 */
export function keepAsEvidence(path: string): void {
  const directory = join(dirname(path), EVIDENCE);
  try {
    makeDirectory(directory);
    renameSync(path, join(directory, basename(path)));
  } catch {
    // One that somebody has removed is what it was to become.
    rmSync(path, { force: true });
  }
}

/** Deletes evidence until it is within its bounds, oldest first. Returns how many files went. */
export function pruneEvidence(
  journalDirectory: string,
  { keptMs, bytesMax, filesMax = FILES_MAX }: EvidenceBounds,
  now: number,
): number {
  const files = listEvidence(join(journalDirectory, EVIDENCE));
  let bytes = 0;
  let kept = 0;
  let removed = 0;
  for (const { path, size, writtenAt } of files) {
    bytes += size;
    // From here on all are older, so the first that does not fit ends it.
    const fits = removed === 0 && bytes <= bytesMax && kept < filesMax && now - writtenAt < keptMs;
    if (fits) kept += 1;
    else {
      rmSync(path, { force: true });
      removed += 1;
    }
  }
  return removed;
}

/** Newest first. Another gateway on the same directory may delete some meanwhile. */
function listEvidence(directory: string) {
  return namesIn(directory)
    .flatMap((name) => {
      const path = join(directory, name);
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? [] : [{ path, size: found.size, writtenAt: found.mtimeMs }];
    })
    .toSorted((one, other) => other.writtenAt - one.writtenAt);
}

/** None before the first journal was kept. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
