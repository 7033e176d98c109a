import fc from 'fast-check';
import { expect, test } from 'vitest';

import { chooseLanguage, LANGUAGES } from './languages.ts';

test.each<[string | undefined, string]>([
  [undefined, 'en'],
  ['', 'en'],
  ['*', 'en'],
  ['de', 'de'],
  ['de-AT', 'de'],
  ['DE-at', 'de'],
  ['zh-Hans-CN', 'zh'],
  ['es-419', 'es'],
  ['fr', 'en'],
  ['fr, de;q=0.5', 'de'],
  ['en-US,en;q=0.9,de;q=0.8', 'en'],
  ['de;q=0.8, es;q=0.9', 'es'],
  ['de, es', 'de'],
  ['de;q=0', 'en'],
  ['de;q=0, *', 'en'],
  ['deutsch', 'en'],
])('C402-27: Accept-Language %s is answered in %s', (header, expected) => {
  expect(chooseLanguage(header)).toBe(expected);
});

test('whatever the header says there is a language', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      expect(LANGUAGES).toContain(chooseLanguage(header));
    }),
  );
});
