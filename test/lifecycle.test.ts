import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, it } from 'vitest';

import { CODES } from '../src/contract/index.ts';

const page = readFileSync(resolve(import.meta.dirname, '../docs/lifecycle.md'), 'utf8');
const rows = [...page.matchAll(/\b([A-Z]+(?:_[A-Z]+)*)[` |(]+(\d{3})\b/g)];

it('docs/lifecycle.md names every code of the registry, each with its status, and no other', () => {
  const documented = Object.fromEntries(
    rows.map(([, code = '', status]) => [code, Number(status)]),
  );
  const registered = Object.fromEntries(
    Object.entries(CODES).map(([code, row]) => [code, row.status]),
  );
  expect(documented).toEqual(registered);
});

it('docs/lifecycle.md does not contradict itself', () => {
  const pairs = new Set(rows.map(([, code, status]) => `${code} ${status}`));
  expect(pairs.size).toBe(new Set(rows.map(([, code]) => code)).size);
});
