import type { AddressLimiter } from '../address-limiter.ts';
import { refuse } from './answer.ts';
import { addressOf } from './caller-address.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

const SHED_RETRY_MS = 1000;

/** More requests are under way than this worker takes on: some are turned away at once, so that not all are answered late (PERF-04). */
export function shed(context: GatewayContext, exchange: Exchange): void {
  exchange.routing = {
    code: 'OVERLOADED',
    problem: 'more requests are under way than this worker takes on',
    pointer: undefined,
    retryAfterMs: SHED_RETRY_MS,
  };
  refuse(context, exchange);
}

/** The limit by address, before a key is looked at: guessing keys is slowed too. False = the call is refused (429). */
export function accept(
  context: GatewayContext,
  exchange: Exchange,
  limiter: AddressLimiter,
): boolean {
  const address = addressOf(context, exchange);
  const retryAfterMs = limiter.take(address, exchange.startedMs);
  if (retryAfterMs === 0) return true;
  exchange.routing = {
    code: 'RATE_LIMITED',
    problem: `${address} sends more requests than one address may`,
    pointer: undefined,
    retryAfterMs,
  };
  refuse(context, exchange);
  return false;
}
