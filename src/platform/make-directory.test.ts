import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { makeDirectory } from './make-directory.ts';

it('makes what is missing, for this user alone, and leaves what is there', () => {
  const path = join(temporaryDirectory('made'), 'a', 'b', 'c');
  expect(makeDirectory(path)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(makeDirectory(path)).toBe(false);
  const open = join(path, 'open');
  mkdirSync(open, { mode: 0o755 });
  expect(makeDirectory(open)).toBe(false);
  expect(statSync(open).mode & 0o777).toBe(0o755);
});

it.each(['/proc/x', '/proc/x/data'])('says at once that %s cannot be made', (path) => {
  expect(() => makeDirectory(path)).toThrow(/ENOENT.*'\/proc\/x'/);
});

it('a file in the way is named', () => {
  const file = join(temporaryDirectory('made'), 'file');
  writeFileSync(file, '');
  expect(() => makeDirectory(file)).toThrow(/EEXIST.*file'/);
  expect(() => makeDirectory(join(file, 'data'))).toThrow(/ENOTDIR.*data'/);
});
