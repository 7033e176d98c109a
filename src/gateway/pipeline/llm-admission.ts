import { type Take, withBytes } from '../../domain/take.ts';
import { admitSlowly, type Asked, prepareNeeds, tryAdmit } from './admission.ts';
import { countedAs } from './caller-accounts.ts';
import { costOfTake } from './charging.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { growHold } from './hold-growth.ts';
import type { UnderstoodCall } from './llm-call.ts';
import {
  affordableOutputTokens,
  boundTake,
  dependsOnOutput,
  freeUnits,
  type LlmBounds,
  mightFitExactly,
  type Shortage,
} from './llm-hold.ts';

/** Bytes of an answer that are held ahead of what has passed. */
export const WINDOW_BYTES = 64 * 1024;

/** The most this call can use, going by what is in it. */
export function boundsOf(call: UnderstoodCall): LlmBounds {
  return {
    inputTokens: call.inputTokens,
    outputTokensEach: call.outputTokensMost,
    choices: call.request.choices,
  };
}

/** What such a call wants set aside. Its answer's bytes, where a limit counts them, a window at a time. */
export function askFor(exchange: Exchange, call: UnderstoodCall, bounds: LlmBounds): Asked {
  const { access, price, body, route } = call;
  const counted = countedAs(route, exchange.countedModel, exchange.endUser);
  const grows = access.accounts.shapeAt(counted, exchange.at).countsBytes;
  const tokens = boundTake(price, bounds);
  if (!grows) return { call: counted, take: tokens, least: tokens, grows };
  const take = withBytes(tokens, body.length, WINDOW_BYTES);
  return { call: counted, take, least: withBytes(tokens, body.length, 1), grows };
}

/** Sets it aside in memory; false = the slow path has to be asked. */
export function tryHold(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  asked: Asked,
): boolean {
  const { access, price } = call;
  exchange.holdNano = asked.take.nano;
  const isPlain = price.prepaid && price.tiers.length === 0;
  exchange.take = isPlain ? asked.least : plainTake(call, asked);
  const shape = access.accounts.shapeAt(asked.call, exchange.at);
  return tryAdmit(context, exchange, prepareNeeds(exchange, access.accounts, shape, asked));
}

/** Under another plan its size has another price, or a price at all: what is recorded is the plain one. */
function plainTake({ price, request }: UnderstoodCall, { least }: Asked): Take {
  const bounds = {
    inputTokens: least.inputTokens,
    outputTokensEach: least.outputTokens / request.choices,
    choices: request.choices,
  };
  return { ...least, nano: boundTake({ ...price, prepaid: true, tiers: [] }, bounds).nano };
}

/**
 * The ways a call that does not fit may still be served (DESIGN 5): wait for holds, count the input
 * exactly, and, when the caller set no output bound, clamp it to what the balance affords. Undefined =
 * `exchange.reservation` says why not.
 */
export async function holdSlowly(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  first: LlmBounds,
): Promise<LlmBounds | undefined> {
  const asked = askFor(exchange, call, first);
  if (await admitSlowly(context, exchange, call.access.accounts, asked)) return first;
  const bounds = await countExactly(context, exchange, call, first);
  if (bounds !== first && (await holdAgain(context, exchange, call, bounds))) return bounds;
  if (isClampable(call)) return holdClamped(context, exchange, call, bounds);
  noteAffordable(exchange, call, bounds);
  return undefined;
}

/** The caller left it to us how much is written. */
function isClampable(call: UnderstoodCall): boolean {
  return call.route.kind !== 'embeddings' && call.request.outputTokensMax === undefined;
}

/** The bounds with the input counted, where that may save the call; else the same bounds. */
async function countExactly(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  bounds: LlmBounds,
): Promise<LlmBounds> {
  const short = shortOf(exchange);
  const least = isClampable(call) ? { ...bounds, outputTokensEach: 1 } : bounds;
  if (short === undefined || !mightFitExactly(call.price, least, short)) return bounds;
  try {
    const counted = await context.tokenizer.count(call.request.inputText());
    const inputTokens = counted + call.request.inputTokensOverhead;
    return inputTokens < bounds.inputTokens ? { ...bounds, inputTokens } : bounds;
  } catch {
    // Too long, or too many at once: the bound in bytes stands.
    return bounds;
  }
}

