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
import { decide, enforced, isShort, type StepName, traceDecision } from './decide.ts';
import type { Limit, LimitUnit } from './catalog.ts';
import type { Facts, LimitFact, ReservationFact } from './facts.ts';
import { standOf } from './standing.ts';
import { PLAIN_TERMS } from './tenant-terms.ts';

const faultOf = (code: Code) => ({ code, problem: 'wrong', pointer: undefined });
const short = (index: number, cause: 'gone' | 'held' | 'stranded' | 'unavailable') =>
  ({ kind: 'short', index, cause, held: 0, affordableOutputTokens: undefined }) as const;

const OWED = { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] };
const OVERDUE = standOf(
  { ...PLAIN_TERMS, payment: OWED },
  { graceDays: 7, degraded: undefined },
  'read',
  AT,
);

/** One reason of every step, each of which would refuse by itself. */
const REASONS: readonly (readonly [StepName, Partial<Facts>, Code])[] = [
  ['route', { routing: faultOf('ROUTE_NOT_FOUND') }, 'ROUTE_NOT_FOUND'],
  ['identify', { identity: { kind: 'refused', code: 'KEY_REVOKED', since: AT } }, 'KEY_REVOKED'],
  ['authorize', { authorization: faultOf('FORBIDDEN_POLICY') }, 'FORBIDDEN_POLICY'],
  ['understand', { understanding: faultOf('INVALID_REQUEST') }, 'INVALID_REQUEST'],
  ['storm', { storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 5 } }, 'PAYMENT_RETRY_STORM'],
  ['stand', { standing: OVERDUE }, 'INVOICE_OVERDUE'],
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

  it.each(REASONS)(
    '%s, observed: only what is about money, entitlements and limits passes (EVID-01)',
    (step, reason, code) => {
      const facts = buildFacts({ ...reason, enforcement: 'observe' });
      const passes = ['stand', 'entitle', 'reserve'].includes(step);
      expect(decide(facts)).toMatchObject(
        passes ? { kind: 'admit' } : { kind: 'refuse', step, code },
      );
      expect(decide(enforced(facts))).toMatchObject({ kind: 'refuse', step, code });
      const line = traceDecision(facts).find((each) => each.step === step);
      expect(line).toMatchObject({ verdict: passes ? 'passed' : 'refused', refusal: { code } });
    },
  );

  it('observed books that do not answer refuse all the same', () => {
    const facts = buildFacts({
      limits: [buildBalance()],
      reservation: short(0, 'unavailable'),
      enforcement: 'observe',
    });
    expect(decide(facts)).toMatchObject({ kind: 'refuse', code: 'BILLING_UNAVAILABLE' });
  });

  it('a limit by address says how long to wait', () => {
    const routing = { ...faultOf('RATE_LIMITED'), retryAfterMs: 250 };
    expect(decide(buildFacts({ routing }))).toMatchObject({ step: 'route', retryAfterMs: 250 });
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
  });

  const UNITS: readonly (readonly [LimitUnit, Code])[] = [
    ['input_tokens', 'TOKEN_QUOTA_EXCEEDED'],
    ['output_tokens', 'TOKEN_QUOTA_EXCEEDED'],
    ['bytes', 'DATA_QUOTA_EXCEEDED'],
    ['bytes_in', 'DATA_QUOTA_EXCEEDED'],
    ['bytes_out', 'DATA_QUOTA_EXCEEDED'],
    ['storage_bytes', 'STORAGE_QUOTA_EXCEEDED'],
    ['compute_units', 'COMPUTE_UNITS_EXHAUSTED'],
    ['compute_ms', 'COMPUTE_UNITS_EXHAUSTED'],
    ['operations', 'OPERATION_LIMIT_REACHED'],
  ];
  it.each(UNITS)('QUOTA-06: %s used up is %s, and 429 when the limit protects', (unit, code) => {
    const limit = buildLimit(5, { id: 'l', unit });
    const shield = { ...limit, class: 'protective' } as const;
    const of = (each: Limit) =>
      decide(buildFacts({ limits: [buildQuota(each)], reservation: short(0, 'gone') }));
    expect(of(limit)).toMatchObject({ code, retryAfterMs: undefined });
    expect(of(shield)).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
  });

  it('an anonymous caller has used up a free allowance', () => {
    const limits = [buildQuota(buildLimit(10))];
    const facts = {
      identity: { kind: 'anonymous' },
      limits,
      reservation: short(0, 'gone'),
    } as const;
    expect(decide(buildFacts(facts))).toMatchObject({ code: 'FREE_TIER_EXHAUSTED' });
  });

  it.each(['key', 'ancestor', 'house'] as const)(
    'PLAN-03: requests that a limit of the %s counts are no free allowance of the plan',
    (from) => {
      const quota = buildQuota(buildLimit(1));
      const limit = { ...quota, label: quota.label && { ...quota.label, from } };
      const identity = buildIdentity(buildPlan('free'));
      const reservation = short(0, 'gone');
      for (const caller of [identity, { kind: 'anonymous' } as const]) {
        const facts = buildFacts({ identity: caller, limits: [limit], reservation });
        expect(decide(facts)).toMatchObject({ code: 'REQUEST_QUOTA_EXCEEDED' });
      }
    },
  );

  it.each([
    ['commercial', 'CONCURRENCY_LIMIT_EXCEEDED'],
    ['protective', 'CONCURRENCY_LIMITED'],
  ] as const)('QUOTA-10: no free slot of a %s cap is %s, held or gone', (limitClass, code) => {
    const slots = buildLimit(5, { id: 's', unit: 'concurrent_requests', class: limitClass });
    for (const cause of ['held', 'gone'] as const) {
      const reservation = short(0, cause);
      const found = decide(buildFacts({ limits: [buildQuota(slots)], reservation }));
      expect(found).toMatchObject({ code, transient: false, retryAfterMs: 1000 });
    }
  });

  it.each<[string, Partial<Limit>, Code, number | undefined]>([
    ['a quota', { unit: 'tokens' }, 'TOKEN_QUOTA_EXCEEDED', undefined],
    ['a spending limit', { unit: 'spend' }, 'SPENDING_LIMIT_REACHED', undefined],
    ['a protective quota', { class: 'protective' }, 'RATE_LIMITED', 86_400_000],
    ['slots', { unit: 'concurrent_requests' }, 'CONCURRENCY_LIMIT_EXCEEDED', 1000],
  ])(
    'C402-21: %s that never allows as much as the call needs is not waited for',
    (_what, members, code, retryAfterMs) => {
      const limit = buildLimit(20, { window: 'day', ...members });
      const resetsAt = AT + 86_400_000;
      const of = (need: number, allowance: number) => {
        const limits = [buildQuota(limit, { need, allowance, resetsAt, spent: 20 })];
        return decide(buildFacts({ limits, reservation: short(0, 'gone') }));
      };
      const never = { code, neverFits: true, resetsAt: undefined, retryAfterMs: undefined };
      expect(of(21, 20)).toMatchObject(never);
      expect(of(1, 0)).toMatchObject(never);
      expect(of(20, 20)).toMatchObject({ code, neverFits: false, resetsAt, retryAfterMs });
    },
  );

  it('C402-21: with the price of what goes beyond an allowance it may never fit a budget', () => {
    const overage = { kind: 'bill', nano: 30 } as const;
    const quota = buildQuota(buildLimit(10), { spent: 10, need: 1, overage });
    const budget = buildQuota(buildLimit(50, { unit: 'spend' }), { need: 21, resetsAt: AT + 1 });
    expect(decide(buildFacts({ limits: [quota, budget] }))).toMatchObject({ neverFits: true });
    const lower = { ...budget, need: 20, spent: 1 };
    expect(decide(buildFacts({ limits: [quota, lower] }))).toMatchObject({ resetsAt: AT + 1 });
  });

  it('what is held does not help a call that never fits', () => {
    const limits = [buildQuota(buildLimit(20, { unit: 'tokens' }), { need: 21 })];
    const found = decide(buildFacts({ limits, reservation: short(0, 'held') }));
    expect(found).toMatchObject({ neverFits: true, transient: false });
  });

  it('QUOTA-09: too fast is 402 where faster is for sale', () => {
    const limited = { kind: 'limited', rateLimitId: 'r', retryAfterMs: 5 } as const;
    expect(decide(buildFacts({ reservation: { ...limited, class: 'commercial' } }))).toMatchObject({
      code: 'RATE_CAPACITY_EXCEEDED',
      retryAfterMs: 5,
    });
    expect(decide(buildFacts({ reservation: limited }))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('402 or 429: of a protective and a commercial limit that are both exceeded the commercial one decides', () => {
    const shield = buildQuota(buildLimit(0, { id: 'shield', class: 'protective' }), { need: 1 });
    const quota = buildQuota(buildLimit(0), { need: 1 });
    expect(decide(buildFacts({ limits: [shield, quota] }))).toMatchObject({ limit: quota });
    expect(decide(buildFacts({ limits: [shield] }))).toMatchObject({ limit: shield });
  });

  it('PLAN-11: what calls under way hold of an allowance is billed too, to money and to nothing else', () => {
    const overage = { kind: 'bill', nano: 7 } as const;
    const quotaWith = (reserved: number) =>
      buildQuota(buildLimit(10), { reserved, need: 1, overage });
    const tokens = buildQuota(buildLimit(5, { unit: 'tokens' }), { need: 5 });
    const admits = (quota: LimitFact, allowance: number) => {
      const balance = buildBalance({ allowance, need: 3 });
      return decide(buildFacts({ limits: [quota, tokens, balance] })).kind === 'admit';
    };
    const [free, held] = [quotaWith(9), quotaWith(10)];
    expect([admits(free, 3), admits(held, 9), admits(held, 10)]).toEqual([true, false, true]);
  });

  it('PLAN-11: what is billed beyond an allowance is the balance to find; what must be allowed first says so', () => {
    const over = (kind: 'bill' | 'authorize') =>
      buildQuota(buildLimit(10), { spent: 10, need: 1, overage: { kind, nano: 7 } });
    const balance = (allowance: number) => buildBalance({ allowance, need: 3 });
    const billed = (allowance: number) =>
      decide(buildFacts({ limits: [over('bill'), balance(allowance)] }));
    expect(billed(10)).toEqual({ kind: 'admit' });
    expect(billed(9)).toMatchObject({ code: 'INSUFFICIENT_CREDITS' });
    expect(decide(buildFacts({ limits: [over('authorize'), balance(99)] }))).toMatchObject({
      code: 'OVERAGE_AUTHORIZATION_REQUIRED',
    });
  });

  it('DEG-01: a degraded service is not refused what its profile leaves', () => {
    const left = { ...OVERDUE, level: 'degraded', stillServed: true } as const;
    expect(decide(buildFacts({ standing: left }))).toEqual({ kind: 'admit' });
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
