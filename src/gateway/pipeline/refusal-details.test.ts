import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildBalance,
  buildCatalog,
  buildLimit,
  buildPlan,
  buildQuota,
  buildRateLimit,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { describeFacts } from '../../../test/support/describe-facts.ts';
import type { Code } from '../../contract/codes.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import type { Facts, ReservationFact } from '../../domain/facts.ts';
import type { Exchange } from './exchange.ts';
import { omitUndefined } from './refusal-description.ts';

const FREE = buildPlan('free', {
  limits: [buildLimit(10)],
  rateLimits: [
    buildRateLimit({ scope: 'key', burst: 5 }),
    buildRateLimit({ id: 'odd', count: 2, periodMs: 2500, burst: 2 }),
  ],
});
const PRO = buildPlan('pro', {
  title: 'Pro',
  priceNano: 29_000_000_000n,
  models: ['*'],
  limits: [buildLimit(1000)],
});
const CATALOG = buildCatalog([FREE, PRO], {
  packs: [{ id: 'small', title: 'Small', priceNano: 5_000_000_000n, creditNano: 5_000_000_000n }],
  retryStormPerMinute: 2000,
});

const TIGHT = {
  contextTiers: [{ tokensMax: 9000, priceMultiplierPermille: 1000 }],
  fileBytesMax: 9000,
};
/** A tight plan, a roomy one beside it, and courses that are sold by themselves. */
const SHOP = buildCatalog(
  [buildPlan('free', TIGHT), buildPlan('roomy', { title: 'Roomy', priceNano: 1n })],
  {
    addOns: [
      {
        id: 'courses',
        title: 'Courses',
        priceNano: 9_000_000_000n,
        interval: 'once',
        grants: {
          features: [],
          models: [],
          purchases: ['course-*'],
          limits: [],
          rateLimits: [],
          contextTokensMax: undefined,
          fileBytesMax: undefined,
        },
      },
    ],
  },
);

function detailsOf(
  members: Partial<Facts>,
  payUrl?: string,
  change: (exchange: Exchange) => void = () => undefined,
): ProblemDetails {
  return describeFacts(members, { catalog: CATALOG, payUrl, change });
}

const short = (
  members: Partial<Extract<ReservationFact, { kind: 'short' }>> = {},
): ReservationFact => ({
  kind: 'short',
  index: 0,
  cause: 'gone',
  held: 0,
  affordableOutputTokens: undefined,
  ...members,
});

