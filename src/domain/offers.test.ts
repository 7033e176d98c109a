import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Code } from '../contract/codes.ts';
import {
  buildBalance,
  buildCatalog,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  buildQuota,
} from '../../test/support/build-catalog.ts';
import { someCatalog, someFacts } from '../../test/support/some-facts.ts';
import { findBrokenLaws } from '../../test/support/laws-of-offers.ts';
import { GONE, idOf, offered, pack, refusalOf } from '../../test/support/offered.ts';
import type { AddOn } from './catalog.ts';
import type { Facts } from './facts.ts';
import { applyOffer, finalCode, findOffers, grantsEntitlement, type Offer } from './offers.ts';

describe('applyOffer', () => {
  const grants = { models: [], purchases: [], rateLimits: [] };
  const more = { contextTokensMax: undefined, fileBytesMax: undefined };
  const feat = { ...grants, ...more, features: ['js'], limits: [] };
  const calls = {
    ...grants,
    ...more,
    features: [],
    limits: [{ id: 'requests_per_month', amount: 5 }],
  };
  const addOn = (id: string, granted: AddOn['grants']): Offer => ({
    kind: 'add_on',
    addOn: { id, title: id, priceNano: 1n, interval: 'once', grants: granted },
  });
  const free = buildPlan('free', { limits: [buildLimit(10)] });
  const big = buildPlan('big', { priceNano: 5n, limits: [buildLimit(20)] });
  const offers = [addOn('feat', feat), addOn('calls', calls), { kind: 'plan', plan: big }] as const;
  const catalog = buildCatalog([free, big], {
    addOns: offers.flatMap((offer) => (offer.kind === 'add_on' ? [offer.addOn] : [])),
  });
  const facts = buildFacts({
    identity: buildIdentity(free),
    entitlements: [{ kind: 'feature', id: 'js', granted: false }],
    limits: [buildQuota(buildLimit(10), { spent: 10 })],
  });

  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 2, 0]]])(
    'DIAG-10: what is bought later is added to what was bought before: %j',
    (order) => {
      const bought = order
        .flatMap((index) => offers[index] ?? [])
        .reduce((changed, offer) => applyOffer(changed, offer, catalog), facts);
      expect(bought.identity).toMatchObject({ planId: 'big', freePlan: false });
      expect(bought.entitlements).toMatchObject([{ granted: true }]);
      expect(bought.limits.find(({ kind }) => kind === 'quota')).toMatchObject({
        allowance: 25,
        spent: 10,
      });
    },
  );
});

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
      'flat',
      'loaf',
      'mountain',
    ]);
  });

  it('the cheapest comes first, whatever kind of thing it is and however they are written down', () => {
    const catalog = buildCatalog([free, buildPlan('flat', { priceNano: 7n, usage: 'included' })], {
      packs: [
        { ...pack('large', 50n), priceNano: 50n },
        { ...pack('small', 5n), priceNano: 5n },
      ],
    });
    const limits = [buildBalance({ allowance: 7, spent: 7, need: 5 })];
    expect(offered(buildFacts({ limits, reservation: GONE }), catalog)).toEqual([
      'small',
      'flat',
      'large',
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
