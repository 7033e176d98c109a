import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Code, CODES } from '../contract/codes.ts';
import {
  AT,
  buildBalance,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  buildQuota,
} from '../../test/support/build-catalog.ts';
import { someFacts } from '../../test/support/some-facts.ts';
import { decide, isShort, type StepName, traceDecision } from './decide.ts';
import type { Facts, LimitFact, ReservationFact } from './facts.ts';

const faultOf = (code: Code) => ({ code, problem: 'wrong', pointer: undefined });
const short = (index: number, cause: 'gone' | 'held' | 'stranded' | 'unavailable') =>
  ({ kind: 'short', index, cause, held: 0, affordableOutputTokens: undefined }) as const;

/** One reason of every step, each of which would refuse by itself. */
const REASONS: readonly (readonly [StepName, Partial<Facts>, Code])[] = [
  ['route', { routing: faultOf('ROUTE_NOT_FOUND') }, 'ROUTE_NOT_FOUND'],
  ['identify', { identity: { kind: 'refused', code: 'KEY_REVOKED', since: AT } }, 'KEY_REVOKED'],
  ['understand', { understanding: faultOf('INVALID_REQUEST') }, 'INVALID_REQUEST'],
  ['storm', { storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 5 } }, 'PAYMENT_RETRY_STORM'],
  [
    'entitle',
    { entitlements: [{ kind: 'model', id: 'large', granted: false }] },
    'MODEL_NOT_IN_PLAN',
  ],
  ['reserve', { limits: [buildBalance()], reservation: short(0, 'gone') }, 'INSUFFICIENT_CREDITS'],
  ['forward', { forwarding: faultOf('UPSTREAM_FAILED') }, 'UPSTREAM_FAILED'],
];
const STEPS = REASONS.map(([step]) => step);

