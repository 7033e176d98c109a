import { expect, it } from 'vitest';

import { ownString } from './own-string.ts';

it('is the same text, whatever bytes a header may have', () => {
  const text = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
  expect(ownString(text.slice(1, 200))).toBe(text.slice(1, 200));
  expect(ownString('')).toBe('');
});
