import { goOnIn, type Stage } from '../round.ts';
import { failUnexpectedly } from './answer.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/** One step of a request. A fault in it ends that request alone. */
export function attempt(context: GatewayContext, exchange: Exchange, step: () => void): void {
  try {
    step();
  } catch (error) {
    failUnexpectedly(context, exchange, error);
  }
}

/** The next step of a request, beside the same step of others. */
export function takeNext(
  stage: Stage,
  context: GatewayContext,
  exchange: Exchange,
  step: () => void,
): void {
  goOnIn(stage, { proceed: () => attempt(context, exchange, step) });
}
