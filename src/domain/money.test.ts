import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  divideCeil,
  formatDecimal,
  formatMoney,
  parseDecimal,
  toSafeNumber,
  toSafeNumberAtMost,
} from './money.ts';

describe('parseDecimal', () => {
  it.each([
    ['5', 9, 5_000_000_000n],
    ['5.00', 9, 5_000_000_000n],
    ['-0.0010', 9, -1_000_000n],
    ['0.000000001', 9, 1n],
    ['999999999999', 9, 999_999_999_999_000_000_000n],
    ['1.500', 1, 15n],
  ])('reads %s with %d digits', (text, digits, units) => {
    expect(parseDecimal(text, digits)).toBe(units);
  });

  it.each([
    ['finer than the unit', '0.0000000001'],
    ['an exponent', '1e3'],
    ['a comma', '1,000'],
    ['nothing before the point', '.5'],
    ['nothing after the point', '5.'],
    ['blank', ''],
    ['more digits than any amount has', '1234567890123'],
  ])('refuses %s: %s', (_what, text) => {
    expect(parseDecimal(text, 9)).toBeUndefined();
  });
});

describe('formatDecimal', () => {
  it.each([
    [0n, 9, 2, '0.00'],
    [1n, 9, 2, '0.000000001'],
    [-1_500_000_000n, 9, 2, '-1.50'],
    [1_000_000n, 9, 4, '0.0010'],
    [5n, 0, 0, '5'],
    [2_000n, 3, 0, '2'],
  ])('%d of 10^-%d with at least %d digits is %s', (units, digits, fewest, text) => {
    expect(formatDecimal(units, digits, fewest)).toBe(text);
  });

  it('is the inverse of parseDecimal', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (units) => {
        expect(parseDecimal(formatDecimal(units, 9), 9)).toBe(units);
      }),
    );
  });
});

it.each([
  [1_000_000n, '0.0010 USD'],
  [-1_000_000n, '-0.0010 USD'],
  [1_000_000_000n, '1.00 USD'],
  [12_345_678_901n, '12.345678901 USD'],
])('%d nano reads %s', (units, text) => {
  expect(formatMoney({ asset: 'USD', units })).toBe(text);
});

it('rounds a quotient up and never by a whole step (BILL-06)', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt({ min: 1n }), (dividend, divisor) => {
      const quotient = divideCeil(dividend, divisor);
      expect(quotient * divisor >= dividend).toBe(true);
      expect((quotient - 1n) * divisor < dividend).toBe(true);
    }),
  );
});

it('an amount beyond every balance is set aside as the largest there is', () => {
  const largest = BigInt(Number.MAX_SAFE_INTEGER);
  expect([5n, largest, largest + 1n, 11n * largest].map(toSafeNumberAtMost)).toEqual([
    5,
    ...[largest, largest, largest].map(Number),
  ]);
});

describe('toSafeNumber', () => {
  it.each([0n, -1n, BigInt(Number.MAX_SAFE_INTEGER), BigInt(Number.MIN_SAFE_INTEGER)])(
    'keeps %d exactly',
    (units) => {
      expect(BigInt(toSafeNumber(units))).toBe(units);
    },
  );

  it.each([2n ** 53n, -(2n ** 53n), 10n ** 30n])('throws on %d', (units) => {
    expect(() => toSafeNumber(units)).toThrow('is not a safe integer');
  });
});
