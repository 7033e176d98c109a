import { expect, it } from 'vitest';

import { formatFields, formatTable } from './format-table.ts';

const columns = [
  { title: 'NAME', value: (row: { name: string | null }) => row.name },
  { title: 'AGAIN', value: (row: { name: string | null }) => row.name },
];

it('aligns columns and leaves no blanks at the end', () => {
  expect(formatTable([{ name: 'a' }, { name: 'longer' }, { name: null }], columns, false)).toBe(
    'NAME    AGAIN\na       a\nlonger  longer\n-       -',
  );
});

it.each([
  ['a line feed', 'a\nb', 'a?b'],
  ['an escape sequence', '\u001b[2Ja', '?[2Ja'],
  ['a reversed reading order', 'a\u202eb', 'a?b'],
  ['half a character', 'a\ud800', 'a?'],
  ['a long one is shown whole, to be copied', 'x'.repeat(500), 'x'.repeat(500)],
])('names of other people cannot forge output: %s', (_title, name, shown) => {
  expect(formatTable([{ name }], columns, false).split('\n')[1]?.startsWith(shown)).toBe(true);
  expect(formatFields([['name', name]])).toBe(`name  ${shown}`);
});
