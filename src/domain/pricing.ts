import { divideCeil, PICO_PER_NANO } from './money.ts';

/** What one call costs, in pico of the asset per unit (BILL-06). All members are whole and not negative. */
export interface Price {
  readonly asset: string;
  readonly perRequest: bigint;
  readonly perInputToken: bigint;
  readonly perCachedInputToken: bigint;
  readonly perOutputToken: bigint;
  readonly perByteIn: bigint;
  readonly perByteOut: bigint;
}

/** What one call used. Whole numbers; `cachedInputTokens` is the part of `inputTokens` that was read from a cache. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** True when a tokenizer of ours counted because the upstream did not say (LLM-06). */
  readonly estimated: boolean;
}

/** Nothing was used. */
export const NO_USAGE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  bytesIn: 0,
  bytesOut: 0,
  estimated: false,
};

/** The exact cost in nano, summed in pico and rounded once, up (DESIGN 5). */
export function costOf(price: Price, usage: Usage): bigint {
  return divideCeil(picoOf(price, usage), PICO_PER_NANO);
}

/** The same sum in pico, for who compares it with a budget before anything is rounded. */
export function picoOf(price: Price, usage: Usage): bigint {
  const cached = BigInt(usage.cachedInputTokens);
  return (
    price.perRequest +
    price.perInputToken * (BigInt(usage.inputTokens) - cached) +
    price.perCachedInputToken * cached +
    price.perOutputToken * BigInt(usage.outputTokens) +
    price.perByteIn * BigInt(usage.bytesIn) +
    price.perByteOut * BigInt(usage.bytesOut)
  );
}
