import type { Durability } from '../../domain/catalog.ts';
import type { Secured } from '../../engine/engine.ts';
import type { InboundResponse } from '../listener.ts';
import { buildCutEvent, failForward, record, releaseHold } from './answer.ts';
import { UNWRITTEN } from './charging.ts';
import { amendCost } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { HeldResponse } from './held-response.ts';

/** What an answer has come to. */
interface Charged {
  readonly amounts: readonly number[];
  readonly costNano: number;
}

/** Makes the answer of this exchange wait for its charge, where its class says so and something is charged. */
export function secureAnswer(
  context: GatewayContext,
  exchange: Exchange,
  durability: Durability,
): void {
  if (durability === 'journal' || exchange.hold === undefined) return;
  exchange.secured = new SecuredAnswer(context, exchange, durability);
}

/**
 * An answer whose charge has to be safe before any of it leaves (docs/decisions, "durability is a class"). The pipeline
 * charges and writes as ever; the bytes wait, and so does the log row. A charge that cannot be made safe turns the
 * answer into a 503, or breaks it off.
 */
export class SecuredAnswer {
  readonly durability: Secured;
  readonly #context: GatewayContext;
  readonly #exchange: Exchange;
  readonly #response: InboundResponse;
  readonly #held: HeldResponse;
  #waits = 0;
  #hasFailed = false;
  /** How it ended, when that was known before its charge was safe. */
  #ending: Exchange['ending'] | undefined;
  /** What the caller may have seen. */
  #safe: Charged = { amounts: [], costNano: 0 };

  constructor(context: GatewayContext, exchange: Exchange, durability: Secured) {
    this.#context = context;
    this.#exchange = exchange;
    this.durability = durability;
    this.#response = exchange.response;
    this.#held = new HeldResponse(exchange.response, (headers) => amendCost(exchange, headers));
    exchange.response = this.#held;
  }

  /** Nothing leaves until `outcome` says that `charged` is safe. */
  waitFor(outcome: Promise<boolean>, charged: Charged): void {
    this.#waits += 1;
    this.#held.hold();
    outcome
      .catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#context.logger.error({ request_id: this.#exchange.requestId, error: text }, FAULT);
        return false;
      })
      .then((isSafe) => this.#settle(isSafe, charged))
      .catch(() => this.#response.destroy());
  }

  /** True = the log row is written when the charge is safe. */
  postpones(ending: Exchange['ending']): boolean {
    if (this.#waits === 0 && !this.#hasFailed) return false;
    this.#ending = ending;
    return true;
  }

  #settle(isSafe: boolean, charged: Charged): void {
    this.#waits -= 1;
    if (this.#hasFailed) return;
    if (!isSafe) {
      this.#fail();
      return;
    }
    this.#safe = charged;
    if (this.#waits > 0) return;
    const isGone = this.#held.closed;
    this.#held.letGo();
    const ending = this.#ending;
    if (ending === undefined) return;
    // What its upstream broke off was closed here, and by no caller.
    const hasLeft = isGone && ending !== 'upstream-broke';
    record(this.#context, this.#exchange, hasLeft ? 'client-gone' : ending);
  }

  /** What waited is never sent, and whoever sends it stops as if the caller had left. */
  #fail(): void {
    this.#hasFailed = true;
    const [context, exchange] = [this.#context, this.#exchange];
    const { hold } = exchange;
    exchange.hold = undefined;
    this.#held.drop();
    this.#held.onClientGone?.();
    exchange.hold = hold;
    exchange.secured = undefined;
    exchange.response = this.#response;
    exchange.costNano = this.#safe.costNano;
    if (this.#response.headSent) {
      this.#breakOff();
      return;
    }
    releaseHold(context, exchange);
    failForward(context, exchange, UNWRITTEN.code, UNWRITTEN.problem);
  }

  /** The caller has seen a part, which is charged. */
  #breakOff(): void {
    const [context, exchange] = [this.#context, this.#exchange];
    const { hold } = exchange;
    exchange.hold = undefined;
    if (hold !== undefined) context.engine.finish(hold, this.#safe.amounts);
    exchange.forwarding = UNWRITTEN;
    if (exchange.route?.kind === 'proxy') this.#response.destroy();
    else this.#response.end(buildCutEvent(context, exchange));
    record(context, exchange, 'cut');
  }
}

const FAULT = 'a charge could not be made safe';