describe('decide', () => {
  it('admits a request that nothing speaks against', () => {
    expect(decide(buildFacts())).toEqual({ kind: 'admit' });
    expect(decide(buildFacts({ identity: { kind: 'anonymous' } }))).toEqual({ kind: 'admit' });
    expect(decide(buildFacts({ reservation: { kind: 'held' } }))).toEqual({ kind: 'admit' });
  });

  it.each(REASONS)('%s refuses by itself', (step, reason, code) => {
    expect(decide(buildFacts(reason))).toMatchObject({ kind: 'refuse', step, code });
  });

  it.each(REASONS.map(([step, , code], position) => [step, position, code] as const))(
    'GW-02: %s decides when it and everything after it would refuse',
    (step, position, code) => {
      const reasons = REASONS.slice(position).map(([, reason]) => reason);
      const facts = buildFacts(Object.assign({}, ...reasons));
      expect(decide(facts)).toMatchObject({ kind: 'refuse', step, code });
      expect(traceDecision(facts).map(({ verdict }) => verdict)).toEqual(
        REASONS.map((_, each) =>
          each < position ? 'passed' : each === position ? 'refused' : 'not reached',
        ),
      );
    },
  );

  it('a missing feature and the first of two missing entitlements is named', () => {
    const entitlements = [
      { kind: 'model', id: 'small', granted: true },
      { kind: 'feature', id: 'reports', granted: false },
      { kind: 'model', id: 'large', granted: false },
    ] as const;
    expect(decide(buildFacts({ entitlements }))).toMatchObject({
      code: 'FEATURE_NOT_IN_PLAN',
      entitlement: { id: 'reports' },
    });
  });

  const tokens = buildLimit(10, { id: 'tokens_per_day', unit: 'tokens', window: 'day' });
  const spend = buildLimit(10, { id: 'spend_per_day', unit: 'spend', window: 'day' });
  it.each<[string, LimitFact, number, Code]>([
    ['credit', buildBalance(), 0, 'INSUFFICIENT_CREDITS'],
    ['a request quota', buildQuota(buildLimit(10)), 1, 'REQUEST_QUOTA_EXCEEDED'],
    ['a request quota of the free tier', buildQuota(buildLimit(10)), 0, 'FREE_TIER_EXHAUSTED'],
    ['a token quota, free or not', buildQuota(tokens), 0, 'TOKEN_QUOTA_EXCEEDED'],
    ['a spending limit, free or not', buildQuota(spend), 0, 'SPENDING_LIMIT_REACHED'],
  ])('QUOTA-06: short of %s', (_what, limit, planPrice, code) => {
    const identity = buildIdentity(buildPlan('p', { priceNano: BigInt(planPrice) }));
    const found = decide(buildFacts({ identity, limits: [limit], reservation: short(0, 'gone') }));
    expect(found).toMatchObject({ step: 'reserve', code, limit, transient: false });
    const anonymous = { kind: 'anonymous' } as const;
    const expected = code === 'FREE_TIER_EXHAUSTED' ? 'REQUEST_QUOTA_EXCEEDED' : code;
    expect(
      decide(buildFacts({ identity: anonymous, limits: [limit], reservation: short(0, 'gone') })),
    ).toMatchObject({ code: expected });
  });

  it.each<[string, ReservationFact, Code, { transient: boolean; retryAfterMs?: number }]>([
    [
      'under open holds',
      short(0, 'held'),
      'INSUFFICIENT_CREDITS',
      { transient: true, retryAfterMs: 1000 },
    ],
    [
      'with a dead process',
      short(0, 'stranded'),
      'BILLING_UNAVAILABLE',
      { transient: false, retryAfterMs: 1000 },
    ],
    [
      'unknown: the store is silent',
      short(-1, 'unavailable'),
      'BILLING_UNAVAILABLE',
      { transient: false, retryAfterMs: 1000 },
    ],
    [
      'in an account that the facts do not have',
      short(1, 'gone'),
      'BILLING_UNAVAILABLE',
      { transient: false },
    ],
    [
      'not the matter: too fast',
      { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 42 },
      'RATE_LIMITED',
      { transient: false, retryAfterMs: 42 },
    ],
  ])('DESIGN 5: what is missing is %s', (_what, reservation, code, rest) => {
    const found = decide(buildFacts({ limits: [buildBalance()], reservation }));
    expect(found).toMatchObject({ step: 'reserve', code, ...rest });
  });

  it('a hypothetical request is refused by its numbers: spent and reserved count, the first short limit decides', () => {
    const enough = buildQuota(buildLimit(10), { spent: 5, reserved: 4, need: 1 });
    const lacking = buildBalance({ allowance: 10, spent: 5, reserved: 5, need: 1 });
    expect(decide(buildFacts({ limits: [enough] }))).toEqual({ kind: 'admit' });
    expect(isShort(lacking, { limits: [] })).toBe(true);
    expect(decide(buildFacts({ limits: [enough, lacking] }))).toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
      limit: lacking,
    });
  });

  it('is total, its trace agrees with it, and 402 is said exactly when money is what is missing (C402-01)', () => {
    fc.assert(
      fc.property(someFacts, (facts) => {
        expect(findBrokenLaws(facts)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

/** What should hold of every decision and does not. */
function findBrokenLaws(facts: Facts): readonly string[] {
  const decision = decide(facts);
  const trace = traceDecision(facts);
  const verdicts = trace.map(({ verdict }) => verdict);
  const laws: Record<string, boolean> = {
    'every step is told, in order': trace.map(({ step }) => step).join() === STEPS.join(),
  };
  if (decision.kind === 'admit') {
    laws['all passed'] = verdicts.every((verdict) => verdict === 'passed');
  } else {
    const position = verdicts.indexOf('refused');
    const { status, financial } = CODES[decision.code];
    laws['the refusing step is the one told'] = trace[position]?.step === decision.step;
    laws['with the same refusal'] = isDeepStrictEqual(trace[position]?.refusal, decision);
    laws['passed before'] = verdicts.slice(0, position).every((each) => each === 'passed');
    laws['not reached after'] = verdicts
      .slice(position + 1)
      .every((each) => each === 'not reached');
    laws['402 is financial'] = (status === 402) === financial;
    laws['transient is 402'] = !decision.transient || status === 402;
    laws['a named entitlement is missing'] = decision.entitlement?.granted !== true;
  }
  return Object.keys(laws).filter((law) => laws[law] === false);
}
