import fc from 'fast-check';
import { expect, it } from 'vitest';

import { crc32 } from '../platform/crc32.ts';
import {
  API_KEY_RANDOM_BYTES,
  apiKeyHint,
  formatApiKey,
  findKeyMistake,
  parseApiKey,
} from './api-key.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomBytes = fc.uint8Array({
  minLength: API_KEY_RANDOM_BYTES,
  maxLength: API_KEY_RANDOM_BYTES,
});
const environments = fc.constantFrom('live' as const, 'test' as const);

it('KEY-01: every key parses back to its environment, and has one shape', () => {
  fc.assert(
    fc.property(environments, randomBytes, (environment, bytes) => {
      const key = formatApiKey(environment, bytes);
      expect(key).toMatch(/^tk_(live|test)_[0-9A-Za-z]{36}$/);
      expect(parseApiKey(key)).toEqual({ environment });
    }),
  );
});

it('KEY-01: different bytes make different keys', () => {
  fc.assert(
    fc.property(randomBytes, randomBytes, (left, right) => {
      const same = Buffer.compare(left, right) === 0;
      expect(formatApiKey('live', left) === formatApiKey('live', right)).toBe(same);
    }),
  );
});

it('KEY-01: one changed character is always noticed', () => {
  fc.assert(
    fc.property(
      randomBytes,
      fc.integer({ min: 8, max: 43 }),
      fc.integer({ min: 1, max: 61 }),
      (bytes, at, shift) => {
        const key = formatApiKey('test', bytes);
        const other = BASE62.charAt((BASE62.indexOf(key.charAt(at)) + shift) % 62);
        expect(parseApiKey(key.slice(0, at) + other + key.slice(at + 1))).toBeUndefined();
      },
    ),
  );
});

it('KEY-01: two neighbours exchanged are noticed', () => {
  const key = formatApiKey(
    'live',
    new Uint8Array(API_KEY_RANDOM_BYTES).map((_, index) => index * 11),
  );
  for (let at = 8; at < key.length - 1; at += 1) {
    if (key[at] === key[at + 1]) continue;
    const swapped = `${key.slice(0, at)}${key.charAt(at + 1)}${key.charAt(at)}${key.slice(at + 2)}`;
    expect(parseApiKey(swapped)).toBeUndefined();
  }
});

it('the checksum is the CRC-32 of everything before it, in base62', () => {
  const key = formatApiKey('live', new Uint8Array(API_KEY_RANDOM_BYTES));
  let checksum = 0;
  for (const character of key.slice(-6)) checksum = checksum * 62 + BASE62.indexOf(character);
  expect(checksum).toBe(crc32(new TextEncoder().encode(key.slice(0, -6))));
});

const KEY = formatApiKey('live', new Uint8Array(API_KEY_RANDOM_BYTES).fill(7));
it.each([
  ['nothing', ''],
  ['a key of another service', 'sk-proj-0123456789'],
  ['no checksum', KEY.slice(0, -6)],
  ['a trailing space', `${KEY} `],
  ['a trailing newline', `${KEY}\n`],
  ['another environment', KEY.replace('tk_live_', 'tk_test_')],
  ['an unknown environment', KEY.replace('tk_live_', 'tk_prod_')],
  ['a foreign character', `${KEY.slice(0, 20)}-${KEY.slice(21)}`],
  ['a very long text', 'tk_live_'.padEnd(100_000, 'a')],
])('KEY-01: parseApiKey refuses %s', (_title, text) => {
  expect(parseApiKey(text)).toBeUndefined();
});

it('KEY-01: a mistake in a key is told apart from a key that is not there', () => {
  expect(findKeyMistake(KEY)).toBeUndefined();
  expect(findKeyMistake(KEY.slice(0, -1))).toContain('checksum');
  expect(findKeyMistake('sk-proj-0123456789')).toContain('begin with tk_live_ or tk_test_');
});

it('the hint shows the environment and four characters of the checksum, none of the secret', () => {
  expect(apiKeyHint(KEY)).toBe(`tk_live_...${KEY.slice(-4)}`);
});

it.each([0, 21, 23])('formatApiKey refuses %i random bytes', (count) => {
  expect(() => formatApiKey('live', new Uint8Array(count))).toThrow('22 random bytes');
});
