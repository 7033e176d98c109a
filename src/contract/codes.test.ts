import { expect, test } from 'vitest';

import { isRetryable, OTHER_ACTIONS, PAYMENT_ACTIONS, STATUS_FAMILIES } from './code-row.ts';
import type { Action, CodeRow } from './code-row.ts';
import { CODES, isCode } from './codes.ts';
import { WORDS } from './problem-words.ts';

const ROWS: readonly [string, CodeRow][] = Object.entries(CODES);
const PAYMENT: readonly Action[] = PAYMENT_ACTIONS;
const ALL: readonly Action[] = [...PAYMENT_ACTIONS, ...OTHER_ACTIONS];

test('C402-05: the list of actions that lift a 402 is closed', () => {
  expect(PAYMENT_ACTIONS).toEqual([
    'renew_subscription',
    'update_payment_method',
    'add_payment_method',
    'verify_payment_method',
    'upgrade_plan',
    'buy_credits',
    'pay_invoice',
    'authorize_overage',
    'raise_spending_limit',
    'wait_for_reset',
    'wait_for_slot',
    'pay_challenge',
    'contact_admin',
    'contact_support',
  ]);
});

test.each(ROWS)('C402-01, C402-19: %s is 402 exactly if its cause is financial', (_code, row) => {
  expect(row.status === 402).toBe(row.financial);
});

test.each(ROWS)('C402-05: %s has an action, and a 402 one of the closed list', (_code, row) => {
  expect(row.actions.length).toBeGreaterThan(0);
  const allowed = row.financial ? PAYMENT : ALL;
  expect(row.actions.filter((action) => !allowed.includes(action))).toEqual([]);
});

test.each(ROWS)('%s ends its actions with one that is always possible', (_code, row) => {
  const conditional: readonly Action[] = ['upgrade_plan', 'buy_credits', 'pay_challenge'];
  expect(conditional).not.toContain(row.actions.at(-1));
});

test('C402-21: no 402 is retryable as a rule, but one that ends when a call does', () => {
  const retryable = ROWS.filter(([, row]) => row.financial && isRetryable(row.retryKind));
  expect(retryable.map(([code]) => code)).toEqual(['CONCURRENCY_LIMIT_EXCEEDED']);
});

test.each(ROWS)('C402-02: the name %s is UPPER_SNAKE and its title a short phrase', (code, row) => {
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  expect(row.title).toMatch(/^[A-Z].{7,60}[^.]$/);
  expect(row.title).not.toContain('Payment Required');
});

test.each(ROWS)('every word in the sentence of %s exists', (_code, row) => {
  const used = [...row.sentence.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  expect(used.filter((word) => !Object.hasOwn(WORDS, word))).toEqual([]);
});

test('C402-13: a 401 for a credential that was sent says invalid_token, one for none does not', () => {
  const sent = ROWS.filter(([, row]) => row.bearerError !== undefined).map(([code]) => code);
  expect(sent.toSorted()).toEqual([
    'ADMIN_TOKEN_INVALID',
    'KEY_EXPIRED',
    'KEY_REVOKED',
    'KEY_UNKNOWN',
  ]);
  for (const code of sent) expect(isCode(code) && CODES[code].status).toBe(401);
});

test('every status of the registry has a family, and every family is in use', () => {
  const used = new Set(ROWS.map(([, row]) => String(row.status)));
  expect([...used].toSorted()).toEqual(Object.keys(STATUS_FAMILIES).toSorted());
});

test('the registry cannot be changed at run time', () => {
  expect(Object.isFrozen(CODES)).toBe(true);
  expect(Object.values(CODES).every((row) => Object.isFrozen(row))).toBe(true);
});

test.each([
  ['KEY_MISSING', true],
  ['toString', false],
  ['', false],
])('isCode(%s) is %s', (text, expected) => {
  expect(isCode(text)).toBe(expected);
});
