import { expect, test } from 'vitest';

import { parseQualityList } from './quality-list.ts';

test.each([
  ['de', [{ value: 'de', quality: 1 }]],
  [
    'de-AT, en;q=0.8 , *;q=0.1',
    [
      { value: 'de-at', quality: 1 },
      { value: 'en', quality: 0.8 },
      { value: '*', quality: 0.1 },
    ],
  ],
  ['text/html;level=1;q=0.5', [{ value: 'text/html', quality: 0.5 }]],
  ['a;q=0', [{ value: 'a', quality: 0 }]],
  [
    'a;q=1.000,b;q=0.123',
    [
      { value: 'a', quality: 1 },
      { value: 'b', quality: 0.123 },
    ],
  ],
  // RFC 9110 12.4.2: at most three digits, at most 1.
  ['a;q=0.1234,b;q=2,c;q=,d;q=-1', ['a', 'b', 'c', 'd'].map((value) => ({ value, quality: 0 }))],
  [' , ;q=1, a', [{ value: 'a', quality: 1 }]],
  ['', []],
])('"%s"', (header, expected) => {
  expect(parseQualityList(header)).toEqual(expected);
});

test('what stands behind the first 32 items is not looked at', () => {
  expect(parseQualityList('a,'.repeat(10_000))).toHaveLength(32);
});
