import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { codingOf, decode } from './decode-answer.ts';

const PLAIN = Buffer.from('{"usage":{}}');
const coded = (coding: string) => ['Content-Encoding', coding];

describe('what an answer is compressed by (RFC 9110 8.4)', () => {
  it.each(['', 'identity', ' Identity , ', 'identity, identity'])('%j is nothing', (coding) => {
    expect(codingOf(coded(coding))).toBeUndefined();
    expect(decode(PLAIN, coded(coding))).toBe(PLAIN);
  });

  it.each([
    ['gzip', gzipSync(PLAIN)],
    ['X-Gzip', gzipSync(PLAIN)],
    ['identity, gzip', gzipSync(PLAIN)],
    ['br', brotliCompressSync(PLAIN)],
    ['deflate', deflateSync(PLAIN)],
  ])('%s is undone', (coding, body) => {
    expect(decode(body, coded(coding))).toEqual(PLAIN);
  });

  it.each(['gzip, br', 'zstd', 'gzip'])('%s of anything else cannot be read', (coding) => {
    expect(codingOf(coded(coding))).toBeDefined();
    expect(decode(PLAIN, coded(coding))).toBeUndefined();
  });
});
