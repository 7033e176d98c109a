import { describe, expect, it } from 'vitest';

import {
  AT,
  buildLimit,
  buildPlan,
  buildRateLimit,
  NO_GRANTS,
} from '../../test/support/build-catalog.ts';
import type { AddOn, PurchaseGrants } from './catalog.ts';
import { contextCost } from './context-tiers.ts';
import { effectivePlan, isPurchased, nextChangeOf } from './effective-plan.ts';
import { overageNano } from './overage.ts';
import { PLAIN_TERMS, type Purchase } from './tenant-terms.ts';

const PLAN = buildPlan('pro', {
  limits: [buildLimit(100)],
  rateLimits: [buildRateLimit()],
  features: ['search'],
  models: ['small'],
  contextTiers: [
    { tokensMax: 9000, priceMultiplierPermille: 1000 },
    { tokensMax: 100_000, priceMultiplierPermille: 1500 },
  ],
  fileBytesMax: 10,
});

function addOn(id: string, grants: Partial<PurchaseGrants>): AddOn {
  return { id, title: id, priceNano: 1n, interval: 'once', grants: { ...NO_GRANTS, ...grants } };
}
const bought = (addOnId: string, members: Partial<Purchase> = {}): Purchase => ({
  id: `pur_${addOnId}`,
  addOnId,
  at: AT - 1,
  expiresAt: undefined,
  ...members,
});

