import { describe, expect, it } from 'vitest';

import { AT } from '../../test/support/build-catalog.ts';
import {
  RESET,
  LABEL,
  REQUESTS,
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

const actions = (each: Facts) => view(each).fixes.map(({ action }) => action);

describe('what fixes it comes in order of effort', () => {
  it.each<[string, Facts, readonly string[]]>([
    ['served', facts(), []],
    ['INSUFFICIENT_CREDITS', noCredit, ['buy_credits', 'contact_admin']],
    ['a quota', quotaUsedUp, ['wait_for_reset', 'upgrade_plan', 'contact_admin']],
    ['a key budget', budgetUsedUp, ['raise_spending_limit', 'contact_admin']],
    [
      'a smaller call',
      tokensUsedUp,
      ['wait_for_reset', 'lower_max_tokens', 'upgrade_plan', 'contact_admin'],
    ],
    [
      'a model',
      refused(402, 'MODEL_NOT_IN_PLAN', { entitlements: [LARGE] }),
      ['use_another_model', 'upgrade_plan', 'contact_admin'],
    ],
    [
      'a key',
      refused(401, 'KEY_MISSING', {
        identity: { kind: 'refused', code: 'KEY_MISSING', since: undefined },
      }),
      ['authenticate'],
    ],
    [
      'an upstream',
      refused(502, 'UPSTREAM_FAILED', {
        reservation: { kind: 'held' },
        forwarding: { code: 'UPSTREAM_FAILED', problem: 'reset', pointer: undefined },
      }),
      ['retry_later', 'contact_support'],
    ],
  ])('%s', (_title, each, expected) => {
    expect(actions(each)).toEqual(expected);
  });

  it('names amounts, the member that is wrong, and what to buy', () => {
    const texts = [...view(noCredit).fixes, ...view(tokensUsedUp).fixes].map(({ text }) => text);
    expect(texts).toContain('Add 5.00 USD of credit for 5.00 USD: Small.');
    expect(texts).toContain('Lower max_tokens to 900 or less.');
    expect(texts).toContain('Wait until <86400000 ms later>.');
    const fault = { code: 'INVALID_REQUEST', problem: 'must be a number', pointer: '/n' } as const;
    expect(view(refused(400, 'INVALID_REQUEST', { understanding: fault })).fixes[0]?.text).toBe(
      'Correct the request (/n) and send it again.',
    );
    expect(view(noCredit).fixes[0]?.offer).toEqual({ kind: 'pack', id: 'small' });
  });
});

/** Its window opens again, and refuses it again. */
const neverFits = refused(402, 'TOKEN_QUOTA_EXCEEDED', {
  limits: tokensUsedUp.limits.map((limit) => ({ ...limit, need: 10_001 })),
  reservation: short({ index: 0 }),
});

it('C402-21: nobody is told to wait for what never fits', () => {
  expect(view(tokensUsedUp).fixes.map(({ action }) => action)).toContain('wait_for_reset');
  expect(view(neverFits).fixes.map(({ action }) => action)).not.toContain('wait_for_reset');
});

describe('C402-21: will retrying help', () => {
  it.each<[string, Facts, boolean, number | undefined]>([
    ['INSUFFICIENT_CREDITS', noCredit, false, undefined],
    ['a quota that resets', quotaUsedUp, true, RESET],
    ['a lifetime budget', budgetUsedUp, false, undefined],
    ['more than the limit ever allows', neverFits, false, undefined],
    [
      'held by running calls',
      refused(402, 'INSUFFICIENT_CREDITS', { reservation: short({ cause: 'held' }) }),
      true,
      AT + 1000,
    ],
    [
      'too fast',
      refused(429, 'RATE_LIMITED', {
        reservation: { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 200 },
      }),
      true,
      AT + 200,
    ],
  ])('%s', (_title, each, helps, from) => {
    expect(view(each).retry).toMatchObject({ helps, from });
  });

  it('of a limit that slides it is when enough is free, which is not when all of it is', () => {
    const pace = { ...REQUESTS, label: { ...LABEL, id: 'pace', window: 'sliding_hour' as const } };
    const short = refused(402, 'REQUEST_QUOTA_EXCEEDED', { limits: [pace] });
    const { retry, trace } = view(short);
    expect(retry).toMatchObject({
      from: RESET,
      text: expect.stringMatching(/^Not before .*, when the limit is free enough again\.$/),
    });
    expect(trace.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('Limit pace of this account: 100 of 100 requests in any hour used'),
    );
  });

  it('does not ask the question of an answer that was served', () => {
    expect(view(facts()).retry).toBeUndefined();
  });
});
