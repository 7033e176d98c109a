import { crc32 as nativeCrc32 } from 'node:zlib';

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

it('of any length the same as the native one, wherever it begins', () => {
  const bytes = Uint8Array.from({ length: 400 }, (_, index) => (index * index * 31) >>> 3);
  for (let length = 0; length <= 300; length += 1) {
    const start = length % 7;
    const end = start + length;
    expect(crc32(bytes, start, end)).toBe(nativeCrc32(bytes.subarray(start, end)));
  }
});
