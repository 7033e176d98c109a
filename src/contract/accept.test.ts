import fc from 'fast-check';
import { expect, test } from 'vitest';

import { chooseOffer, type Offer } from './accept.ts';

const HTML: Offer<'html'> = ['html', ['text/html', 'application/xhtml+xml']];
const JSON_OFFER: Offer<'json'> = ['json', ['application/json', 'application/problem+json']];

test.each<[string | undefined, string, string]>([
  // Who takes anything gets the first, whichever it is.
  [undefined, 'html', 'json'],
  ['', 'html', 'json'],
  ['*/*', 'html', 'json'],
  ['image/png', 'html', 'json'],
  ['*/*;q=0', 'html', 'json'],
  // A page that has less to offer gives the best of what it has.
  ['text/markdown, text/html;q=0.9', 'html', 'html'],
  // The weight decides, also that of a wildcard.
  ['*/*, text/html;q=0.1', 'json', 'json'],
  ['*/*, application/json;q=0.1', 'html', 'html'],
  ['text/html;q=0, */*', 'json', 'json'],
  ['application/*', 'json', 'json'],
  ['text/*', 'html', 'html'],
  ['application/vnd.example+json', 'json', 'json'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html', 'html'],
  ['application/json, text/plain, */*', 'json', 'json'],
])('Accept %s: %s of HTML and JSON, %s of JSON and HTML', (accept, htmlFirst, jsonFirst) => {
  expect(chooseOffer([HTML, JSON_OFFER], accept)).toBe(htmlFirst);
  expect(chooseOffer([JSON_OFFER, HTML], accept)).toBe(jsonFirst);
});

test('whatever Accept says, one of the offers is chosen', () => {
  fc.assert(
    fc.property(fc.string(), (accept) => {
      expect(['html', 'json']).toContain(chooseOffer([HTML, JSON_OFFER], accept));
    }),
  );
});
