import { expect } from 'vitest';

/** What every adapter refuses to bind, whatever its driver would make of it. */
export const UNSTORABLE: readonly (readonly [title: string, value: unknown])[] = [
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a fraction', 0.5],
  ['a number above 2^53', 2 ** 53],
  ['a bigint above 64 bits', 2n ** 63n],
  ['a bigint below 64 bits', -(2n ** 63n) - 1n],
  ['undefined', undefined],
  ['a boolean', true],
  ['a date', new Date(0)],
  ['an object', { a: 1 }],
];

/** The error that says so. */
export const CANNOT_BE_STORED: Error = expect.objectContaining({
  code: 'invalid_argument',
  message: expect.stringContaining('cannot be stored'),
});
