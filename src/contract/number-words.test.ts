import fc from 'fast-check';
import { expect, test } from 'vitest';

import { formatCount, formatSize, formatTimeIn, formatWaitIn } from './number-words.ts';
import { ENGLISH } from './phrases/english.ts';
import { GERMAN } from './phrases/german.ts';
import { SPANISH } from './phrases/spanish.ts';

test.each([
  [0, '0', '0', '0'],
  [1234, '1,234', '1.234', '1234'],
  [1_234_567, '1,234,567', '1.234.567', '1.234.567'],
  [0.5, '0.5', '0,5', '0,5'],
  ['1234.50 USD', '1234.50 USD', '1234,50 USD', '1234,50 USD'],
  ['30 gems', '30 gems', '30 gems', '30 gems'],
  [Number.NaN, undefined, undefined, undefined],
  [undefined, undefined, undefined, undefined],
])('%s is %s, %s and %s', (quantity, english, german, spanish) => {
  expect(formatCount(quantity, ENGLISH)).toBe(english);
  expect(formatCount(quantity, GERMAN)).toBe(german);
  expect(formatCount(quantity, SPANISH)).toBe(spanish);
});

test.each([
  [0, '0 bytes', '0 bytes'],
  [9999, '9,999 bytes', '9,999 bytes'],
  [10_000, '10 kB', '10 kB'],
  [10_001, '10 kB', '10.01 kB'],
  [1_048_576, '1.04 MB', '1.05 MB'],
  [5_000_000_000, '5 GB', '5 GB'],
  [999_999_999, '999.99 MB', '1,000 MB'],
  [1_234_000_000_000_000, '1,234 TB', '1,234 TB'],
])('%d bytes are %s, or %s rounded up', (bytes, down, up) => {
  expect(formatSize(bytes, 'down', ENGLISH)).toBe(down);
  expect(formatSize(bytes, 'up', ENGLISH)).toBe(up);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a size of %s is no word', (bytes) => {
  expect(formatSize(bytes, 'down', ENGLISH)).toBeUndefined();
});

test('rounded down a size is never more than it is, rounded up never less', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      expect(bytesOf(formatSize(bytes, 'down', ENGLISH))).toBeLessThanOrEqual(bytes);
      expect(bytesOf(formatSize(bytes, 'up', ENGLISH))).toBeGreaterThanOrEqual(bytes);
    }),
  );
});

/** In whole bytes: hundredths of a unit are. */
function bytesOf(size = ''): number {
  const [digits = '', unit = ''] = size.replaceAll(',', '').split(' ');
  const hundredths = Math.round(Number.parseFloat(digits) * 100);
  return (hundredths * ({ kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? 1)) / 100;
}

test.each([
  ['2026-12-01T00:00:00Z', '2026-12-01 00:00 UTC', '01.12.2026, 00:00 UTC'],
  ['2026-12-01T00:00:00.123Z', '2026-12-01 00:00 UTC', '01.12.2026, 00:00 UTC'],
  ['2026-12-01', undefined, undefined],
  ['2026-12-01T00:00:00+01:00', undefined, undefined],
  [undefined, undefined, undefined],
])('%s is %s and %s', (iso, english, german) => {
  expect(formatTimeIn(iso, ENGLISH)).toBe(english);
  expect(formatTimeIn(iso, GERMAN)).toBe(german);
});

test.each([
  ['2026-12-01T00:00:00.000Z', '2026-12-01 00:00 UTC', '01.12.2026, 00:00 UTC'],
  ['2026-11-15T13:00:18.000Z', '2026-11-15 13:00:18 UTC', '15.11.2026, 13:00:18 UTC'],
  ['2026-11-15T13:00Z', '2026-11-15 13:00 UTC', '15.11.2026, 13:00 UTC'],
  ['2026-12-01', undefined, undefined],
])('who waits for %s waits until %s or %s', (iso, english, german) => {
  expect(formatWaitIn(iso, ENGLISH)).toBe(english);
  expect(formatWaitIn(iso, GERMAN)).toBe(german);
});
