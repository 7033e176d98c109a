import { expect, it } from 'vitest';

import { crc32 } from './crc32.ts';

const encode = (text: string) => new TextEncoder().encode(text);

it.each([
  ['', 0],
  ['123456789', 0xcbf43926],
  ['a', 0xe8b7be43],
  ['The quick brown fox jumps over the lazy dog', 0x414fa339],
])('the published check value of %j', (text, expected) => {
  expect(crc32(encode(text))).toBe(expected);
});

it('a part: from start to before end', () => {
  expect(crc32(encode('xx123456789yy'), 2, 11)).toBe(0xcbf43926);
});