async function holdAgain(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  bounds: LlmBounds,
): Promise<boolean> {
  const asked = askFor(exchange, call, bounds);
  if (tryHold(context, exchange, call, asked)) return true;
  return admitSlowly(context, exchange, call.access.accounts, asked);
}

/**
 * Serves as much output as there is money for. What others hold comes back in parts that nobody can tell
 * beforehand, so where the known rest does not do, the smallest call waits, and takes what is there by then.
 */
async function holdClamped(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  bounds: LlmBounds,
): Promise<LlmBounds | undefined> {
  const { needs, shares } = exchange;
  const short = shortOf(exchange);
  if (short === undefined) return undefined;
  const affordable = affordableOutputTokens(call.price, bounds, short);
  const known = { ...bounds, outputTokensEach: Math.min(affordable, bounds.outputTokensEach) };
  if (affordable > 1 && (await holdAgain(context, exchange, call, known))) {
    return noteClamped(exchange, known);
  }
  const smallest = { ...bounds, outputTokensEach: 1 };
  if (await holdAgain(context, exchange, call, smallest)) {
    return noteClamped(exchange, growOutput(context, exchange, call, { smallest, full: bounds }));
  }
  const { reservation } = exchange;
  // What was asked for is what the refusal names; the smallest call was our own idea.
  if (reservation?.kind === 'short' && reservation.cause === 'gone') {
    Object.assign(exchange, { needs, shares });
  }
  return undefined;
}

/** Extends the hold of the smallest call by what is free here, up to the full one. */
function growOutput(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  sizes: { readonly smallest: LlmBounds; readonly full: LlmBounds },
): LlmBounds {
  const { hold, needs } = exchange;
  let { outputTokensEach } = sizes.full;
  for (const [i, need] of needs.entries()) {
    if (!dependsOnOutput(need.account.unit)) continue;
    const free = (hold?.amounts[i] ?? 0) + context.engine.spare(need.account);
    const found = affordableOutputTokens(call.price, sizes.full, { need, free, unspent: free });
    outputTokensEach = Math.min(outputTokensEach, found);
  }
  const grown = { ...sizes.full, outputTokensEach };
  // Of bytes it grows as they pass.
  const take = askFor(exchange, call, grown).least;
  const isGrown = outputTokensEach > 1 && growHold(context, exchange, { take, ahead: take });
  if (!isGrown) return sizes.smallest;
  exchange.holdNano = costOfTake(exchange, take);
  return grown;
}

function noteClamped(exchange: Exchange, bounds: LlmBounds): LlmBounds {
  exchange.clampedOutputTokens = bounds.outputTokensEach;
  return bounds;
}

/** The caller's own output bound is what does not fit: tell the one that would (C402-06). */
function noteAffordable(exchange: Exchange, call: UnderstoodCall, bounds: LlmBounds): void {
  const short = shortOf(exchange);
  if (short === undefined || exchange.reservation?.kind !== 'short') return;
  if (call.route.kind === 'embeddings') return;
  const affordable = affordableOutputTokens(call.price, bounds, short);
  if (affordable < 1) return;
  exchange.reservation = { ...exchange.reservation, affordableOutputTokens: affordable };
}

/** The account that refused and what is in it; undefined when the size of the call is not the reason. */
function shortOf(exchange: Exchange): Shortage | undefined {
  const { reservation, shortNumbers } = exchange;
  if (reservation?.kind !== 'short' || shortNumbers === undefined) return undefined;
  const need = exchange.needs[reservation.index];
  if (need === undefined || !dependsOnOutput(need.account.unit)) return undefined;
  return {
    need,
    free: freeUnits(shortNumbers, reservation.held),
    unspent: freeUnits(shortNumbers, 0),
  };
}
