import { describe, expect, it } from 'vitest';

import { AT } from '../../test/support/build-catalog.ts';
import {
  BALANCE,
  REQUESTS,
  OUTCOME,
  facts,
  refused,
  short,
  LARGE,
  noCredit,
  quotaUsedUp,
  budgetUsedUp,
  tokensUsedUp,
  view,
} from '../../test/support/explained-facts.ts';
import type { Facts } from './facts.ts';

describe('the verdict is one sentence with the numbers of the decision', () => {
  it.each<[string, string, Facts]>([
    ['served', 'Charged 0.005208 USD for 1,204 input and 350 output tokens.', facts()],
    [
      'a flat price',
      'Charged 0.0010 USD for one request.',
      facts({
        outcome: {
          ...OUTCOME,
          inputTokens: 0,
          outputTokens: 0,
          costNano: 1_000_000,
          model: undefined,
        },
      }),
    ],
    [
      'embeddings',
      'Charged 0.0024 USD for 1 input token.',
      facts({ outcome: { ...OUTCOME, inputTokens: 1, outputTokens: 0, costNano: 2_400_000 } }),
    ],
    [
      'an overrun is not charged',
      'Charged 0.0050 USD for 1,204 input and 350 output tokens.',
      facts({ outcome: { ...OUTCOME, overrunNano: 208_000 } }),
    ],
    [
      'free of charge',
      'Served without a charge: one request.',
      facts({ limits: [], outcome: { ...OUTCOME, costNano: 0, inputTokens: 0, outputTokens: 0 } }),
    ],
    [
      'an upstream error passed on',
      'Nothing was charged: the upstream answered 422.',
      facts({ outcome: { ...OUTCOME, status: 422, costNano: 0 } }),
    ],
    [
      'INSUFFICIENT_CREDITS',
      'Refused: this call could cost up to 0.0420 USD and the available balance is 0.0031 USD.',
      noCredit,
    ],
    [
      'INSUFFICIENT_CREDITS while money is held',
      'Refused: this call could cost up to 0.0420 USD and the available balance is 0.0031 USD, because calls that still run hold 0.0900 USD.',
      refused(402, 'INSUFFICIENT_CREDITS', {
        limits: [REQUESTS, { ...BALANCE, spent: 6_900_000, reserved: 90_000_000 }],
        reservation: short({ cause: 'held', held: 90_000_000 }),
      }),
    ],
    ['FREE_TIER_EXHAUSTED', 'Refused: this account used 100 of 100 requests a month.', quotaUsedUp],
    [
      'SPENDING_LIMIT_REACHED',
      'Refused: this key used 0.9900 USD of 1.00 USD in total and this call could take up to 0.0420 USD.',
      budgetUsedUp,
    ],
    [
      'TOKEN_QUOTA_EXCEEDED',
      'Refused: this account used 9,000 of 10,000 tokens a day and this call could take up to 4,096 tokens.',
      tokensUsedUp,
    ],
    [
      'MODEL_NOT_IN_PLAN',
      'Refused: the model large is not part of the plan Free.',
      refused(402, 'MODEL_NOT_IN_PLAN', { entitlements: [LARGE] }),
    ],
    [
      'FEATURE_NOT_AVAILABLE',
      'Refused: the feature vision is not part of the plan Free.',
      refused(403, 'FEATURE_NOT_AVAILABLE', {
        entitlements: [{ kind: 'feature', id: 'vision', granted: false }],
      }),
    ],
    [
      'BILLING_UNAVAILABLE',
      'Refused: the gateway could not check the money at that moment, which is not your fault.',
      refused(503, 'BILLING_UNAVAILABLE', { reservation: short({ cause: 'stranded' }) }),
    ],
    [
      'RATE_LIMITED',
      'Refused: too many requests.',
      refused(429, 'RATE_LIMITED', {
        reservation: { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 200 },
      }),
    ],
    [
      'PAYMENT_RETRY_STORM',
      'Refused: repeated too often after a 402.',
      refused(429, 'PAYMENT_RETRY_STORM', {
        storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 30_000 },
      }),
    ],
    [
      'KEY_REVOKED',
      'Refused: API key revoked.',
      refused(401, 'KEY_REVOKED', {
        identity: { kind: 'refused', code: 'KEY_REVOKED', since: AT },
      }),
    ],
    [
      'INVALID_REQUEST',
      'Refused: must be a number.',
      refused(400, 'INVALID_REQUEST', {
        understanding: {
          code: 'INVALID_REQUEST',
          problem: 'Must be a number.',
          pointer: '/temperature',
        },
      }),
    ],
    [
      'ROUTE_NOT_FOUND',
      'Refused: no route answers GET /nowhere.',
      refused(404, 'ROUTE_NOT_FOUND', {
        routing: {
          code: 'ROUTE_NOT_FOUND',
          problem: 'no route answers GET /nowhere',
          pointer: undefined,
        },
      }),
    ],
    [
      'UPSTREAM_TIMEOUT',
      'Failed: the upstream took too long. Nothing was charged.',
      refused(504, 'UPSTREAM_TIMEOUT', {
        reservation: { kind: 'held' },
        forwarding: {
          code: 'UPSTREAM_TIMEOUT',
          problem: 'no answer within 30 s',
          pointer: undefined,
        },
      }),
    ],
    [
      'a stream that ends with the provider out of money',
      'Failed: the upstream has no quota left for us. Charged 0.005208 USD for 1,204 input and 350 output tokens.',
      facts({
        forwarding: {
          code: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
          problem: 'the upstream answered 200 for its own billing reasons',
          pointer: undefined,
        },
        outcome: { ...OUTCOME, ending: 'cut', code: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED' },
      }),
    ],
    [
      'a stream that is cut for want of money',
      'Refused: this call could cost up to 0.0420 USD and the available balance is 0.0031 USD. Charged 0.005208 USD for 1,204 input and 350 output tokens.',
      { ...noCredit, outcome: { ...OUTCOME, ending: 'cut', code: 'INSUFFICIENT_CREDITS' } },
    ],
    ['no outcome yet', 'Admitted: the request is still running.', facts({ outcome: undefined })],
  ])('%s', (_title, verdict, each) => {
    expect(view(each).verdict).toBe(verdict);
  });
});

it('speaks of leases of other gateways nowhere: they are neither held nor missing', () => {
  const passed = view(facts({ limits: [{ ...REQUESTS, spent: 41, reserved: 32 }] }));
  expect(passed.trace.map(({ text }) => text)).toContain(
    'Limit requests_month of this account: 41 of 100 requests a month used; the call needs 1 request.',
  );
});

it('is the same from the log row as from memory', () => {
  for (const each of [facts(), noCredit, quotaUsedUp]) {
    const row: Facts = JSON.parse(JSON.stringify(each));
    expect(view(row)).toEqual(view(each));
  }
});
