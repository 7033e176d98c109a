import type { Decision } from '../../domain/decide.ts';
import { decide } from '../../domain/decide.ts';
import type { Facts } from '../../domain/facts.ts';
import type { Engine, ExtendOutcome, Hold, Need } from '../../engine/engine.ts';
import { requestId as createRequestId } from '../../platform/ids.ts';
import type { RawHeaders } from '../listener.ts';
import type { UpstreamCall, UpstreamClient } from '../upstream.ts';
import type { GatewayContext } from './context.ts';
import { Exchange, factsOf } from './exchange.ts';
import { type KeptAnswer, KeptResponse } from './kept-response.ts';
import { createPipeline, judge } from './pipeline.ts';
import { ReplayedRequest } from './replayed-request.ts';

/** A request that came from no network: somebody asks about it, or a page makes it for a person. */
export interface AskedRequest {
  readonly method: string;
  /** `/path?query`. */
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  readonly remoteAddress: string;
  /** Of the request that asks, so that its answer names one id and not two; undefined = a new one. */
  readonly requestId?: string;
}

/**
 * `check`: reserves for real and gives back, so that the answer is the one the request would get now.
 * `quote`: reserves nothing and asks no balance, so that a price is told to who cannot pay it too.
 */
export type RehearsalMode = 'check' | 'quote';

export interface Rehearsal {
  readonly facts: Facts;
  readonly decision: Decision;
  /** Most it may cost, in nano, without what is billed beyond an allowance. */
  readonly holdNano: number;
  /** It may cost more than that: an answer that is priced by its bytes has no bound before it is there. */
  readonly costIsOpen: boolean;
  /** The answer it would get, when it is refused. */
  readonly refusal:
    | { readonly status: number; readonly headers: RawHeaders; readonly body: string }
    | undefined;
}

export type Rehearse = (request: AskedRequest, mode: RehearsalMode) => Promise<Rehearsal>;

const REFUSAL_BYTES_MAX = 256 * 1024;

/**
 * Runs a request through the same pipeline as a real one, up to the moment it would be sent on (DIAG-10,
 * DISC-07). Nothing is logged, counted, charged or sent.
 */
export function createRehearsal(context: GatewayContext): Rehearse {
  // What is not logged cannot be explained later: a link to it would lead nowhere.
  const links = { ...context.links, explainLink: () => undefined };
  return (request, mode) =>
    new Promise((resolve) => {
      let answer: KeptAnswer | undefined;
      const response = new KeptResponse(REFUSAL_BYTES_MAX, (ended) => {
        answer = ended;
      });
      const engine = new RehearsedEngine(context.engine, mode);
      const exchange = new Exchange(toInbound(request), response, {
        requestId: request.requestId ?? createRequestId(context.clock.now()),
        at: context.clock.now(),
        startedMs: context.clock.monotonicMs(),
        compiled: context.compiled(),
      });
      const end = (): void => {
        const told = factsOf(exchange, (need) => context.engine.peek(need.account), 0);
        // Also of a request that would pass: with other terms it is tried by what it takes.
        const facts = { ...told, take: exchange.take };
        engine.release();
        const decision = decide(facts);
        const { holdNano, costIsOpen } = exchange;
        const refusal =
          decision.kind === 'refuse' && answer !== undefined
            ? { status: answer.status, headers: answer.headers, body: answer.body.toString() }
            : undefined;
        resolve({ facts, decision, holdNano, costIsOpen, refusal });
      };
      const ended = { add: end, count: () => undefined };
      judge(
        {
          ...context,
          links,
          engine,
          recorder: ended,
          metrics: ended,
          upstreams: new RehearsedUpstream(end),
        },
        exchange,
      );
      // A pre-flight is answered by then, and nothing of it is ever recorded.
      if (answer !== undefined && !exchange.recorded) end();
    });
}

/** Answers larger or slower than this are cut: a person looks at them on a page. */
const SHOWN_BYTES_MAX = 64 * 1024;
const SHOWN_MS_MAX = 30_000;

