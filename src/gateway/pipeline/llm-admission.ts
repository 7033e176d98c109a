import { admitSlowly, tryAdmit } from './admission.ts';
import { amountFor } from '../../domain/take.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { countedAs } from './caller-accounts.ts';
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

/** The most this call can use, going by what is in it. */
export function boundsOf(call: UnderstoodCall): LlmBounds {
  const { request, model, route } = call;
  return {
    inputTokens: request.inputTokensBound,
    outputTokensEach:
      route.kind === 'embeddings' ? 0 : (request.outputTokensMax ?? model.outputTokensMax),
    choices: request.choices,
  };
}

/** Sets aside in memory what `bounds` may cost; false = the slow path has to be asked. */
export function tryHold(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  bounds: LlmBounds,
): boolean {
  const take = boundTake(call.model, bounds, call.access.prepaid);
  exchange.holdNano = take.nano;
  exchange.take = take;
  const counted = countedAs(call.route, call.model.id, exchange.endUser);
  return tryAdmit(context, exchange, call.access.needsAt(counted, take, exchange.at));
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
  if (await admitSlowly(context, exchange)) return first;
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
  if (short === undefined || !mightFitExactly(call.model, least, short)) return bounds;
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
  return tryHold(context, exchange, call, bounds) || (await admitSlowly(context, exchange));
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
  const { needs } = exchange;
  const short = shortOf(exchange);
  if (short === undefined) return undefined;
  const affordable = affordableOutputTokens(call.model, bounds, short);
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
  if (reservation?.kind === 'short' && reservation.cause === 'gone') exchange.needs = needs;
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
  let outputTokensEach = sizes.full.outputTokensEach;
  for (const need of needs) {
    if (!dependsOnOutput(need.account.unit)) continue;
    const free = need.amount + context.engine.spare(need.account);
    const affordable = affordableOutputTokens(call.model, sizes.full, {
      need,
      free,
      unspent: free,
    });
    outputTokensEach = Math.min(outputTokensEach, affordable);
  }
  const grown = { ...sizes.full, outputTokensEach };
  const take = boundTake(call.model, grown, call.access.prepaid);
  const more = needs.map(({ account, amount }) =>
    Math.max(0, amountFor(account.unit, take) - amount),
  );
  if (outputTokensEach <= 1 || hold === undefined || !context.engine.extend(hold, more)) {
    return sizes.smallest;
  }
  exchange.holdNano = take.nano;
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
  const affordable = affordableOutputTokens(call.model, bounds, short);
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
