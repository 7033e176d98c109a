import { expect, test } from 'vitest';

import { compileSentence, renderSentence } from './sentence.ts';

const TEMPLATE = 'Gone[: {used} of {limit}|: {used}]. [Wait until {when}|Ask][ or buy {what}]';

test.each([
  [{}, 'Gone. Ask'],
  [{ used: '7' }, 'Gone: 7. Ask'],
  [{ used: '7', limit: '8', when: 'noon' }, 'Gone: 7 of 8. Wait until noon'],
  [{ limit: '8', what: 'more' }, 'Gone. Ask or buy more'],
  [{ used: '', what: undefined }, 'Gone. Ask'],
])('words %j give "%s"', (words, expected) => {
  const found: Readonly<Record<string, string | undefined>> = words;
  expect(renderSentence(compileSentence(TEMPLATE), (name) => found[name])).toBe(expected);
});

test('words are put in as they are, never read as a template', () => {
  const sentence = compileSentence('[{a}] and [{b}]');
  const words: Readonly<Record<string, string>> = { a: '{b}|[c]', b: '$&' };
  expect(renderSentence(sentence, (name) => words[name])).toBe('{b}|[c] and $&');
});

test.each([
  ['is it "a"?', 'Wrong: is it "a"? Go on'],
  ['no!', 'Wrong: no! Go on'],
  ['/cut...', 'Wrong: /cut... Go on'],
  ['it is a', 'Wrong: it is a. Go on'],
])('a word that ends a sentence is not ended again: %s', (word, expected) => {
  expect(renderSentence(compileSentence('Wrong[: {a}]. Go on'), () => word)).toBe(expected);
});

test.each([
  'a {word} outside a bracket',
  'a | outside a bracket',
  'a bracket [that is not closed',
  'a closing bracket] alone',
  'a [malformed {Word}]',
  'a [{nested [bracket]}]',
])('refuses the template "%s"', (template) => {
  expect(() => compileSentence(template)).toThrow(template);
});