/** Makes a request for real, and keeps the beginning of its answer. */
export function createPerformer(
  context: GatewayContext,
): (request: AskedRequest) => Promise<KeptAnswer> {
  const handle = createPipeline(context);
  return (request) =>
    new Promise((resolve) => {
      const response = new KeptResponse(SHOWN_BYTES_MAX, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      const timer = setTimeout(() => response.leave(), SHOWN_MS_MAX);
      handle(toInbound(request), response);
    });
}

/** Where the rehearsal ends: the request would leave now. */
class RehearsedUpstream implements UpstreamClient {
  readonly #reached: () => void;

  constructor(reached: () => void) {
    this.#reached = reached;
  }

  send(): UpstreamCall {
    this.#reached();
    return { resume: () => undefined, abort: () => undefined };
  }

  async close(): Promise<void> {
    // Nothing was opened.
  }
}

const TOOK_NOTHING: readonly number[] = [];

/** The real engine, whose holds are given back and never charged. */
class RehearsedEngine implements Engine {
  readonly #engine: Engine;
  readonly #mode: RehearsalMode;
  #hold: Hold | undefined = undefined;

  constructor(engine: Engine, mode: RehearsalMode) {
    this.#engine = engine;
    this.#mode = mode;
  }

  tryReserve(...args: Parameters<Engine['tryReserve']>): Hold | undefined {
    const [requestId, needs] = args;
    if (this.#mode === 'quote') return this.#pretend(requestId, needs);
    return this.#keep(this.#engine.tryReserve(...args));
  }

  refuseAtOnce(...args: Parameters<Engine['refuseAtOnce']>): ReturnType<Engine['refuseAtOnce']> {
    return this.#engine.refuseAtOnce(...args);
  }

  async reserve(...args: Parameters<Engine['reserve']>): ReturnType<Engine['reserve']> {
    const outcome = await this.#engine.reserve(...args);
    if (outcome.kind === 'held') this.#keep(outcome.hold);
    return outcome;
  }

  extend(...args: Parameters<Engine['extend']>): boolean {
    return this.#mode === 'quote' || this.#engine.extend(...args);
  }

  async extendSlowly(...args: Parameters<Engine['extendSlowly']>): Promise<ExtendOutcome> {
    return this.#mode === 'quote' ? 'grown' : this.#engine.extendSlowly(...args);
  }

  capture(): readonly number[] {
    return TOOK_NOTHING;
  }

  progress(): boolean {
    return true;
  }

  finish(): readonly number[] {
    return TOOK_NOTHING;
  }

  secureCharge(): Promise<readonly number[]> {
    return Promise.resolve(TOOK_NOTHING);
  }

  secureProgress(): Promise<boolean> {
    return Promise.resolve(true);
  }

  release(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    if (hold !== undefined) this.#engine.release(hold);
  }

  takeToken(): number {
    // A question is no repetition of a refused call.
    return 0;
  }

  spare(...args: Parameters<Engine['spare']>): number {
    return this.#engine.spare(...args);
  }

  peek(...args: Parameters<Engine['peek']>): ReturnType<Engine['peek']> {
    return this.#engine.peek(...args);
  }

  askRate(...args: Parameters<Engine['askRate']>): Promise<number> {
    return this.#engine.askRate(...args);
  }

  peekRate(...args: Parameters<Engine['peekRate']>): number | undefined {
    return this.#engine.peekRate(...args);
  }

  #keep(hold: Hold | undefined): Hold | undefined {
    this.#hold = hold;
    return hold;
  }

  #pretend(requestId: string, needs: readonly Need[]): Hold {
    return { requestId, needs, amounts: needs.map(({ amount }) => amount) };
  }
}

function toInbound(asked: AskedRequest): ReplayedRequest {
  return new ReplayedRequest({ ...asked, secure: true }, asked.body);
}
