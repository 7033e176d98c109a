import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { contextCost, contextCostMost, tierFor } from './context-tiers.ts';

const TIERS = [
  { tokensMax: 9000, priceMultiplierPermille: 1000 },
  { tokensMax: 100_000, priceMultiplierPermille: 1500 },
  { tokensMax: 200_000, priceMultiplierPermille: 2000 },
];

describe('LLM-10: a larger context has its own price', () => {
  it.each([
    [0, 101],
    [9000, 101],
    [9001, 152],
    [100_000, 152],
    [100_001, 202],
    [200_001, 202],
  ])('101 nano for %i tokens cost %i', (tokens, nano) => {
    expect(contextCost(101, TIERS, tokens)).toBe(nano);
  });

  it('BILL-06: a multiple is exact to the nano, and what is more is rounded up', () => {
    expect(contextCost(1_000_000_000_001, TIERS, 9001)).toBe(1_500_000_000_002);
    expect(contextCostMost(1_000_000_000_001, TIERS, 9001)).toBe(1_500_000_000_002);
  });

  it('a size that the call cannot reach adds nothing to what is held', () => {
    expect([9000, 9001, 100_001].map((tokens) => contextCostMost(100, TIERS, tokens))).toEqual([
      100, 150, 200,
    ]);
  });

  it('without tiers a size changes nothing', () => {
    expect([contextCost(7, [], 1), contextCostMost(7, [], 1), tierFor([], 1)]).toEqual([
      7,
      7,
      undefined,
    ]);
  });

  it('what is held covers every smaller size and smaller cost, in whatever order the prices are', () => {
    const tier = fc.record({
      tokensMax: fc.integer({ min: 1, max: 1000 }),
      priceMultiplierPermille: fc.integer({ min: 0, max: 5000 }),
    });
    const tiers = fc
      .uniqueArray(tier, { minLength: 1, maxLength: 5, selector: ({ tokensMax }) => tokensMax })
      .map((list) => list.toSorted((left, right) => left.tokensMax - right.tokensMax));
    fc.assert(
      fc.property(
        tiers,
        fc.nat(1200),
        fc.nat(100),
        fc.nat(1_000_000),
        (list, tokens, part, nano) => {
          const held = contextCostMost(nano, list, tokens);
          const [fewer, less] = [(tokens * part) / 100, (nano * part) / 100].map(Math.floor);
          expect(contextCost(less ?? 0, list, fewer ?? 0)).toBeLessThanOrEqual(held);
          expect(contextCost(nano, list, fewer ?? 0)).toBeLessThanOrEqual(held);
        },
      ),
    );
  });
});
