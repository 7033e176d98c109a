import type { ContextTier } from './catalog.ts';
import { divideCeil, toSafeNumber } from './money.ts';

/**
 * What a call of so many tokens costs under a plan's tiers (LLM-10): the price of the smallest tier it fits,
 * rounded up to the nano. Beyond the last tier it is refused; its price is then the last one's.
 */
export function contextCost(nano: number, tiers: readonly ContextTier[], tokens: number): number {
  const tier = tierFor(tiers, tokens);
  if (tier === undefined || tier.priceMultiplierPermille === 1000) return nano;
  return toSafeNumber(divideCeil(BigInt(nano) * BigInt(tier.priceMultiplierPermille), 1000n));
}

export function tierFor(tiers: readonly ContextTier[], tokens: number): ContextTier | undefined {
  return tiers.find(({ tokensMax }) => tokens <= tokensMax) ?? tiers.at(-1);
}