describe('details of a 402 (C402-06, C402-07)', () => {
  it('a used-up quota: the limit, its numbers and what would lift it', () => {
    const limits = [buildQuota(buildLimit(10), { spent: 10 })];
    expect(detailsOf({ limits, reservation: short() }, 'http://localhost:4020/pay/pl_x')).toEqual({
      current_plan: 'free',
      exceeded_limit_type: 'requests_per_month',
      limit_id: 'requests_per_month',
      scope: 'tenant',
      unit: 'requests',
      window: 'month',
      current_usage: 10,
      allowed_usage: 10,
      remaining: 0,
      needed: 1,
      upgrade_options: [
        {
          kind: 'plan',
          id: 'pro',
          title: 'Pro',
          price: '29.00 USD/month',
          url: 'http://localhost:4020/pay/pl_x?plan=pro',
        },
      ],
    });
  });

  it('missing credit: amounts in the asset, what is free, and the output that would still fit', () => {
    const limits = [
      buildBalance({ need: 50_000_000, allowance: 1_000_000_000, spent: 990_000_000 }),
    ];
    const found = detailsOf({
      limits,
      reservation: short({ held: 4_000_000, affordableOutputTokens: 12 }),
    });
    expect(found).toEqual({
      current_plan: 'free',
      exceeded_limit_type: 'credits',
      scope: 'tenant',
      unit: 'USD',
      current_usage: '0.9900 USD',
      allowed_usage: '1.00 USD',
      remaining: '0.0100 USD',
      needed: '0.0500 USD',
      available: '0.0060 USD',
      affordable_max_tokens: 12,
      upgrade_options: [
        {
          kind: 'pack',
          id: 'small',
          title: 'Small',
          price: '5.00 USD',
          url: 'http://localhost:4020',
        },
      ],
    });
  });

  it('DESIGN 5: what open holds have is told when it is what is missing', () => {
    const limits = [buildBalance({ need: 5, allowance: 9, spent: 2 })];
    expect(detailsOf({ limits, reservation: short({ cause: 'held', held: 6 }) })).toMatchObject({
      remaining: '0.000000007 USD',
      available: '0.000000001 USD',
      held: '0.000000006 USD',
    });
  });

  it('a spending limit is in money, in what remains of a shrunken plan never below nothing', () => {
    const limit = buildLimit(5, { id: 'spend_per_day', unit: 'spend', window: 'day' });
    const limits = [buildQuota(limit, { spent: 9 })];
    expect(detailsOf({ limits, reservation: short() })).toMatchObject({
      exceeded_limit_type: 'spend_per_day',
      unit: 'USD',
      remaining: '0.0000 USD',
      current_usage: '0.000000009 USD',
    });
  });

  it('a model of a bigger plan: what is missing and the plan that has it', () => {
    const entitlements = [{ kind: 'model', id: 'large', granted: false }] as const;
    expect(detailsOf({ entitlements })).toMatchObject({
      current_plan: 'free',
      model: 'large',
      exceeded_limit_type: 'model',
      required_plan: 'Pro',
      upgrade_options: [{ kind: 'plan', id: 'pro' }],
    });
  });

  it('PLAN-05: a single purchase has its price, and what grants it is named', () => {
    const entitlements = [{ kind: 'purchase', id: 'course-7', granted: false }] as const;
    expect(describeFacts({ entitlements }, { catalog: SHOP })).toMatchObject({
      resource: 'course-7',
      exceeded_limit_type: 'purchase',
      required_plan: 'Courses',
      price: '9.00 USD',
      upgrade_options: [{ kind: 'add_on', id: 'courses', title: 'Courses', price: '9.00 USD' }],
    });
  });

  it('LLM-09, PLAN-06: what is too large, with both numbers in its unit', () => {
    const sizes = { granted: false, needed: 50_000, allowed: 9000, id: 'plan' } as const;
    const tooLong = { entitlements: [{ kind: 'context', ...sizes }] } as const;
    expect(describeFacts(tooLong, { catalog: SHOP })).toMatchObject({
      exceeded_limit_type: 'context',
      unit: 'tokens',
      needed: 50_000,
      allowed_usage: 9000,
      required_plan: 'Roomy',
    });
    const tooLarge = { entitlements: [{ kind: 'file_size', ...sizes }] } as const;
    expect(describeFacts(tooLarge, { catalog: SHOP })).toMatchObject({
      exceeded_limit_type: 'file_size',
      unit: 'bytes',
      needed: 50_000,
      allowed_bytes: 9000,
      required_plan: 'Roomy',
    });
  });

  it('a feature that nothing on sale has names no plan and offers nothing: it is a 403', () => {
    const entitlements = [{ kind: 'feature', id: 'reports', granted: false }] as const;
    expect(detailsOf({ entitlements })).toEqual({
      current_plan: 'free',
      feature: 'reports',
      exceeded_limit_type: 'feature',
    });
  });
});

describe('details of a 403 (GW-14, KEY-02, KEY-04)', () => {
  const forbidden = (code: Code, pointer?: string) =>
    ({ authorization: { code, problem: 'no', pointer } }) as const;
  const noted = (exchange: Exchange): void => {
    exchange.address = '203.0.113.7';
    exchange.api = buildApi({ environment: 'live' });
    exchange.route = buildRoute({ role: 'editor' });
  };

  it.each<[Code, string | undefined, ProblemDetails]>([
    ['KEY_PERMISSION_DENIED', 'model:large', { permission: 'model:large' }],
    ['KEY_ADDRESS_NOT_ALLOWED', undefined, { address: '203.0.113.7' }],
    ['KEY_ENVIRONMENT_MISMATCH', undefined, { key_environment: 'test', environment: 'live' }],
    ['FORBIDDEN_ROLE', undefined, { required_role: 'editor' }],
    ['FORBIDDEN_POLICY', undefined, { policy: 'addresses', address: '203.0.113.7' }],
    ['ACCOUNT_SUSPENDED', undefined, {}],
    ['ACCOUNT_UNVERIFIED', undefined, {}],
  ])('%s', (code, permission, details) => {
    expect(detailsOf(forbidden(code, permission), undefined, noted)).toEqual({
      current_plan: 'free',
      ...details,
    });
  });

  it('says nothing of what else was wrong', () => {
    const understanding = { code: 'INVALID_REQUEST', problem: 'no', pointer: '/a' } as const;
    const both = { ...forbidden('ACCOUNT_SUSPENDED'), understanding };
    expect(detailsOf(both, undefined, noted)).toEqual({ current_plan: 'free' });
  });
});

