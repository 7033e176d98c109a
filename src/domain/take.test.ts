import { expect, it } from 'vitest';

import type { LimitUnit } from './catalog.ts';
import { amountFor, NO_TAKE, type Take, tokensTake, withBytes } from './take.ts';

/** No two sums of its members are the same. */
const TAKE: Take = {
  inputTokens: 1,
  outputTokens: 2,
  bytesIn: 4,
  bytesOut: 8,
  computeUnits: 16,
  computeMs: 32,
  nano: 64,
};
const COUNTED: Readonly<Record<LimitUnit, number>> = {
  requests: 1,
  operations: 1,
  concurrent_requests: 1,
  input_tokens: 1,
  output_tokens: 2,
  tokens: 3,
  bytes_in: 4,
  storage_bytes: 4,
  bytes_out: 8,
  bytes: 12,
  compute_units: 16,
  compute_ms: 32,
  spend: 64,
};

it.each(Object.entries(COUNTED))('QUOTA-01: a limit of %s counts %i of a call', (unit, amount) => {
  expect(amountFor(unit, TAKE)).toBe(amount);
});

it('an asset counts what a call costs', () => {
  expect(amountFor('USD', TAKE)).toBe(64);
});

it('a call to a model takes its tokens and its cost, and then the bytes that passed', () => {
  const take = tokensTake(5, 7, 11);
  expect(take).toEqual({ ...NO_TAKE, inputTokens: 5, outputTokens: 7, nano: 11 });
  expect(withBytes(take, 13, 17)).toEqual({ ...take, bytesIn: 13, bytesOut: 17 });
  expect(new Set(Object.values(NO_TAKE))).toEqual(new Set([0]));
});
