import { check, constantFrom, integer, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';

import { findNearest } from './nearest.ts';

describe('the nearest word', () => {
  const keys = ['base_url', 'targets', 'api_key', 'health', 'credentials', 'type'];
  test.each([
    ['baseUrl', 'base_url'],
    ['base-url', 'base_url'],
    ['target', 'targets'],
    ['tragets', 'targets'],
    ['apikey', 'api_key'],
    ['heath', 'health'],
    ['credentails', 'credentials'],
    ['cred', 'credentials'],
    ['cr', undefined],
    ['colour', undefined],
    ['', undefined],
    ['x', undefined],
  ])('%j is meant as %j', (word, nearest) => {
    expect(findNearest(word, keys)).toBe(nearest);
  });

  test('is bounded: very long words are not compared', () => {
    expect(findNearest('a'.repeat(100_000), ['a'.repeat(99_999)])).toBeUndefined();
    expect(findNearest('type', ['t'.repeat(100_000), 'typ'])).toBe('typ');
  });

  test('one letter wrong is always found', () => {
    check(
      property(
        string({ unit: constantFrom('a', 'b', 'c', 'd', 'e'), minLength: 3, maxLength: 30 }),
        integer({ min: 0 }),
        (word, at) => {
          const index = at % word.length;
          const typo = `${word.slice(0, index)}z${word.slice(index + 1)}`;
          expect(findNearest(typo, [word, 'qqqqqqqqqqqqqqqqqqqq'])).toBe(word);
        },
      ),
    );
  });
});