describe('details of other refusals', () => {
  it.each<[string, Partial<Facts>, ProblemDetails]>([
    [
      'a minute limit',
      { reservation: { kind: 'limited', rateLimitId: 'rate_per_minute', retryAfterMs: 1 } },
      {
        current_plan: 'free',
        limit_id: 'rate_per_minute',
        scope: 'key',
        unit: 'requests',
        exceeded_limit_type: 'requests_per_minute',
        current_usage: 60,
        allowed_usage: 60,
        remaining: 0,
        window: 'minute',
      },
    ],
    [
      'a limit of an odd period',
      { reservation: { kind: 'limited', rateLimitId: 'odd', retryAfterMs: 1 } },
      {
        current_plan: 'free',
        limit_id: 'odd',
        scope: 'tenant',
        unit: 'requests',
        exceeded_limit_type: 'requests_per_2.5_seconds',
        current_usage: 2,
        allowed_usage: 2,
        remaining: 0,
        window: '2.5 seconds',
      },
    ],
    [
      'a limit that the plan no longer has',
      { reservation: { kind: 'limited', rateLimitId: 'gone', retryAfterMs: 1 } },
      { current_plan: 'free' },
    ],
    [
      'a storm',
      { storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 1 } },
      {
        current_plan: 'free',
        cause: 'INSUFFICIENT_CREDITS',
        allowed_usage: 2000,
        window: 'minute',
      },
    ],
    [
      'a revoked key',
      { identity: { kind: 'refused', code: 'KEY_REVOKED', since: AT } },
      { revoked_at: '2027-01-15T08:00:00.000Z' },
    ],
    [
      'an expired key',
      { identity: { kind: 'refused', code: 'KEY_EXPIRED', since: AT } },
      { expired_at: '2027-01-15T08:00:00.000Z' },
    ],
    [
      'an unknown key',
      { identity: { kind: 'refused', code: 'KEY_UNKNOWN', since: undefined } },
      {},
    ],
    [
      'a wrong body',
      { understanding: { code: 'INVALID_REQUEST', problem: 'no messages', pointer: '/messages' } },
      {
        current_plan: 'free',
        method: 'POST',
        path: '/v1/chat/completions',
        reason: 'no messages',
        pointer: '/messages',
      },
    ],
    [
      'a wrong method',
      {
        routing: { code: 'METHOD_NOT_ALLOWED', problem: 'no', pointer: undefined },
        identity: { kind: 'anonymous' },
      },
      {
        method: 'POST',
        path: '/v1/chat/completions',
        reason: 'no',
        allowed_methods: ['GET', 'PUT'],
      },
    ],
    [
      'an unknown model',
      { understanding: { code: 'MODEL_NOT_FOUND', problem: 'no', pointer: '/model' } },
      {
        current_plan: 'free',
        method: 'POST',
        path: '/v1/chat/completions',
        reason: 'no',
        pointer: '/model',
        model: 'gone',
      },
    ],
    [
      'a silent store',
      { limits: [buildBalance()], reservation: short({ cause: 'unavailable' }) },
      { current_plan: 'free' },
    ],
  ])('%s', (_what, facts, details) => {
    expect(detailsOf(facts)).toEqual(details);
  });
});

it('omitUndefined keeps what is there, zero and empty included', () => {
  const members = { zero: 0, empty: '', no: false, nothing: null, gone: undefined };
  expect(Object.keys(omitUndefined(members))).toEqual(['zero', 'empty', 'no', 'nothing']);
});

describe('the number that a code turns on', () => {
  const fault = (code: 'BODY_TOO_LARGE' | 'CONTEXT_LENGTH_EXCEEDED' | 'UPSTREAM_TIMEOUT') => ({
    code,
    problem: 'too much',
    pointer: undefined,
  });
  const route = buildRoute({
    bodyBytesMax: 100,
    timeouts: { connectMs: 1, headersMs: 1500, idleMs: 1 },
  });

  it('the bound of the body', () => {
    const facts = { understanding: fault('BODY_TOO_LARGE') };
    const found = detailsOf(facts, undefined, (exchange) => (exchange.route = route));
    expect(found).toMatchObject({ allowed_bytes: 100, reason: 'too much' });
    expect(detailsOf(facts)).not.toHaveProperty('allowed_bytes');
  });

  it('the tokens that do not fit the model', () => {
    const facts = { understanding: fault('CONTEXT_LENGTH_EXCEEDED') };
    const found = detailsOf(facts, undefined, (exchange) => {
      exchange.window = { needed: 9000, allowed: 8192 };
    });
    expect(found).toMatchObject({ model: 'gone', needed: 9000, allowed_usage: 8192 });
    expect(detailsOf(facts)).not.toHaveProperty('needed');
  });

  it('how long the upstream was waited for, in whole seconds', () => {
    const facts = { forwarding: fault('UPSTREAM_TIMEOUT') };
    const found = detailsOf(facts, undefined, (exchange) => (exchange.route = route));
    expect(found).toMatchObject({ timeout_seconds: 2 });
    expect(detailsOf(facts)).not.toHaveProperty('timeout_seconds');
  });
});
