import type { ContextTier, Model } from '../../domain/catalog.ts';
import { contextCost, contextCostMost } from '../../domain/context-tiers.ts';
import { toSafeNumberAtMost } from '../../domain/money.ts';
import { costOf, type Price, type Usage } from '../../domain/pricing.ts';
import { amountFor, type Take, tokensTake } from '../../domain/take.ts';
import type { Need } from '../../engine/engine.ts';
import type { AccountNumbers } from '../../stores/store.ts';

/** What one call's tokens cost. */
export interface CallPrice {
  readonly model: Model;
  /** False = the plan's price covers them. */
  readonly prepaid: boolean;
  /** What a larger context costs more (LLM-10); empty = nothing. */
  readonly tiers: readonly ContextTier[];
}

/** The most a call can use: never below what it will (DESIGN 5 "Hold"). */
export interface LlmBounds {
  readonly inputTokens: number;
  /** Of one completion. */
  readonly outputTokensEach: number;
  readonly choices: number;
}

/** Of all completions together. */
export function outputTokensMost({ outputTokensEach, choices }: LlmBounds): number {
  return outputTokensEach * choices;
}

/** An account that a call does not fit in. */
export interface Shortage {
  readonly need: Need;
  /** Units neither spent nor held. */
  readonly free: number;
  /** Units not spent: what there would be if every open hold were released. */
  readonly unspent: number;
}

/** What a call with these bounds sets aside, its bytes apart. */
export function boundTake(price: CallPrice, bounds: LlmBounds): Take {
  const take = plainTake(price, boundUsage(price.model.price, bounds));
  if (price.tiers.length === 0) return take;
  const tokens = bounds.inputTokens + bounds.outputTokensEach;
  return { ...take, nano: contextCostMost(take.nano, price.tiers, tokens) };
}

/** What it took. Each completion's context is the input and its own output: several make none of them larger. */
export function usageTake(price: CallPrice, usage: Usage, choices: number): Take {
  const take = plainTake(price, usage);
  if (price.tiers.length === 0) return take;
  const tokens = usage.inputTokens + Math.ceil(usage.outputTokens / choices);
  return { ...take, nano: contextCost(take.nano, price.tiers, tokens) };
}

function plainTake({ model, prepaid }: CallPrice, usage: Usage): Take {
  const { inputTokens, outputTokens } = usage;
  const nano = prepaid ? toSafeNumberAtMost(costOf(model.price, usage)) : 0;
  return tokensTake(inputTokens, outputTokens, nano);
}

/** Whether the need could fit with an eighth of the input bound: then counting exactly may save the request. */
export function mightFitExactly(price: CallPrice, bounds: LlmBounds, short: Shortage): boolean {
  const least = { ...bounds, inputTokens: Math.ceil(bounds.inputTokens / 8) };
  const { unit } = short.need.account;
  return amountFor(unit, boundTake({ ...price, prepaid: true }, least)) <= short.unspent;
}

/** Output tokens of one completion that `free` units still pay for, at most those of `bounds`; 0 = not even one. */
export function affordableOutputTokens(
  price: CallPrice,
  bounds: LlmBounds,
  { need, free }: Shortage,
): number {
  const { unit } = need.account;
  if (!dependsOnOutput(unit)) return 0;
  const fits = (outputTokensEach: number): boolean =>
    amountFor(unit, boundTake({ ...price, prepaid: true }, { ...bounds, outputTokensEach })) <=
    free;
  if (fits(bounds.outputTokensEach)) return bounds.outputTokensEach;
  // More output never takes less: halving finds the most that fits.
  let [most, tooMany] = [0, bounds.outputTokensEach];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(middle)) most = middle;
    else tooMany = middle;
  }
  return most;
}

/** Units that the length of the output does not change. */
const COUNTED_BY_CALL: ReadonlySet<string> = new Set([
  'requests',
  'operations',
  'concurrent_requests',
  'input_tokens',
  'bytes',
  'bytes_in',
  'bytes_out',
  'storage_bytes',
  'compute_units',
  'compute_ms',
]);

/** Whether a shorter output could make the need fit. */
export function dependsOnOutput(unit: string): boolean {
  return !COUNTED_BY_CALL.has(unit);
}

/** Units not spent and not under an open hold. */
export function freeUnits(numbers: AccountNumbers, held: number): number {
  return Math.max(0, numbers.allowance - numbers.spent - held);
}

function boundUsage(price: Price, bounds: LlmBounds): Usage {
  return {
    inputTokens: bounds.inputTokens,
    // Which part will come from a cache nobody knows: all of it is taken to be the dearer kind.
    cachedInputTokens: price.perCachedInputToken > price.perInputToken ? bounds.inputTokens : 0,
    outputTokens: outputTokensMost(bounds),
    bytesIn: 0,
    bytesOut: 0,
    estimated: true,
  };
}
