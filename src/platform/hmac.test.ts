import { createHmac } from 'node:crypto';

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { Hmac } from './hmac.ts';

it('RFC 2104: gives what node:crypto gives, for keys shorter and longer than a block', () => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 150 });
  fc.assert(
    fc.property(bytes, bytes, bytes, (key, first, second) => {
      const hmac = new Hmac(key);
      for (const message of [first, second, first]) {
        expect(hmac.digest(Buffer.from(message).toString('latin1'))).toBe(
          createHmac('sha256', key).update(message).digest('hex'),
        );
      }
    }),
  );
});
