import type { Model } from '../../domain/catalog.ts';
import { PICO_PER_NANO, toSafeNumber } from '../../domain/money.ts';
import { costOf, picoOf, type Price, type Usage } from '../../domain/pricing.ts';
import { amountFor, NO_TAKE, type Take } from '../../domain/take.ts';
import type { AccountNumbers } from '../../stores/store.ts';
import type { Need } from '../../engine/engine.ts';

/** The most a call can use: never below what it will (DESIGN 5 "Hold"). */
export interface LlmBounds {
  readonly inputTokens: number;
  /** Of one completion. */
  readonly outputTokensEach: number;
  readonly choices: number;
}

/** An account that a call does not fit in. */
export interface Shortage {
  readonly need: Need;
  /** Units neither spent nor held. */
  readonly free: number;
  /** Units not spent: what there would be if every open hold were released. */
  readonly unspent: number;
}

/** What a call with these bounds sets aside. */
export function boundTake(model: Model, bounds: LlmBounds, prepaid: boolean): Take {
  return usageTake(model, boundUsage(model.price, bounds), prepaid);
}

export function usageTake(model: Model, usage: Usage, prepaid: boolean): Take {
  const nano = prepaid ? toSafeNumber(costOf(model.price, usage)) : 0;
  const { inputTokens, outputTokens, bytesIn, bytesOut } = usage;
  return { ...NO_TAKE, inputTokens, outputTokens, bytesIn, bytesOut, nano };
}

/** Whether the need could fit with an eighth of the input bound: then counting exactly may save the request. */
export function mightFitExactly(model: Model, bounds: LlmBounds, short: Shortage): boolean {
  const least = { ...bounds, inputTokens: Math.ceil(bounds.inputTokens / 8) };
  return amountFor(short.need.account.unit, boundTake(model, least, true)) <= short.unspent;
}

/** Output tokens of one completion that `free` units still pay for, at most those of `bounds`; below 1 = not even one. */
export function affordableOutputTokens(model: Model, bounds: LlmBounds, short: Shortage): number {
  const { need, free } = short;
  const { unit } = need.account;
  if (COUNTED_BY_CALL.has(unit)) return 0;
  if (unit === 'output_tokens')
    return Math.min(Math.floor(free / bounds.choices), bounds.outputTokensEach);
  if (unit === 'tokens') {
    const each = Math.floor((free - bounds.inputTokens) / bounds.choices);
    return Math.min(each, bounds.outputTokensEach);
  }
  const room =
    BigInt(free) * PICO_PER_NANO -
    picoOf(model.price, boundUsage(model.price, { ...bounds, outputTokensEach: 0 }));
  const each = model.price.perOutputToken * BigInt(bounds.choices);
  if (room < 0n) return 0;
  if (room >= each * BigInt(bounds.outputTokensEach)) return bounds.outputTokensEach;
  return toSafeNumber(room / each);
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
    outputTokens: bounds.outputTokensEach * bounds.choices,
    bytesIn: 0,
    bytesOut: 0,
    estimated: true,
  };
}
