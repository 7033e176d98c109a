import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { makeDirectory, removeDirectory } from '../../../test/support/temporary-directory.ts';
import { ensureAdminToken, isSameToken } from './admin-token.ts';

let directory: string;
beforeEach(() => {
  directory = makeDirectory('token');
});
afterEach(() => removeDirectory(directory));

it('DESIGN 10: the first start makes a token only its owner can read, the next one finds it', () => {
  const data = join(directory, 'new', 'data');
  const first = ensureAdminToken(data);
  expect(first.token).toMatch(/^tka_[A-Za-z0-9_-]{43}$/);
  expect(first.path).toBe(join(data, 'admin.token'));
  expect(statSync(first.path).mode & 0o777).toBe(0o600);
  expect(readFileSync(first.path, 'utf8')).toBe(`${first.token}\n`);
  expect(ensureAdminToken(data)).toEqual(first);
  expect(readdirSync(data)).toEqual(['admin.token']);
});

it('two installations never share a token', () => {
  expect(ensureAdminToken(join(directory, 'a')).token).not.toBe(
    ensureAdminToken(join(directory, 'b')).token,
  );
});

it('a file that others can read is closed', () => {
  const { path, token } = ensureAdminToken(directory);
  chmodSync(path, 0o644);
  expect(ensureAdminToken(directory).token).toBe(token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it.each(['', 'admin', 'tka_short', 'tka_'.padEnd(100, 'a')])(
  'refuses a file that holds %j',
  (content) => {
    writeFileSync(join(directory, 'admin.token'), content);
    expect(() => ensureAdminToken(directory)).toThrow('delete it');
  },
);

it('compares whole tokens', () => {
  const { token } = ensureAdminToken(directory);
  expect(isSameToken(token, token)).toBe(true);
  for (const other of ['', token.slice(0, -1), `${token}a`, token.toUpperCase()]) {
    expect(isSameToken(other, token)).toBe(false);
  }
});
