import { describe, expect, it } from 'vitest';

import {
  AT,
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  buildQuota,
  buildRateLimit,
  NO_GRANTS,
  READ_ONLY,
} from '../../test/support/build-catalog.ts';
import { GONE, idOf, offered, pack, refusalOf, ROUTE } from '../../test/support/offered.ts';
import type { AddOn, PurchaseGrants } from './catalog.ts';
import type { Facts } from './facts.ts';
import { finalCode, findOffers } from './offers.ts';
import { standOf } from './standing.ts';
import { NO_TAKE } from './take.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

describe('what else is on sale', () => {
  const limited = {
    kind: 'limited',
    rateLimitId: 'rate_per_minute',
    retryAfterMs: 1,
    class: 'commercial',
  } as const;
  const slow = buildPlan('slow', { rateLimits: [buildRateLimit({ class: 'commercial' })] });
  const addOn = (id: string, grants: Partial<PurchaseGrants>): AddOn => ({
    id,
    title: id,
    priceNano: 1n,
    interval: 'once',
    grants: { ...NO_GRANTS, ...grants },
  });

  it('PLAN-05: the course that was not bought is sold by itself', () => {
    const entitlements = [{ kind: 'purchase', id: 'course-7', granted: false }] as const;
    const addOns = [
      addOn('seven', { purchases: ['course-7'] }),
      addOn('eight', { purchases: ['course-8'] }),
      addOn('all', { purchases: ['course-*'] }),
    ];
    const catalog = buildCatalog([buildPlan('free')], { addOns });
    expect(offered(buildFacts({ entitlements }), catalog)).toEqual(['seven', 'all']);
  });

  it('PLAN-06, LLM-09: a larger file or context is sold by the plan or add-on whose cap reaches', () => {
    const file = {
      kind: 'file_size',
      id: 'plan',
      granted: false,
      needed: 50,
      allowed: 10,
    } as const;
    const context = {
      kind: 'context',
      id: 'plan',
      granted: false,
      needed: 50,
      allowed: 9,
    } as const;
    const tier = (tokensMax: number) => [{ tokensMax, priceMultiplierPermille: 1000 }];
    const catalog = buildCatalog(
      [
        buildPlan('free', { fileBytesMax: 10, contextTiers: tier(9) }),
        buildPlan('mid', { fileBytesMax: 49, contextTiers: tier(49), priceNano: 1n }),
        buildPlan('max', { fileBytesMax: 50, contextTiers: tier(50), priceNano: 2n }),
      ],
      { addOns: [addOn('wide', { fileBytesMax: 50, contextTokensMax: 50 })] },
    );
    expect(offered(buildFacts({ entitlements: [file] }), catalog)).toEqual(['wide', 'max']);
    expect(offered(buildFacts({ entitlements: [context] }), catalog)).toEqual(['wide', 'max']);
  });

  it('KEY-05: a cap of the key itself is raised by nothing on sale, and is 403', () => {
    const context = { kind: 'context', id: 'key', granted: false, needed: 50, allowed: 9 } as const;
    const facts = buildFacts({ entitlements: [context] });
    const catalog = buildCatalog([buildPlan('free'), buildPlan('max')]);
    const refusal = refusalOf(facts);
    expect(findOffers(facts, refusal, catalog)).toEqual([]);
    expect(finalCode(refusal, [])).toBe('CONTEXT_SIZE_NOT_AVAILABLE');
  });

  it('QUOTA-09: more speed is sold by plans and add-ons that let more through', () => {
    const [rate = buildRateLimit()] = slow.rateLimits;
    const more = { ...rate, burst: rate.burst + 1 };
    const catalog = buildCatalog(
      [
        slow,
        buildPlan('same', { rateLimits: slow.rateLimits, priceNano: 1n }),
        // It works off faster what is owed, and has no token more now.
        buildPlan('steady', { rateLimits: [{ ...rate, count: 900 }], priceNano: 2n }),
        buildPlan('fast', { rateLimits: [more], priceNano: 3n }),
        buildPlan('open', { priceNano: 4n }),
      ],
      {
        packs: [pack('credit', 100n)],
        addOns: [addOn('boost', { rateLimits: [{ id: 'rate_per_minute', count: 0, burst: 1 }] })],
      },
    );
    const facts = buildFacts({ identity: buildIdentity(slow), reservation: limited });
    expect(offered(facts, catalog)).toEqual(['boost', 'fast', 'open']);
    // Two tokens are owed beyond the burst: one more does not reach.
    const waitMs = (2 * rate.periodMs) / rate.count;
    const far = { ...facts, reservation: { ...limited, retryAfterMs: waitMs } };
    expect(offered(far, catalog)).toEqual(['open']);
  });

  it('KEY-02: the budget of a key is lifted by a plan whose price covers the call', () => {
    const label = { ...buildQuota(buildLimit(1)).label, id: 'key_budget', from: 'key' };
    const budget = {
      ...buildQuota(buildLimit(1, { id: 'key_budget', unit: 'spend' }), { spent: 1, need: 5 }),
      label,
    } as Facts['limits'][number];
    const facts = buildFacts({
      limits: [budget],
      reservation: GONE,
      take: { ...NO_TAKE, nano: 5 },
    });
    const catalog = buildCatalog([
      buildPlan('free'),
      buildPlan('flat', { usage: 'included', priceNano: 1n }),
      buildPlan('paid', { priceNano: 2n }),
    ]);
    expect(offered(facts, catalog)).toEqual(['flat']);
  });

  it('402 or 403: what is for sale is a 402, also where the plan that has it refuses for what is owed', () => {
    const terms = { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } };
    const facts = buildFacts({
      method: 'POST',
      standing: standOf(
        { ...PLAIN_TERMS, ...terms },
        { graceDays: 7, degraded: { ...READ_ONLY, readOnly: false } },
        'write',
        AT,
      ),
      entitlements: [{ kind: 'feature', id: 'reports', granted: false }],
    });
    const free = buildPlan('free', { degraded: { ...READ_ONLY, readOnly: false } });
    const strict = buildPlan('strict', { features: ['reports'], priceNano: 1n });
    const mild = { ...strict, id: 'mild', degraded: { ...READ_ONLY, readOnly: false } };
    const refusal = refusalOf(facts);
    const offers = findOffers(facts, refusal, buildCatalog([free, strict]));
    expect(offers.map(idOf)).toEqual(['strict']);
    expect(finalCode(refusal, offers)).toBe('FEATURE_NOT_IN_PLAN');
    expect(offered(facts, buildCatalog([free, strict, mild]))).toEqual(['mild']);
  });

  it('an ended subscription is lifted by any plan, its own too; what is owed by none', () => {
    const catalog = buildCatalog([buildPlan('free'), buildPlan('pro', { priceNano: 1n })]);
    const standing = (terms: Partial<TenantTerms>) =>
      standOf({ ...PLAIN_TERMS, ...terms }, { graceDays: 7, degraded: undefined }, 'read', AT);
    const ended = standing({ subscription: { state: 'active', endsAt: 1 } });
    expect(offered(buildFacts({ standing: ended }), catalog)).toEqual(['free', 'pro']);
    const owed = standing({ payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } });
    expect(offered(buildFacts({ standing: owed }), catalog)).toEqual([]);
  });

  it('limits and context price of the other plan are tried with what the call takes', () => {
    const month = buildLimit(10);
    const tokens = (amount: number) =>
      buildLimit(amount, { id: 'tokens_per_day', unit: 'tokens', window: 'day' });
    const facts = buildFacts({
      route: ROUTE,
      limits: [buildQuota(month, { spent: 10, need: 1 })],
      reservation: GONE,
      take: { ...NO_TAKE, inputTokens: 30, outputTokens: 20, nano: 5 },
    });
    const catalog = buildCatalog([
      buildPlan('free', { usage: 'included', limits: [month] }),
      buildPlan('tight', { usage: 'included', limits: [tokens(49)] }),
      buildPlan('wide', { usage: 'included', limits: [tokens(50)] }),
      // Whether there is credit is not known: what is offered must work.
      buildPlan('prepaid'),
    ]);
    expect(offered(facts, catalog)).toEqual(['wide']);
  });

  it('QUOTA-03: the rate of a tenant above is for sale to nobody below it', () => {
    const fast = buildRateLimit({ class: 'commercial', burst: 99 });
    const catalog = buildCatalog([slow, buildPlan('fast', { rateLimits: [fast] })]);
    const facts = buildFacts({ identity: buildIdentity(slow), reservation: limited });
    expect(offered(facts, catalog)).toEqual(['fast']);
    const above = { ...facts, reservation: { ...limited, from: 'ancestor' } } as const;
    expect(offered(above, catalog)).toEqual([]);
  });

  it('what processes took ahead comes back, what open holds keep of the refused account does not', () => {
    const month = buildLimit(10);
    const limits = [
      buildQuota(month, { spent: 8, need: 3, reserved: 2 }),
      buildBalance({ need: 5, allowance: 6, reserved: 6 }),
    ];
    const catalog = buildCatalog([
      buildPlan('free', { limits: [month] }),
      buildPlan('eleven', { limits: [buildLimit(11)] }),
    ]);
    const withHeld = (held: number) =>
      buildFacts({ limits, reservation: { ...GONE, held }, take: { ...NO_TAKE, nano: 5 } });
    expect(offered(withHeld(0), catalog)).toEqual(['eleven']);
    expect(offered(withHeld(1), catalog)).toEqual([]);
  });

  describe('PLAN-11: units that another plan bills', () => {
    const month = buildLimit(10);
    const billing = (kind: 'bill' | 'authorize') =>
      buildPlan(kind, { limits: [buildLimit(10, { overage: { kind, unitPico: 3000n } })] });
    const stopping = buildPlan('free', { limits: [month] });
    const spent = buildQuota(month, { spent: 10, need: 1 });
    const spendingOf = (amount: number) =>
      buildQuota(buildLimit(amount, { id: 'key_budget', unit: 'spend', scope: 'key' }), {
        need: 0,
      });
    const refusedWith = (members: Partial<Facts>) =>
      buildFacts({ reservation: GONE, take: NO_TAKE, route: ROUTE, ...members });

    it('are paid from the balance and count in every limit of what is spent', () => {
      const catalog = buildCatalog([stopping, billing('bill')]);
      const withMoney = (credit: number, budget: number) =>
        offered(
          refusedWith({
            limits: [spent, buildBalance({ need: 0, allowance: credit }), spendingOf(budget)],
          }),
          catalog,
        );
      expect(withMoney(3, 3)).toEqual(['bill']);
      expect(withMoney(2, 3)).toEqual([]);
      expect(withMoney(3, 2)).toEqual([]);
      expect(offered(refusedWith({ limits: [spent] }), catalog)).toEqual([]);
    });

    it('are billed to who agreed to that once, on any plan, until the agreement ends', () => {
      const catalog = buildCatalog([stopping, billing('authorize')]);
      const limits = [spent, buildBalance({ need: 0, allowance: 3 })];
      const until = (overageAuthorizedUntil: number) =>
        refusedWith({ limits, agreed: { overrides: [], purchases: [], overageAuthorizedUntil } });
      expect(offered(until(AT + 1), catalog)).toEqual(['authorize']);
      expect(offered(until(AT), catalog)).toEqual([]);
    });
  });

  it('QUOTA-02: a limit that slides is offered as what it is, and lifts what it does not count', () => {
    const hour = buildLimit(10, { id: 'hourly', window: 'hour' });
    const facts = buildFacts({
      route: ROUTE,
      limits: [buildQuota(hour, { spent: 10, need: 1 })],
      reservation: GONE,
      take: NO_TAKE,
    });
    const pace = (amount: number, id: string) => buildLimit(amount, { id, window: 'sliding_hour' });
    const catalog = buildCatalog([
      buildPlan('free', { usage: 'included', limits: [hour] }),
      // Of the same name: what was used is taken to be used, as it may have been before.
      buildPlan('same', { usage: 'included', limits: [pace(10, 'hourly')] }),
      buildPlan('larger', { usage: 'included', limits: [pace(11, 'hourly')] }),
      buildPlan('other', { usage: 'included', limits: [pace(10, 'pace')] }),
    ]);
    expect(offered(facts, catalog)).toEqual(['larger', 'other']);
  });

  it('C402-07: a limit of the same name that is about other calls, or counts another unit, goes on with no count', () => {
    const month = buildLimit(10);
    const facts = buildFacts({
      route: ROUTE,
      limits: [buildQuota(month, { spent: 10, need: 1 })],
      reservation: GONE,
      take: { ...NO_TAKE, bytesIn: 500 },
    });
    const bytes = (amount: number) =>
      buildPlan(`bytes-${amount}`, { limits: [buildLimit(amount, { unit: 'bytes_in' })] });
    const catalog = buildCatalog([
      buildPlan('free', { limits: [month] }),
      buildPlan('here', { limits: [buildLimit(10, { routes: [ROUTE.routeId] })] }),
      buildPlan('elsewhere', { limits: [buildLimit(10, { routes: ['demo.maps'] })] }),
      buildPlan('another', { limits: [buildLimit(10, { operations: ['maps'] })] }),
      buildPlan('large', { limits: [buildLimit(10, { models: ['large'] })] }),
      bytes(499),
      bytes(500),
    ]);
    const all = offered(facts, catalog);
    expect(all.toSorted()).toEqual(['another', 'bytes-500', 'elsewhere', 'large']);
  });

  it('PLAN-13: an override of the tenant goes with it to another plan', () => {
    const facts = buildFacts({
      limits: [buildQuota(buildLimit(10), { spent: 10, need: 1 })],
      reservation: GONE,
      agreed: {
        overrides: [{ limitId: 'requests_per_month', amount: 10, expiresAt: undefined }],
        purchases: [],
      },
    });
    const catalog = buildCatalog([
      buildPlan('free', { limits: [buildLimit(10)] }),
      buildPlan('more', { limits: [buildLimit(100)] }),
      buildPlan('none'),
    ]);
    expect(offered(facts, catalog)).toEqual(['none']);
  });
});
