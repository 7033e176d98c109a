import type { Need } from '../../engine/engine.ts';
import type { ReserveOutcome } from '../../engine/engine.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { ratesOf } from './stand.ts';

/** Reserves in memory. True = `exchange.hold` is set; false = the slow path has to be asked. */
export function tryAdmit(
  context: GatewayContext,
  exchange: Exchange,
  needs: readonly Need[],
): boolean {
  exchange.needs = needs;
  const hold = context.engine.tryReserve(exchange.requestId, needs, ratesOf(exchange));
  if (hold === undefined) return false;
  exchange.hold = hold;
  exchange.reservation = HELD;
  return true;
}

const HELD = { kind: 'held' } as const;

/**
 * The awaited path, at most 1 s; a caller that leaves gives up its place. True = `exchange.hold` is set;
 * false = `exchange.reservation` says why not.
 */
export async function admitSlowly(context: GatewayContext, exchange: Exchange): Promise<boolean> {
  const leaving = new AbortController();
  exchange.response.onClientGone = () => leaving.abort();
  const outcome = await context.engine.reserve(
    exchange.requestId,
    exchange.needs,
    ratesOf(exchange),
    leaving.signal,
  );
  exchange.response.onClientGone = undefined;
  if (outcome.kind !== 'held') {
    noteRefusal(exchange, outcome);
    return false;
  }
  exchange.hold = outcome.hold;
  exchange.reservation = HELD;
  return true;
}

function noteRefusal(exchange: Exchange, outcome: Exclude<ReserveOutcome, { kind: 'held' }>): void {
  if (outcome.kind === 'limited') {
    const limit = ratesOf(exchange)[outcome.index]?.limit;
    exchange.reservation = {
      kind: 'limited',
      rateLimitId: limit?.id ?? '',
      retryAfterMs: outcome.retryAfterMs,
      ...(limit?.class === 'commercial' ? { class: limit.class } : {}),
    };
    return;
  }
  exchange.shortNumbers = outcome.numbers;
  exchange.reservation = {
    kind: 'short',
    index: outcome.index,
    cause: outcome.cause,
    held: outcome.held,
    affordableOutputTokens: undefined,
  };
}
