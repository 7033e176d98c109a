import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Code, CODES } from '../contract/codes.ts';
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
} from '../../test/support/build-catalog.ts';
import { someCatalog, someFacts } from '../../test/support/some-facts.ts';
import type { AddOn, Catalog, Pack, PurchaseGrants } from './catalog.ts';
import { decide, isShort, type Refusal } from './decide.ts';
import type { Facts } from './facts.ts';
import {
  applyOffer,
  finalCode,
  findOffers,
  grantsEntitlement,
  type Offer,
  offersOnSale,
} from './offers.ts';
import { standOf } from './standing.ts';
import { NO_TAKE } from './take.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const ROUTE = {
  apiId: 'demo',
  routeId: 'weather',
  operation: 'weather',
  kind: 'proxy',
  dialect: 'plain',
  endpointClass: 'metered',
} as const;
const pack = (id: string, creditNano: bigint): Pack => ({
  id,
  title: id,
  priceNano: creditNano,
  creditNano,
});
const GONE = {
  kind: 'short',
  index: 0,
  cause: 'gone',
  held: 0,
  affordableOutputTokens: undefined,
} as const;

function refusalOf(facts: Facts): Refusal {
  const decision = decide(facts);
  if (decision.kind === 'admit') throw new Error('it is admitted');
  return decision;
}

/** What is offered for facts that refuse, by id, in order. */
function offered(facts: Facts, catalog: Catalog): readonly string[] {
  return findOffers(facts, refusalOf(facts), catalog).map(idOf);
}

function idOf(offer: Offer): string {
  if (offer.kind === 'add_on') return offer.addOn.id;
  return offer.kind === 'plan' ? offer.plan.id : offer.pack.id;
}

