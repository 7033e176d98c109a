import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { keepAsEvidence, pruneEvidence } from './evidence.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 21);
const WIDE = { keptMs: 100 * HOUR_MS, bytesMax: 1_000_000 };

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('evidence');
});

/** A settled journal of this many bytes, last written to so many hours ago. */
function keep(name: string, bytes: number, hoursAgo: number): void {
  const path = join(directory, name);
  writeFileSync(path, 'x'.repeat(bytes));
  const at = (NOW - hoursAgo * HOUR_MS) / 1000;
  utimesSync(path, at, at);
  keepAsEvidence(path);
}

const kept = (): string[] => readdirSync(join(directory, 'evidence')).toSorted();

describe('evidence (settled journals are kept for a while)', () => {
  it('a journal is moved as it is', () => {
    keep('own_1.000001.journal', 10, 0);
    expect(existsSync(join(directory, 'own_1.000001.journal'))).toBe(false);
    expect(readFileSync(join(directory, 'evidence/own_1.000001.journal'), 'utf8')).toBe(
      'x'.repeat(10),
    );
  });

  it('where nothing can be kept the journal goes all the same', () => {
    // A file where the folder should be.
    writeFileSync(join(directory, 'evidence'), '');
    keep('own_1.000001.journal', 10, 0);
    expect(readdirSync(directory)).toEqual(['evidence']);
  });

  it.each([
    ['by age', { ...WIDE, keptMs: 3 * HOUR_MS }, ['a', 'b']],
    ['by size, of all together', { ...WIDE, bytesMax: 250 }, ['a', 'b']],
    ['by number', { ...WIDE, filesMax: 1 }, ['a']],
    ['not at all', { ...WIDE, keptMs: 0 }, []],
    ['within all bounds', WIDE, ['a', 'b', 'c', 'd']],
  ])('bound: %s, the oldest goes first', (_title, bounds, left) => {
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) keep(name, 100, index + 1);
    expect(pruneEvidence(directory, bounds, NOW)).toBe(4 - left.length);
    expect(kept()).toEqual(left);
    expect(pruneEvidence(directory, bounds, NOW)).toBe(0);
  });

  it('none kept yet is nothing to do; a folder that cannot be read is an error', () => {
    expect(pruneEvidence(directory, WIDE, NOW)).toBe(0);
    writeFileSync(join(directory, 'evidence'), '');
    expect(() => pruneEvidence(directory, WIDE, NOW)).toThrow('ENOTDIR');
    rmSync(join(directory, 'evidence'));
    mkdirSync(join(directory, 'evidence'));
    expect(pruneEvidence(directory, WIDE, NOW)).toBe(0);
  });
});
