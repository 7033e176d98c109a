import fc from 'fast-check';
import { expect, test } from 'vitest';

import { chooseForm } from './problem-form.ts';

test.each<[string | undefined, string]>([
  [undefined, 'openai'],
  ['', 'openai'],
  ['*/*', 'openai'],
  ['application/json', 'openai'],
  ['application/problem+json', 'openai'],
  ['application/vnd.github+json', 'openai'],
  ['application/*', 'openai'],
  ['text/event-stream, application/json', 'openai'],
  ['text/event-stream', 'openai'],
  ['image/png', 'openai'],
  ['text/html', 'html'],
  ['TEXT/HTML; charset=utf-8', 'html'],
  ['application/xhtml+xml', 'html'],
  // Chrome, Firefox, curl -H 'Accept: text/html,*/*'.
  ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', 'html'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
  ['text/html, */*', 'html'],
  // jQuery asking for JSON.
  ['application/json, text/javascript, */*; q=0.01', 'openai'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/problem+xml', 'xml'],
  ['application/xml, application/json', 'openai'],
  ['application/xml, application/json;q=0.9', 'xml'],
  ['application/json;q=0.5, text/html;q=0.4', 'openai'],
  ['application/json;q=0.4, text/html;q=0.5', 'html'],
  ['text/plain', 'text'],
  ['text/*', 'text'],
  ['text/html;q=0, */*', 'openai'],
  ['application/json;q=0, */*', 'text'],
  ['application/json;q=0, application/problem+json, */*;q=0.5', 'openai'],
  ['*/*;q=0', 'openai'],
  ['application/json;q=nonsense, text/plain', 'text'],
])('C402-10: Accept %s gives %s', (accept, expected) => {
  expect(chooseForm('openai', accept)).toBe(expected);
});

test('whatever Accept says there is a form, and it is the dialect or another representation', () => {
  fc.assert(
    fc.property(fc.string(), (accept) => {
      expect(['jsonrpc', 'xml', 'html', 'text']).toContain(chooseForm('jsonrpc', accept));
    }),
  );
});