describe('findOffers (C402-07)', () => {
  const month = buildLimit(10);
  const free = buildPlan('free', { limits: [month] });
  const full = buildQuota(month, { spent: 10 });

  it('a used-up quota is lifted by plans that have more of it or none, cheapest first; credit does not help', () => {
    const catalog = buildCatalog(
      [
        free,
        buildPlan('unlimited', { priceNano: 90n }),
        buildPlan('more', { priceNano: 20n, limits: [buildLimit(11)] }),
        buildPlan('same', { priceNano: 10n, limits: [buildLimit(10)] }),
        buildPlan('private', { priceNano: 5n, onSale: false }),
      ],
      { packs: [pack('credit', 100n)] },
    );
    expect(offered(buildFacts({ limits: [full], reservation: GONE }), catalog)).toEqual([
      'more',
      'unlimited',
    ]);
  });

  it('missing credit is lifted by packs that suffice and by plans that need none', () => {
    const catalog = buildCatalog(
      [free, buildPlan('flat', { usage: 'included' }), buildPlan('paid')],
      {
        packs: [pack('crumb', 4n), pack('loaf', 5n), pack('mountain', 2n ** 60n)],
      },
    );
    const limits = [buildBalance({ allowance: 7, spent: 7, need: 5 })];
    expect(offered(buildFacts({ limits, reservation: GONE }), catalog)).toEqual([
      'loaf',
      'mountain',
      'flat',
    ]);
  });

  it('a plan that only puts another limit in the place of the refusal is not offered', () => {
    const used = buildQuota(buildLimit(10), { spent: 5 });
    const lacking = buildBalance({ need: 5 });
    const facts = buildFacts({ limits: [used, lacking], reservation: { ...GONE, index: 1 } });
    const tiny = buildPlan('tiny', { limits: [buildLimit(3)] });
    const tinyFlat = buildPlan('tiny-flat', { usage: 'included', limits: [buildLimit(3)] });
    expect(offered(facts, buildCatalog([free, tiny, tinyFlat]))).toEqual([]);
  });

  it('what stood in the way before may still do so: of two things wrong each is offered its way out', () => {
    const facts = buildFacts({ limits: [full, buildBalance({ need: 5 })], reservation: GONE });
    const more = buildPlan('more', { limits: [buildLimit(100)] });
    expect(offered(facts, buildCatalog([free, more], { packs: [pack('loaf', 5n)] }))).toEqual([
      'more',
    ]);
  });

  it('the budget of a key is lifted by nothing on sale', () => {
    const budget = buildQuota(buildLimit(1, { id: 'key_budget', unit: 'spend' }), { spent: 1 });
    const catalog = buildCatalog([free, buildPlan('max')], { packs: [pack('loaf', 5n)] });
    expect(offered(buildFacts({ limits: [budget], reservation: GONE }), catalog)).toEqual([]);
  });

  it.each<[string, Partial<Facts>]>([
    ['too fast', { reservation: { kind: 'limited', rateLimitId: 'burst', retryAfterMs: 1 } }],
    [
      'unknown balance',
      { limits: [buildBalance()], reservation: { ...GONE, cause: 'unavailable' } },
    ],
    ['a storm', { storm: { cause: 'INSUFFICIENT_CREDITS', retryAfterMs: 1 } }],
    ['a bad key', { identity: { kind: 'refused', code: 'KEY_UNKNOWN', since: undefined } }],
  ])('no purchase helps against %s', (_what, members) => {
    const catalog = buildCatalog([free, buildPlan('max')], { packs: [pack('loaf', 5n)] });
    expect(offered(buildFacts(members), catalog)).toEqual([]);
  });

  const wants = (...entitlements: Facts['entitlements']) => buildFacts({ entitlements });
  const missingModel = { kind: 'model', id: 'large', granted: false } as const;
  const missingFeature = { kind: 'feature', id: 'reports', granted: false } as const;
  it.each<[string, Facts, readonly string[], Code]>([
    ['a model of a plan on sale', wants(missingModel), ['models', 'all'], 'MODEL_NOT_IN_PLAN'],
    ['a feature of a plan on sale', wants(missingFeature), ['all'], 'FEATURE_NOT_IN_PLAN'],
    [
      'both: only the plan with both passes',
      wants(missingModel, missingFeature),
      ['all'],
      'MODEL_NOT_IN_PLAN',
    ],
    [
      'a model where the granted feature would be lost',
      wants({ ...missingFeature, granted: true }, missingModel),
      ['all'],
      'MODEL_NOT_IN_PLAN',
    ],
    [
      'a feature that no plan has: 403',
      wants({ ...missingFeature, id: 'none' }),
      [],
      'FEATURE_NOT_AVAILABLE',
    ],
    [
      'a model that no plan has together with the feature: 403',
      wants(missingModel, { ...missingFeature, id: 'none' }),
      [],
      'MODEL_NOT_AVAILABLE',
    ],
  ])('402 or 403: %s', (_what, facts, ids, code) => {
    const catalog = buildCatalog(
      [
        buildPlan('free', { features: ['reports'] }),
        buildPlan('models', { models: ['large'], priceNano: 1n }),
        buildPlan('all', { models: ['*'], features: ['reports'], priceNano: 2n }),
      ],
      { packs: [pack('loaf', 5n)] },
    );
    const refusal = refusalOf(facts);
    const offers = findOffers(facts, refusal, catalog);
    expect(offers.map(idOf)).toEqual(ids);
    expect(finalCode(refusal, offers)).toBe(code);
  });

  it('the plan somebody has is not offered, and to nobody known every plan is', () => {
    const catalog = buildCatalog([buildPlan('max', { models: ['*'] })]);
    const facts = wants(missingModel);
    const has = { ...facts, identity: buildIdentity(buildPlan('max')) };
    expect(offered(has, catalog)).toEqual([]);
    expect(offered({ ...facts, identity: { kind: 'anonymous' } }, catalog)).toEqual(['max']);
  });

  it('each offer applied alone lifts the refusal, nothing is missed, and only what was short stays short', () => {
    fc.assert(
      fc.property(someFacts, someCatalog, (facts, catalog) => {
        expect(findBrokenLaws(facts, catalog)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

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
    grants: {
      features: [],
      models: [],
      purchases: [],
      limits: [],
      rateLimits: [],
      contextTokensMax: undefined,
      fileBytesMax: undefined,
      ...grants,
    },
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
    const degraded = {
      readOnly: true,
      duringGrace: false,
      contextTokensMax: undefined,
      rate: undefined,
      substitutes: new Map(),
      withheldFeatures: [],
    };
    const terms = { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } };
    const facts = buildFacts({
      method: 'POST',
      standing: standOf(
        { ...PLAIN_TERMS, ...terms },
        { graceDays: 7, degraded: { ...degraded, readOnly: false } },
        'write',
        AT,
      ),
      entitlements: [{ kind: 'feature', id: 'reports', granted: false }],
    });
    const free = buildPlan('free', { degraded: { ...degraded, readOnly: false } });
    const strict = buildPlan('strict', { features: ['reports'], priceNano: 1n });
    const mild = { ...strict, id: 'mild', degraded: { ...degraded, readOnly: false } };
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

it.each([
  [['*'], [], 'model', 'any', true],
  [['a'], [], 'model', 'a', true],
  [['a'], ['b'], 'model', 'b', false],
  [['*'], ['a'], 'feature', 'b', false],
  [[], ['b'], 'feature', 'b', true],
] as const)(
  'models %j and features %j grant the %s %s: %s',
  (models, features, kind, id, granted) => {
    const plan = { ...buildPlan('p', { models, features }), purchases: [] };
    expect(grantsEntitlement(plan, { kind, id })).toBe(granted);
  },
);

/** What should hold of the offers for any facts and does not. */
function findBrokenLaws(facts: Facts, catalog: Catalog): readonly string[] {
  const refusal = decide(facts);
  if (refusal.kind === 'admit') return [];
  const offers = findOffers(facts, refusal, catalog);
  const { status } = CODES[refusal.code];
  const { status: final } = CODES[finalCode(refusal, offers)];
  const expected = refusal.step === 'entitle' && offers.length === 0 ? 403 : status;
  const laws: Record<string, boolean> = {
    'offers lift only what money lifts': status === 402 || offers.length === 0,
    'an entitlement is 402 exactly if something on sale passes the step': final === expected,
  };
  for (const offer of offers) Object.assign(laws, lawsOfOffer(offer, { facts, refusal, catalog }));
  for (const offer of status === 402 ? offersOnSale(facts, catalog) : []) {
    const found = offers.some((each) => each.kind === offer.kind && idOf(each) === idOf(offer));
    laws[`${idOf(offer)} is not missed`] =
      found || decide(applyOffer(facts, offer, catalog)).kind === 'refuse';
  }
  return Object.keys(laws).filter((law) => laws[law] === false);
}

/** What an offer that is made must do; what else is wrong with the request may stay wrong. */
function lawsOfOffer(
  offer: Offer,
  { facts, refusal, catalog }: { facts: Facts; refusal: Refusal; catalog: Catalog },
): Record<string, boolean> {
  const after = applyOffer(facts, offer, catalog);
  const decision = decide(after);
  if (decision.kind === 'admit') return {};
  const still = decision.limit?.accountId;
  const sameStep = decision.step === refusal.step;
  const wasShort = facts.limits.some((limit) => limit.accountId === still && isShort(limit, facts));
  return {
    [`${idOf(offer)} lifts the refusal`]: !sameStep || still !== refusal.limit?.accountId,
    [`${idOf(offer)} puts nothing new in the way`]:
      // What is missing is for sale all the same, where each that has it leads to another refusal.
      refusal.step === 'entitle' ||
      decision.step !== 'reserve' ||
      wasShort ||
      decision.limit === undefined,
  };
}
