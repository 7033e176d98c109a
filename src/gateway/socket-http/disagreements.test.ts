import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import {
  type Disagreement,
  LAXER_ANSWERS,
  LAXER_REQUESTS,
  REFUSED_BY_BOTH,
  STRICTER_ANSWERS,
  STRICTER_REQUESTS,
} from '../../../test/support/transport-disagreements.ts';

const page = readFileSync(new URL('../../../docs/spec/http.md', import.meta.url), 'utf8');

/** The rows of the table below this heading, without its head. */
function rowsBelow(heading: string): readonly string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
}

const rowOf = ({ what, theirs, ours, because, source }: Disagreement): string =>
  `| ${[what, theirs, ours, because, source].join(' | ')} |`;

it.each([
  ['Requests that only `server.http: node` serves', STRICTER_REQUESTS],
  ['Requests that only ours serves', LAXER_REQUESTS],
  ['Requests that bare `node:http` serves, and neither of the two', REFUSED_BY_BOTH],
  ['Answers that only undici takes', STRICTER_ANSWERS],
  ['Answers that only ours takes', LAXER_ANSWERS],
])('docs/spec/http.md lists, under "%s", what the differential tests allow', (heading, list) => {
  expect(rowsBelow(heading)).toEqual(list.map(rowOf));
});
