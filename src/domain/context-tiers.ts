import type { ContextTier } from './catalog.ts';
import { divideCeil, toSafeNumberAtMost } from './money.ts';

/**
 * What a call of so many tokens costs under a plan's tiers (LLM-10): the price of the smallest tier it fits,
 * rounded up to the nano. Beyond the last tier it is refused; its price is then the last one's.
 */
export function contextCost(nano: number, tiers: readonly ContextTier[], tokens: number): number {
  return multiply(nano, tierFor(tiers, tokens)?.priceMultiplierPermille ?? 1000);
}

/** What a call of at most so many tokens can cost: a smaller size may have the dearer price. */
export function contextCostMost(
  nano: number,
  tiers: readonly ContextTier[],
  tokens: number,
): number {
  const last = tierFor(tiers, tokens);
  if (last === undefined) return nano;
  const within = tiers.filter(({ tokensMax }) => tokensMax <= last.tokensMax);
  return multiply(nano, Math.max(...within.map((tier) => tier.priceMultiplierPermille)));
}

export function tierFor(tiers: readonly ContextTier[], tokens: number): ContextTier | undefined {
  return tiers.find(({ tokensMax }) => tokens <= tokensMax) ?? tiers.at(-1);
}

function multiply(nano: number, permille: number): number {
  if (permille === 1000) return nano;
  return toSafeNumberAtMost(divideCeil(BigInt(nano) * BigInt(permille), 1000n));
}
