import fc from 'fast-check';

import type { AddOn, Catalog, Limit, Pack, Plan } from '../../src/domain/catalog.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { standOf, type StandingFact } from '../../src/domain/standing.ts';
import { NO_TAKE } from '../../src/domain/take.ts';
import { PLAIN_TERMS } from '../../src/domain/tenant-terms.ts';
import {
  AT,
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  buildQuota,
} from './build-catalog.ts';

const MODELS = ['small', 'large'];
const FEATURES = ['reports', 'search'];
const LIMITS: readonly Limit[] = [
  buildLimit(0),
  buildLimit(0, { id: 'tokens_per_day', unit: 'tokens', window: 'day' }),
  buildLimit(0, { id: 'key_spend_per_day', unit: 'spend', window: 'day', scope: 'key' }),
];
const units = fc.nat({ max: 20 });
const STANDINGS: readonly StandingFact[] = [
  { subscription: { state: 'trialing', endsAt: 1 } } as const,
  { subscription: { state: 'active', endsAt: 1 } } as const,
  { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } },
  { payment: { ...PLAIN_TERMS.payment, failedAt: AT } },
].map((terms) =>
  standOf({ ...PLAIN_TERMS, ...terms }, { graceDays: 7, degraded: undefined }, 'write', AT),
);

export const someCatalog: fc.Arbitrary<Catalog> = fc
  .record({
    plans: fc.tuple(somePlan('free'), somePlan('pro'), somePlan('max')),
    packs: fc.tuple(somePack('small'), somePack('large')),
    addOns: fc.tuple(someAddOn('boost'), someAddOn('extra')),
  })
  .map(({ plans, packs, addOns }) => buildCatalog(plans, { packs, addOns }));

/** Facts of any mixture of reasons, as no gateway would gather them and as `decide` must bear them. */
export const someFacts: fc.Arbitrary<Facts> = fc
  .record({
    routing: rarely(fault('ROUTE_NOT_FOUND')),
    identity: fc.oneof(
      { weight: 8, arbitrary: somePlan('free').map(buildIdentity) },
      { weight: 1, arbitrary: fc.constant({ kind: 'anonymous' as const }) },
      {
        weight: 1,
        arbitrary: fc.constant({
          kind: 'refused' as const,
          code: 'KEY_EXPIRED' as const,
          since: 1,
        }),
      },
    ),
    authorization: rarely(fault('KEY_PERMISSION_DENIED')),
    understanding: rarely(fault('INVALID_REQUEST')),
    standing: fc.option(fc.constantFrom(...STANDINGS), { nil: undefined, freq: 2 }),
    take: fc.option(
      fc.record({ inputTokens: units, nano: units }).map((take) => ({ ...NO_TAKE, ...take })),
      { nil: undefined },
    ),
    storm: rarely({ cause: 'INSUFFICIENT_CREDITS' as const, retryAfterMs: 7 }),
    entitlements: fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('model' as const),
          id: fc.constantFrom(...MODELS),
          granted: fc.boolean(),
        }),
        fc.record({
          kind: fc.constant('feature' as const),
          id: fc.constantFrom(...FEATURES),
          granted: fc.boolean(),
        }),
      ),
      { maxLength: 2 },
    ),
    limits: fc.uniqueArray(
      fc.oneof(
        fc
          .record({ need: units, allowance: units, spent: units, reserved: units })
          .map(buildBalance),
        fc
          .record({
            limit: fc.constantFrom(
              ...LIMITS,
              buildLimit(0, { id: 'key_budget', unit: 'spend', scope: 'key' }),
            ),
            numbers: fc.record({ need: units, allowance: units, spent: units, reserved: units }),
          })
          .map(({ limit, numbers }) => buildQuota(limit, numbers)),
      ),
      { selector: ({ accountId }) => accountId, maxLength: 4 },
    ),
    reservation: fc.option(
      fc.oneof(
        fc.constant({ kind: 'held' as const }),
        fc.record({
          kind: fc.constant('short' as const),
          index: fc.integer({ min: -1, max: 4 }),
          cause: fc.constantFrom('gone', 'held', 'stranded', 'unavailable'),
          held: units,
          affordableOutputTokens: fc.option(units, { nil: undefined }),
        }),
        fc.record({
          kind: fc.constant('limited' as const),
          rateLimitId: fc.constant('burst'),
          retryAfterMs: units,
        }),
      ),
      { nil: undefined },
    ),
    forwarding: rarely(fault('UPSTREAM_FAILED')),
  })
  .map(buildFacts);

function somePlan(id: string): fc.Arbitrary<Plan> {
  return fc
    .record({
      priceNano: fc.bigInt({ min: 0n, max: 3n }),
      usage: fc.constantFrom('prepaid', 'included'),
      models: fc.oneof(fc.subarray(MODELS), fc.constant(['*'])),
      features: fc.subarray(FEATURES),
      limits: fc
        .tuple(fc.subarray([...LIMITS]), fc.array(units, { minLength: 3, maxLength: 3 }))
        .map(([limits, amounts]) =>
          limits.map((limit, position) => ({ ...limit, amount: amounts[position] ?? 0 })),
        ),
      onSale: fc.boolean(),
    })
    .map((members) => buildPlan(id, members));
}

function someAddOn(id: string): fc.Arbitrary<AddOn> {
  return fc
    .record({
      features: fc.subarray(FEATURES),
      models: fc.subarray(MODELS),
      limits: fc.subarray(LIMITS.map((limit) => ({ id: limit.id, amount: 10 }))),
    })
    .map((grants) => ({
      id,
      title: id,
      priceNano: 1n,
      interval: 'once',
      grants: {
        purchases: [],
        rateLimits: [],
        contextTokensMax: undefined,
        fileBytesMax: undefined,
        ...grants,
      },
    }));
}

function somePack(id: string): fc.Arbitrary<Pack> {
  return fc
    .bigInt({ min: 1n, max: 30n })
    .map((creditNano) => ({ id, title: id, priceNano: creditNano, creditNano }));
}

function fault<C extends string>(code: C) {
  return { code, problem: 'wrong', pointer: undefined };
}

function rarely<T>(value: T): fc.Arbitrary<T | undefined> {
  return fc.option(fc.constant(value), { nil: undefined, freq: 1 });
}
