import { closeSync, existsSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';

import { journalFiles } from '../engine/journal.ts';
import { ownerLockPath } from '../engine/reclaim.ts';

const CHUNK_BYTES = 1024 * 1024;

interface SegmentView {
  readonly name: string;
  readonly descriptor: number;
  /** What counts: it may have grown since. */
  readonly bytes: number;
}

/**
 * The journals of processes at work, as they were when `take` was called. Taking opens files and reads nothing, so that
 * it is quick; a segment that its process forgets afterwards can still be read.
 */
export class JournalViews {
  readonly #segments: SegmentView[] = [];
  readonly #lockNames: string[] = [];

  /** Those with a lock file: of the others nobody can prove that they are dead, wherever they are. */
  take(directory: string, owners: readonly string[]): void {
    for (const owner of owners) {
      if (!existsSync(ownerLockPath(directory, owner))) continue;
      this.#lockNames.push(basename(ownerLockPath(directory, owner)));
      for (const path of journalFiles(directory, owner)) this.#view(path);
    }
  }

  /** Writes what was taken into a directory in which nobody is alive. */
  writeTo(directory: string): void {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (const name of this.#lockNames) closeSync(openSync(join(directory, name), 'wx', 0o600));
    for (const segment of this.#segments)
      copySegment(segment, join(directory, segment.name), chunk);
  }

  close(): void {
    for (const { descriptor } of this.#segments.splice(0)) closeSync(descriptor);
  }

  #view(path: string): void {
    const descriptor = openIfThere(path);
    // The ledger has all of it, or its process would not have forgotten it.
    if (descriptor === undefined) return;
    const { size: bytes } = fstatSync(descriptor);
    this.#segments.push({ name: basename(path), descriptor, bytes });
  }
}

function copySegment({ descriptor, bytes }: SegmentView, path: string, chunk: Buffer): void {
  const target = openSync(path, 'wx', 0o600);
  try {
    for (let offset = 0; offset < bytes;) {
      const most = Math.min(chunk.length, bytes - offset);
      const read = readSync(descriptor, chunk, 0, most, offset);
      if (read === 0) throw new Error(`${path}: the journal has become shorter`);
      offset += writeSync(target, chunk, 0, read);
    }
  } finally {
    closeSync(target);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
