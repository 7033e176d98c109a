import { goOnIn, type Stage, type Staged } from '../round.ts';
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
  goOnIn(stage, new NextStep(context, exchange, step));
}

class NextStep implements Staged {
  readonly #context: GatewayContext;
  readonly #exchange: Exchange;
  readonly #step: () => void;

  constructor(context: GatewayContext, exchange: Exchange, step: () => void) {
    this.#context = context;
    this.#exchange = exchange;
    this.#step = step;
  }

  proceed(): void {
    attempt(this.#context, this.#exchange, this.#step);
  }
}
