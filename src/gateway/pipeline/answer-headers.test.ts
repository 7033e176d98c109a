import { setImmediate as nextRound } from 'node:timers/promises';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildLimit,
  buildPlan,
  buildRateLimit,
  READ_ONLY,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { buildExchange, type MemoryResponse } from '../../../test/support/memory-exchange.ts';
import type { DegradedProfile } from '../../domain/catalog.ts';
import { formatMoney } from '../../domain/money.ts';
import { standOf } from '../../domain/standing.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import type { AccountNumbers } from '../../stores/store.ts';
import { chargeStage } from '../round.ts';
import { AnonymousAllowance } from './anonymous-allowance.ts';
import {
  buildServedHeaders,
  buildStandingHeaders,
  formatNano,
  readRateLimits,
} from './answer-headers.ts';
import type { Exchange } from './exchange.ts';
import { KeyAccess } from './key-access.ts';

const PLAN = buildPlan('free', { limits: [buildLimit(1000)] });
const QUOTA = 'quo:ten_1:requests_per_month:2027-01';
const BALANCE = 'bal:ten_1:USD';

function exchangeOn(plan = PLAN, terms: TenantTerms = PLAIN_TERMS): Exchange {
  const exchange = buildExchange();
  const found = { ...buildKeyWithTenant(), tenant: buildTenant({ planId: plan.id, terms }) };
  exchange.access = new KeyAccess(found, buildCatalog([plan]), AT);
  exchange.accounts = exchange.access.accounts;
  return exchange;
}

/** An engine that last heard these numbers. */
function engineWith(numbers: Readonly<Record<string, AccountNumbers>>) {
  return {
    peek: ({ id }: { id: string }) => numbers[id],
    peekRate: ({ burst }: { burst: number }) => burst - 3,
  };
}

