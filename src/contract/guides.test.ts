import { existsSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { RETRY_KINDS, STATUS_FAMILIES } from './code-row.ts';
import { WORDS } from './problem-words.ts';

const GUIDES = new URL('../../docs/guides/', import.meta.url);
const NAMES = [
  'status-codes.md',
  'clients.md',
  'upstream-providers.md',
  'refusal-texts.md',
] as const;

function readGuide(name: (typeof NAMES)[number]): string {
  return readFileSync(new URL(name, GUIDES), 'utf8');
}

/** Cells of the first column of every table row. */
function firstCells(guide: string): readonly string[] {
  return [...guide.matchAll(/^\| ([^|]+) \|/gm)].map((match) => match[1] ?? '');
}

test('DOC-03: the guide to status codes compares every status the gateway answers with', () => {
  const statuses = firstCells(readGuide('status-codes.md')).flatMap(
    (cell) => cell.match(/^\d{3}(?:, \d{3})*$/)?.[0].split(', ') ?? [],
  );
  expect(statuses.toSorted()).toEqual(Object.keys(STATUS_FAMILIES));
});

test('DOC-05: at least ten providers are described, each with evidence that is listed', () => {
  const guide = readGuide('upstream-providers.md');
  const [, sources = ''] = guide.split('## Sources');
  const listed = [...sources.matchAll(/^(\d+)\. /gm)].map((match) => match[1]);
  const rows = guide.match(/^\| (?!provider|---).*$/gm) ?? [];
  const cited = rows.flatMap((row) => [...row.matchAll(/\[(\d+)\](?!\()/g)].map((hit) => hit[1]));
  expect(rows.length).toBeGreaterThanOrEqual(10);
  expect(rows.filter((row) => !/\[\d+\]/.test(row))).toEqual([]);
  expect(new Set(cited)).toEqual(new Set(listed));
  expect(guide.match(/\]\(https:\/\/[^)]+\)/g)?.length).toBeGreaterThanOrEqual(10);
});

test('DOC-08: the client guide covers every retry kind that waiting lifts, and the four statuses', () => {
  const guide = readGuide('clients.md');
  const kinds = RETRY_KINDS.filter((kind) => kind !== 'with_proof');
  expect(kinds.filter((kind) => !guide.includes(kind))).toEqual([]);
  for (const status of [401, 402, 403, 429]) expect(guide).toContain(String(status));
  expect(guide).toContain('80 %');
});

test("C402-11: the guide to texts of one's own lists every word and field, and no other", () => {
  const listed = firstCells(readGuide('refusal-texts.md')).flatMap((cell) =>
    [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''),
  );
  const fields = ['title', 'message', 'language', 'translations', 'link', 'fields', 'brand'];
  expect(listed.toSorted()).toEqual([...fields, ...Object.keys(WORDS)].toSorted());
});

test.each(NAMES)('%s links only to pages that exist', (name) => {
  const links = [...readGuide(name).matchAll(/\]\(([^)#]+)/g)].map((match) => match[1] ?? '');
  const local = links.filter((link) => !link.startsWith('https://'));
  expect(local.filter((link) => !existsSync(new URL(link, GUIDES)))).toEqual([]);
});
