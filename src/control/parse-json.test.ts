import { expect, it } from 'vitest';

import { JSON_DEPTH_MAX, parseJson } from './parse-json.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

it.each<[string, string]>([
  ['an object', '{"a":[{"b":null}]}'],
  ['a text', '"a"'],
  ['nothing', 'null'],
  ['lists as deep as is taken', nested(JSON_DEPTH_MAX)],
])('%s is read', (_what, text) => {
  expect(parseJson(text)).toEqual({ kind: 'parsed', value: JSON.parse(text) as unknown });
});

it.each<[string, string, string]>([
  ['no JSON', '{', 'the body is not valid JSON'],
  ['lists one level deeper', nested(JSON_DEPTH_MAX + 1), 'deeper than 256 levels'],
  ['lists deeper than the stack', nested(500_000), 'deeper than 256 levels'],
  ['objects deeper than the stack', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'deeper'],
])('bound: %s is told what is wrong', (_what, text, reason) => {
  expect(parseJson(text)).toMatchObject({
    kind: 'wrong',
    reason: expect.stringContaining(reason) as string,
  });
});
