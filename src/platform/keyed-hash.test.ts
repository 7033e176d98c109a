import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { KeyedHash } from './keyed-hash.ts';

it('is SHA-512/256 of the key in base64url, a line end and the message in UTF-8', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 64 }),
      fc.string({ unit: 'binary' }),
      (key, message) => {
        const whole = `${Buffer.from(key).toString('base64url')}\n${message}`;
        const expected = createHash('sha512-256').update(whole).digest('base64url');
        expect(new KeyedHash(key).digest(message)).toBe(expected);
        expect(expected).toHaveLength(43);
      },
    ),
  );
});

it('does not take a key that can be guessed', () => {
  expect(() => new KeyedHash(new Uint8Array(15))).toThrow('a key of 15 bytes');
});