describe('formatNano', () => {
  it.each([
    [0, '0.0000'],
    [1, '0.000000001'],
    [1_000_000, '0.0010'],
    [999_999_999, '0.999999999'],
    [1_000_000_000, '1.00'],
    [-1_500_000_000, '-1.50'],
    [-1, '-0.000000001'],
  ])('%d nano is %s', (nano, text) => {
    expect(formatNano(nano)).toBe(text);
  });

  it('agrees with formatMoney on every safe integer', () => {
    const nano = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer(),
      fc.integer().map((whole) => whole * 1_000_000),
    );
    fc.assert(
      fc.property(nano, (value) => {
        expect(`${formatNano(value)} USD`).toBe(
          formatMoney({ asset: 'USD', units: BigInt(value) }),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('readRateLimits (QUOTA-08)', () => {
  const resetsAtMs = Date.parse('2027-02-01T00:00:00Z');
  it.each([
    ['open holds do not count', { [QUOTA]: { allowance: 1000, spent: 990, reserved: 10 } }, 10],
    [
      'a shrunken plan leaves nothing, not less',
      { [QUOTA]: { allowance: 5, spent: 9, reserved: 0 } },
      0,
    ],
  ])('%s', (_what, numbers, remaining) => {
    expect(readRateLimits(exchangeOn(), engineWith(numbers))).toMatchObject([
      { remaining, resetsAtMs },
    ]);
  });

  it('of what nobody has asked for lately nothing is told, for it may be used up', () => {
    const rateLimits = [buildRateLimit({})];
    const exchange = exchangeOn(buildPlan('free', { limits: [buildLimit(3)], rateLimits }));
    const engine = { peek: () => undefined, peekRate: () => undefined };
    expect(readRateLimits(exchange, engine)).toEqual([]);
  });

  it('nobody has no limits', () => {
    expect(readRateLimits(buildExchange(), engineWith({}))).toEqual([]);
  });

  it('a slot is taken by whoever holds it, and has no window', () => {
    const slots = buildLimit(5, { id: 'slots', unit: 'concurrent_requests' });
    const numbers = {
      'quo:ten_1:slots.concurrent_requests:now': { allowance: 5, spent: 0, reserved: 2 },
    };
    const exchange = exchangeOn(buildPlan('free', { limits: [slots] }));
    expect(readRateLimits(exchange, engineWith(numbers))).toMatchObject([
      { remaining: 3, resetsAtMs: undefined, policy: { quota: 5 } },
    ]);
  });

  it('a soft limit is what it is set to, and goes no lower than nothing', () => {
    const plan = buildPlan('free', { limits: [buildLimit(10, { soft: true })] });
    const spent = (units: number) =>
      readRateLimits(
        exchangeOn(plan),
        engineWith({ [QUOTA]: { allowance: Number.MAX_SAFE_INTEGER, spent: units, reserved: 0 } }),
      )[0]?.remaining;
    expect([spent(0), spent(4), spent(99)]).toEqual([10, 6, 0]);
  });

  it('PLAN-10: a rate is told too, with the time until it is full again', () => {
    const rateLimits = [buildRateLimit({ count: 60, periodMs: 60_000, burst: 10 })];
    const [reading] = readRateLimits(exchangeOn(buildPlan('free', { rateLimits })), engineWith({}));
    expect(reading).toMatchObject({ remaining: 7, resetsAtMs: AT + 3000 });
    expect(reading?.policy.item).toBe('"rate_per_minute";q=60;w=60;qu="requests"');
    const bigger = [buildRateLimit({ count: 60, periodMs: 500, burst: 600 })];
    const [other] = readRateLimits(
      exchangeOn(buildPlan('free', { rateLimits: bigger })),
      engineWith({}),
    );
    expect(other?.policy.item).toBe('"rate_per_minute";q=600;w=1;qu="requests"');
  });
});

it('every policy has a name of its own, whoever has a limit or rate of the same id', () => {
  const limit = buildLimit(1000);
  const plan = buildPlan('free', { limits: [limit], rateLimits: [buildRateLimit({})] });
  const above = (id: string) =>
    buildTenant({ id, planId: 'free', terms: { ...PLAIN_TERMS, budgetNano: 1 } });
  const found = {
    ...buildKeyWithTenant({ budgetNano: 1, terms: { ...PLAIN_KEY_TERMS, limits: [limit] } }),
    tenant: above('ten_1'),
    ancestors: [above('ten_2'), above('ten_3')],
  };
  const exchange = buildExchange();
  exchange.access = new KeyAccess(found, buildCatalog([plan], { limits: [limit] }), AT);
  exchange.accounts = exchange.access.accounts;
  const numbers = { allowance: 9, spent: 0, reserved: 0 };
  const engine = { peek: () => numbers, peekRate: () => 1 };
  const names = readRateLimits(exchange, engine).map(({ policy }) => policy.quotedName);
  expect(names.toSorted()).toEqual([
    '"key_budget"',
    '"rate_per_minute"',
    '"rate_per_minute.above"',
    '"rate_per_minute.above_2"',
    '"requests_per_month"',
    '"requests_per_month.above"',
    '"requests_per_month.above_2"',
    '"requests_per_month.house"',
    '"requests_per_month.key"',
    '"tenant_budget"',
    '"tenant_budget.above"',
    '"tenant_budget.above_2"',
  ]);
});

describe('a pending payment (SUB-08, DEG-05)', () => {
  const payment = { ...PLAIN_TERMS.payment };
  const standOn = (terms: Partial<TenantTerms>, degraded?: DegradedProfile): string[] => {
    const plan = { graceDays: 7, degraded };
    const exchange = exchangeOn();
    exchange.standing = standOf({ ...PLAIN_TERMS, ...terms }, plan, 'read', AT);
    exchange.degraded = degraded;
    return buildStandingHeaders(exchange);
  };

  it('is warned of with its code and the end of the grace', () => {
    expect(standOn({ payment: { ...payment, failedAt: AT } })).toEqual([
      'X-Billing-Warning',
      'PAYMENT_METHOD_INVALID;grace_ends_at="2027-01-22T08:00:00.000Z"',
    ]);
  });

  it('a reduced service says so', () => {
    expect(standOn({ payment: { ...payment, disputed: true } }, READ_ONLY)).toEqual([
      'X-Service-Level',
      'degraded',
      'X-Billing-Warning',
      'PAYMENT_DISPUTED',
    ]);
  });

  it('DEG-03: the model that answers is named', () => {
    const exchange = exchangeOn();
    exchange.standing = standOf(
      { ...PLAIN_TERMS, payment: { ...payment, disputed: true } },
      { graceDays: 7, degraded: READ_ONLY },
      'read',
      AT,
    );
    exchange.model = 'small';
    expect(buildStandingHeaders(exchange)).not.toContain('X-Routed-Model');
    exchange.degraded = READ_ONLY;
    expect(buildStandingHeaders(exchange)).toEqual(
      expect.arrayContaining(['X-Routed-Model', 'small']),
    );
  });

  it('nobody is warned of nothing', () => {
    expect(buildStandingHeaders(exchangeOn())).toEqual([]);
  });
});

describe('buildServedHeaders', () => {
  const numbers = {
    [QUOTA]: { allowance: 1000, spent: 1, reserved: 7 },
    [BALANCE]: { allowance: 5_000_000_000, spent: 1_000_000, reserved: 400 },
  };
  const headersOf = (exchange: Exchange, final: boolean) => {
    const response = exchange.response as MemoryResponse;
    const { own, shared } = buildServedHeaders(exchange, engineWith(numbers), 'USD', final);
    response.writeHead(200, own, shared);
    return response;
  };

  it('a finished answer tells its cost, the balance and the limits', () => {
    const exchange = exchangeOn();
    exchange.costNano = 42_000;
    const response = headersOf(exchange, true);
    expect(response.header('x-request-id')).toBe(exchange.requestId);
    expect(response.header('x-tollkeeper-cost')).toBe('0.000042 USD');
    expect(response.header('x-tollkeeper-cost-max')).toBeUndefined();
    expect(response.header('x-tollkeeper-balance')).toBe('4.999 USD');
    expect(response.header('x-ratelimit-remaining')).toBe('999');
    expect(response.header('ratelimit')).toBe(
      `"requests_per_month";r=999;t=${(Date.parse('2027-02-01') - AT) / 1000}`,
    );
    expect(response.header('x-tollkeeper-max-tokens')).toBeUndefined();
  });

  it('what the house pays of it is not told as a cost: the headers of all answers are what was charged', () => {
    const exchange = exchangeOn();
    Object.assign(exchange, { costNano: 42_000, overrunNano: 40_000 });
    expect(headersOf(exchange, true).header('x-tollkeeper-cost')).toBe('0.000002 USD');
  });

  it('a stream tells the most it can cost, and what its output was clamped to', () => {
    const exchange = exchangeOn();
    exchange.holdNano = 2_000_000_000;
    exchange.clampedOutputTokens = 17;
    const response = headersOf(exchange, false);
    expect(response.header('x-tollkeeper-cost-max')).toBe('2.00 USD');
    expect(response.header('x-tollkeeper-cost')).toBeUndefined();
    expect(response.header('x-tollkeeper-max-tokens')).toBe('17');
  });

  it('a plan that covers its calls shows no balance', () => {
    const plan = buildPlan('flat', { usage: 'included' });
    expect(headersOf(exchangeOn(plan), true).header('x-tollkeeper-balance')).toBeUndefined();
  });

  it('EVID-01: what it would have been refused with is told', () => {
    const exchange = exchangeOn();
    exchange.wouldRefuse = 'FREE_TIER_EXHAUSTED';
    expect(headersOf(exchange, true).header('x-tollkeeper-would-refuse')).toBe(
      'FREE_TIER_EXHAUSTED',
    );
    expect(headersOf(exchangeOn(), true).header('x-tollkeeper-would-refuse')).toBeUndefined();
  });

  it('a caller without a key is told its allowance, and of no balance', () => {
    const exchange = buildExchange();
    const allowance = { requests: 100, window: 'hour' } as const;
    const catalog = buildCatalog([]);
    exchange.accounts = new AnonymousAllowance({ id: 'demo' }, allowance, catalog).callerFrom(
      '203.0.113.0/24',
    ).accounts;
    const known = { ...engineWith({}), peek: () => ({ allowance: 100, spent: 1, reserved: 0 }) };
    const response = exchange.response as MemoryResponse;
    const { own, shared } = buildServedHeaders(exchange, known, 'USD', true);
    response.writeHead(200, own, shared);
    expect(response.header('x-ratelimit-limit')).toBe('100');
    expect(response.header('x-tollkeeper-cost')).toBeUndefined();
    expect(response.header('x-tollkeeper-balance')).toBeUndefined();
  });

  it('answers of one round are told the same of what is left, each what itself cost; the next round is told anew', async () => {
    const exchange = exchangeOn();
    const left = { ...numbers };
    const lists: (readonly string[])[] = [];
    const tell = (): readonly (string | undefined)[] => {
      exchange.costNano += 1;
      const { own, shared } = buildServedHeaders(exchange, engineWith(left), 'USD', true);
      const served = [...own, ...shared];
      lists.push(shared);
      left[QUOTA] = { ...left[QUOTA], spent: left[QUOTA].spent + 1 };
      return ['x-tollkeeper-cost', 'x-tollkeeper-balance', 'X-RateLimit-Remaining'].map(
        (name) => served[served.indexOf(name) + 1],
      );
    };
    const told: (readonly (string | undefined)[])[] = [];
    const tellInRound = (): void => chargeStage.add({ proceed: () => void told.push(tell()) });
    tellInRound();
    tellInRound();
    await nextRound();
    tellInRound();
    await nextRound();
    told.push(tell(), tell());
    expect(told).toEqual([
      ['0.000000001 USD', '4.999 USD', '999'],
      ['0.000000002 USD', '4.999 USD', '999'],
      ['0.000000003 USD', '4.999 USD', '997'],
      ['0.000000004 USD', '4.999 USD', '996'],
      ['0.000000005 USD', '4.999 USD', '995'],
    ]);
    // What a transport makes of one list is made once.
    expect(new Set(lists).size).toBe(4);
    expect(lists[0]).toBe(lists[1]);
  });

  it('DEG-03: who is served less in the same round is told of the rates of that', async () => {
    const degraded = { ...READ_ONLY, rate: buildRateLimit({}) };
    const payment = { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] };
    const plan = buildPlan('free', { limits: [buildLimit(3)], degraded });
    const exchange = exchangeOn(plan, { ...PLAIN_TERMS, payment });
    const policies: (string | undefined)[] = [];
    const tell = (): void => {
      const { shared } = buildServedHeaders(exchange, engineWith(numbers), 'USD', true);
      policies.push(shared[shared.indexOf('RateLimit-Policy') + 1]);
    };
    chargeStage.add({ proceed: tell });
    chargeStage.add({
      proceed: () => {
        exchange.degraded = degraded;
        tell();
      },
    });
    await nextRound();
    expect(policies[0]).not.toContain('rate_per_minute');
    expect(policies[1]).toContain('rate_per_minute');
  });

  it('nothing about money is told to nobody', () => {
    expect(buildServedHeaders(buildExchange(), engineWith(numbers), 'USD', true)).toEqual({
      own: ['X-Request-Id', 'req_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f'],
      shared: [],
    });
  });
});