describe('effectivePlan', () => {
  it('of a tenant about whom nothing is agreed is the plan', () => {
    expect(effectivePlan(PLAN, PLAIN_TERMS, [], AT)).toEqual({ ...PLAN, purchases: [] });
  });

  it('PLAN-13: an override beats the plan until it ends', () => {
    const overrides = [{ limitId: 'requests_per_month', amount: 7, expiresAt: AT }];
    const amountAt = (at: number) =>
      effectivePlan(PLAN, { ...PLAIN_TERMS, overrides }, [], at).limits[0]?.amount;
    expect(amountAt(AT - 1)).toBe(7);
    expect(amountAt(AT)).toBe(100);
  });

  it('PLAN-10: purchases add to the plan, each as often as it was bought, while they are in force', () => {
    const boost = addOn('boost', {
      limits: [{ id: 'requests_per_month', amount: 50 }],
      rateLimits: [{ id: 'rate_per_minute', count: 500, burst: 500 }],
      features: ['js'],
      models: ['large'],
      contextTokensMax: 200_000,
      fileBytesMax: 20,
    });
    const purchases = [bought('boost'), bought('boost'), bought('boost', { expiresAt: AT })];
    const plan = effectivePlan(PLAN, { ...PLAIN_TERMS, purchases }, [boost], AT);
    expect(plan.limits[0]?.amount).toBe(200);
    expect(plan.rateLimits[0]).toMatchObject({ count: 1060, burst: 1060 });
    expect(plan.features).toEqual(['search', 'js', 'js']);
    expect(plan.models).toContain('large');
    expect(plan.contextTiers.at(-1)).toEqual({
      tokensMax: 200_000,
      priceMultiplierPermille: 1500,
    });
    expect(plan.fileBytesMax).toBe(20);
  });

  it('PLAN-13: an override is of its own limit, and another beside it stays', () => {
    const plan = buildPlan('two', { limits: [buildLimit(100), buildLimit(9, { id: 'other' })] });
    const overrides = [
      { limitId: 'other', amount: 7, expiresAt: undefined },
      { limitId: 'requests_per_month', amount: 50, expiresAt: undefined },
    ];
    const { limits } = effectivePlan(plan, { ...PLAIN_TERMS, overrides }, [], AT);
    expect(limits.map(({ amount }) => amount)).toEqual([50, 7]);
  });

  it('PLAN-10: a purchase that ends counts until then, and from when it began', () => {
    const boost = addOn('boost', { limits: [{ id: 'requests_per_month', amount: 50 }] });
    const purchases = [bought('boost', { at: AT, expiresAt: AT + 10 })];
    const amountAt = (at: number) =>
      effectivePlan(PLAN, { ...PLAIN_TERMS, purchases }, [boost], at).limits[0]?.amount;
    expect([AT - 1, AT, AT + 9, AT + 10].map(amountAt)).toEqual([100, 150, 150, 100]);
  });

  it('PLAN-10: no purchase lowers a size: a smaller context, or a size where none is bounded', () => {
    const small = addOn('small', { contextTokensMax: 8000, fileBytesMax: 5 });
    const terms = { ...PLAIN_TERMS, purchases: [bought('small')] };
    const plan = effectivePlan(PLAN, terms, [small], AT);
    expect([plan.contextTiers, plan.fileBytesMax]).toEqual([PLAN.contextTiers, 10]);
    const unbounded = effectivePlan(buildPlan('free'), terms, [small], AT);
    expect([unbounded.contextTiers, unbounded.fileBytesMax]).toEqual([[], undefined]);
    const nothing = addOn('small', {});
    const same = effectivePlan(PLAN, terms, [nothing], AT);
    expect([same.contextTiers, same.fileBytesMax]).toEqual([PLAN.contextTiers, 10]);
  });

  it('PLAN-13: a tenant may be enforced otherwise than its plan', () => {
    const enforcedAs = (enforcement?: 'observe' | 'enforce') =>
      effectivePlan(PLAN, { ...PLAIN_TERMS, enforcement }, [], AT).enforcement;
    expect([enforcedAs('observe'), enforcedAs()]).toEqual(['observe', 'enforce']);
  });

  it('PLAN-10, PLAN-13: what a purchase adds to the largest override is no more than can be counted', () => {
    const boost = addOn('boost', {
      limits: [{ id: 'requests_per_month', amount: 10_000 }],
      rateLimits: [{ id: 'rate_per_minute', count: Number.MAX_SAFE_INTEGER, burst: 1 }],
    });
    const terms = {
      ...PLAIN_TERMS,
      purchases: [bought('boost')],
      overrides: [
        { limitId: 'requests_per_month', amount: Number.MAX_SAFE_INTEGER, expiresAt: undefined },
      ],
    };
    const plan = effectivePlan(PLAN, terms, [boost], AT);
    expect(plan.limits[0]?.amount).toBe(Number.MAX_SAFE_INTEGER);
    expect(plan.rateLimits[0]?.count).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('a purchase of something that is no longer sold, or not yet begun, adds nothing', () => {
    const purchases = [bought('gone'), bought('boost', { at: AT + 1 })];
    const boost = addOn('boost', { features: ['js'] });
    expect(effectivePlan(PLAN, { ...PLAIN_TERMS, purchases }, [boost], AT).features).toEqual([
      'search',
    ]);
  });

  it('PLAN-05: a one-time purchase is of that resource, or of all that begin alike', () => {
    const sold = addOn('course', { purchases: ['course-7', 'book-*'] });
    const plan = effectivePlan(PLAN, { ...PLAIN_TERMS, purchases: [bought('course')] }, [sold], AT);
    expect(['course-7', 'course-70', 'book-1', 'book'].map((id) => isPurchased(plan, id))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('changes next when the first override or purchase begins or ends', () => {
    const overrides = [{ limitId: 'x', amount: 1, expiresAt: AT + 9 }];
    const purchases = [bought('a', { expiresAt: AT + 5 }), bought('b', { expiresAt: AT })];
    expect(nextChangeOf({ overrides, purchases }, AT)).toBe(AT + 5);
    expect(nextChangeOf({ overrides, purchases: [bought('c', { at: AT + 2 })] }, AT)).toBe(AT + 2);
    expect(nextChangeOf(PLAIN_TERMS, AT)).toBe(Number.POSITIVE_INFINITY);
  });
});

it.each([
  [9000, 10],
  [9001, 15],
  [100_000, 15],
  [100_001, 15],
])('LLM-10: a call of %d tokens for 10 nano costs %d', (tokens, nano) => {
  expect(contextCost(10, PLAN.contextTiers, tokens)).toBe(nano);
  expect(contextCost(10, [], tokens)).toBe(10);
});

it('what units cost beyond an allowance is rounded up once', () => {
  expect(overageNano(1n, 1)).toBe(1);
  expect(overageNano(1500n, 2)).toBe(3);
  expect(overageNano(1001n, 2)).toBe(3);
});
