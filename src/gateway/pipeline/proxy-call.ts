import { costOf } from '../../domain/pricing.ts';
import { toSafeNumber } from '../../domain/money.ts';
import type { Route } from '../../domain/catalog.ts';
import type { Forwarder } from '../forwarder.ts';
import type { BodySink, InboundRequest, RawHeaders } from '../listener.ts';
import type { UpstreamFailure, UpstreamReceiver } from '../upstream.ts';
import { admitSlowly, tryAdmit } from './admission.ts';
import {
  failForMoney,
  failForward,
  failUnexpectedly,
  record,
  refuse,
  releaseHold,
} from './answer.ts';
import { buildServedHeaders } from './answer-headers.ts';
import { bodyTooLarge } from './collect-body.ts';
import { captureWhole, finishStream, noteProgress } from './charging.ts';
import type { CompiledRoute } from './compile-catalog.ts';
import type { GatewayContext } from './context.ts';
import { takePending } from './entitle.ts';
import type { Exchange } from './exchange.ts';
import { NO_TAKE, type Take } from '../../domain/take.ts';
import { countedAs } from './caller-accounts.ts';
import { MeteredBody } from './metered-body.ts';
import { observe } from './observe.ts';
import { buildAnswerHeaders, openForwarder } from './outgoing.ts';
import { codeOfFailure, UpstreamComplaint } from './upstream-trouble.ts';

/** Bytes a per-byte price holds ahead of what has passed. */
const WINDOW_BYTES = 1024 * 1024;

/** One call of a proxied route: priced by request and by byte, streamed both ways, never buffered. */
export class ProxyCall implements UpstreamReceiver {
  readonly #context: GatewayContext;
  readonly #exchange: Exchange;
  readonly #route: Route;
  readonly #compiled: CompiledRoute;
  #forwarder: Forwarder | undefined;
  #heldNano = 0;
  #ended = false;
  /** The upstream's 402, while it is read. */
  #complaint: UpstreamComplaint | undefined;
  /** While more money is fetched for a chunk, nothing flows. */
  #fetching = false;
  readonly #leaving = new AbortController();

  constructor(context: GatewayContext, exchange: Exchange, route: Route, compiled: CompiledRoute) {
    this.#context = context;
    this.#exchange = exchange;
    this.#route = route;
    this.#compiled = compiled;
  }

  start(): void {
    const { contentLength } = this.#exchange.request;
    const bytesMax = this.#route.bodyBytesMax;
    if (bytesMax !== undefined && contentLength > bytesMax) {
      this.#exchange.understanding = bodyTooLarge(bytesMax);
      refuse(this.#context, this.#exchange);
      return;
    }
    const { accounts } = this.#exchange;
    if (accounts === undefined) {
      this.#forward();
      return;
    }
    this.#heldNano = accounts.prepaid ? this.#firstHoldNano(contentLength) : 0;
    this.#exchange.holdNano = this.#heldNano;
    const take = { ...NO_TAKE, nano: this.#heldNano };
    this.#exchange.take = take;
    const needs = this.#compiled.perByte
      ? accounts.needsAt(countedAs(this.#route), take, this.#exchange.at)
      : accounts.flatNeedsAt(this.#route, take, this.#exchange.at);
    if (tryAdmit(this.#context, this.#exchange, needs)) this.#forward();
    else this.#admitSlowly();
  }

  /** Sends it on and takes nothing of any account: what speaks against it is only observed (EVID-01). */
  pass(): void {
    this.#heldNano = 0;
    this.#forward();
  }

  onHead(status: number, headers: RawHeaders): void {
    const exchange = this.#exchange;
    exchange.upstreamStatus = status;
    // An upstream that wants money wants the provider's, never the caller's (REQUIREMENTS "the upstream's own 402").
    if (status === 402) {
      this.#complaint = new UpstreamComplaint(headers);
      return;
    }
    exchange.status = status;
    if (status >= 400) releaseHold(this.#context, exchange);
    else if (!this.#charge()) {
      this.#forwarder?.abort();
      this.#end('refused');
      failForward(
        this.#context,
        exchange,
        'BILLING_UNAVAILABLE',
        'the charge could not be written down',
      );
      return;
    }
    const { asset } = this.#context.compiled().catalog;
    const served = buildServedHeaders(
      exchange,
      this.#context.engine,
      asset,
      !this.#compiled.perByte,
    );
    exchange.response.writeHead(
      status,
      buildAnswerHeaders(this.#context, exchange, headers, served),
    );
  }

  onChunk(chunk: Buffer): boolean {
    const exchange = this.#exchange;
    if (this.#complaint !== undefined) {
      if (!this.#ended && this.#complaint.hear(chunk)) this.#failForMoney(this.#complaint);
      return true;
    }
    exchange.bytesOut += chunk.length;
    if (!this.#compiled.perByte || exchange.status >= 400) return exchange.response.write(chunk);
    if (this.#covered()) return this.#writeCharged(chunk);
    this.#fetchMore()
      .then((more) => {
        if (this.#ended) return;
        if (!more) this.#cut(chunk.length);
        else if (this.#writeCharged(chunk)) this.#forwarder?.resume();
      })
      .catch((error: unknown) => failUnexpectedly(this.#context, exchange, error));
    return false;
  }

  onEnd(): void {
    if (this.#ended) return;
    if (this.#complaint !== undefined) {
      this.#failForMoney(this.#complaint);
      return;
    }
    if (this.#compiled.perByte) finishStream(this.#context, this.#exchange, this.#measured());
    this.#exchange.response.end();
    this.#end('complete');
  }

  onFailure(failure: UpstreamFailure): void {
    // Whoever aborted it here says how it ended.
    if (this.#ended || failure.kind === 'aborted') return;
    if (this.#complaint !== undefined) {
      this.#failForMoney(this.#complaint);
      return;
    }
    const { response } = this.#exchange;
    if (response.headSent) {
      this.#settleBroken();
      response.destroy();
      this.#end('upstream-broke');
      return;
    }
    this.#end('refused');
    if (failure.kind === 'client-body') {
      this.#exchange.understanding = {
        code: 'MALFORMED_REQUEST',
        problem: failure.message,
        pointer: undefined,
      };
      refuse(this.#context, this.#exchange);
      return;
    }
    failForward(this.#context, this.#exchange, codeOfFailure(failure), failure.message);
  }

  #failForMoney(complaint: UpstreamComplaint): void {
    this.#forwarder?.abort();
    this.#end('refused');
    const fault = complaint.fault(this.#exchange.target, this.#route.upstreamId ?? '');
    failForMoney(this.#context, this.#exchange, fault);
  }

  /** Cost of what is certain to pass plus a window: the hold grows as bytes flow. */
  #firstHoldNano(contentLength: number): number {
    if (!this.#compiled.perByte) return this.#compiled.requestNano;
    return this.#costNano(contentLength >= 0 ? contentLength : WINDOW_BYTES, WINDOW_BYTES);
  }

  #costNano(bytesIn: number, bytesOut: number): number {
    const usage = {
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      bytesIn,
      bytesOut,
      estimated: false,
    };
    return toSafeNumber(costOf(this.#route.price, usage));
  }

  #measured(): Take {
    const nano =
      this.#exchange.access?.prepaid === true
        ? this.#costNano(this.#exchange.bytesIn, this.#exchange.bytesOut)
        : 0;
    return { ...NO_TAKE, nano };
  }

  #admitSlowly(): void {
    admitSlowly(this.#context, this.#exchange)
      .then((admitted) => {
        if (admitted) this.#forward();
        else if (observe(this.#context, this.#exchange)) this.pass();
        else refuse(this.#context, this.#exchange);
      })
      .catch((error: unknown) => failUnexpectedly(this.#context, this.#exchange, error));
  }

  #forward(): void {
    const { request, response } = this.#exchange;
    const route = this.#route;
    const body = request.contentLength === 0 ? undefined : this.#meterBody(request);
    const path = this.#compiled.rewrite(request.target);
    const upstreamId = route.upstreamId ?? '';
    const forwarder = openForwarder(
      this.#context,
      this.#exchange,
      { route, upstreamId, path, body },
      this,
    );
    this.#forwarder = forwarder;
    response.onClientGone = () => this.#leave();
    response.onDrain = () => {
      if (!this.#fetching) forwarder.resume();
    };
    forwarder.start();
    this.#exchange.target = forwarder.target?.url;
  }

  #meterBody(request: InboundRequest): InboundRequest {
    this.#exchange.bodyStarted = true;
    return new MeteredBody(request, (bytes, sink) => this.#takeBytesIn(bytes, sink));
  }

  /** False = the chunk must not go on: over the route's bound, or not paid for. */
  #takeBytesIn(bytes: number, sink: BodySink): boolean | Promise<boolean> {
    const exchange = this.#exchange;
    exchange.bytesIn += bytes;
    const bytesMax = this.#route.bodyBytesMax;
    if (bytesMax !== undefined && exchange.bytesIn > bytesMax) {
      sink.onError(new Error('body too large'));
      this.#stop(() => (exchange.understanding = bodyTooLarge(bytesMax)));
      return false;
    }
    const pending = exchange.pendingEntitlement;
    if (pending !== undefined && exchange.bytesIn > pending.bytesMax) {
      takePending(exchange, pending);
      if (!observe(this.#context, exchange)) {
        sink.onError(new Error('the plan sends no more'));
        this.#stop(() => undefined);
        return false;
      }
    }
    if (!this.#compiled.perByte || this.#covered()) return true;
    return this.#fetchMore().then((more) => {
      if (more || this.#ended) return more;
      sink.onError(new Error('credit used up'));
      this.#stop(() => this.#noteShort());
      return false;
    });
  }

  /** The awaited way to cover what has passed: other slices are asked for, for at most a second. */
  async #fetchMore(): Promise<boolean> {
    const { hold, needs } = this.#exchange;
    if (hold === undefined) return false;
    const more = this.#measured().nano - this.#heldNano;
    const amounts = needs.map((need) => (isMoney(need.account.unit) ? more : 0));
    this.#fetching = true;
    const fetched = await this.#context.engine.extendSlowly(hold, amounts, this.#leaving.signal);
    this.#fetching = false;
    if (fetched) this.#heldNano += more;
    return fetched && this.#covered();
  }

  /** Refuses a request whose body is still coming, for what `note` leaves on the exchange. */
  #stop(note: () => void): void {
    this.#forwarder?.abort();
    const { response } = this.#exchange;
    if (this.#ended) return;
    this.#end('refused');
    if (response.headSent) {
      this.#settleBroken();
      response.destroy();
      record(this.#context, this.#exchange, 'cut');
      return;
    }
    note();
    refuse(this.#context, this.#exchange);
  }

  /** The balance is what does not reach: the refusal names it with its numbers. */
  #noteShort(): void {
    const index = this.#exchange.needs.findIndex((need) => need.account.kind === 'balance');
    const need = this.#exchange.needs[index];
    this.#exchange.shortNumbers = need && this.#context.engine.peek(need.account);
    this.#exchange.reservation = {
      kind: 'short',
      index,
      cause: 'gone',
      held: 0,
      affordableOutputTokens: undefined,
    };
  }

  /** Whether the hold covers what has passed; grows it by a window when it does not. */
  #covered(): boolean {
    const { hold } = this.#exchange;
    const now = this.#measured();
    if (hold === undefined || now.nano <= this.#heldNano) return true;
    const ahead = this.#costNano(
      this.#exchange.bytesIn + WINDOW_BYTES,
      this.#exchange.bytesOut + WINDOW_BYTES,
    );
    for (const target of [ahead, now.nano]) {
      const more = target - this.#heldNano;
      if (
        !this.#context.engine.extend(
          hold,
          this.#exchange.needs.map((need) => (isMoney(need.account.unit) ? more : 0)),
        )
      )
        continue;
      this.#heldNano = target;
      return true;
    }
    return false;
  }

  /** Journals a chunk that the hold covers, then writes it. */
  #writeCharged(chunk: Buffer): boolean {
    if (noteProgress(this.#context, this.#exchange, this.#measured())) {
      return this.#exchange.response.write(chunk);
    }
    this.#cut(chunk.length);
    return false;
  }

  /** The hold is used up and cannot grow: what was written is charged, the chunk in hand is not. */
  #cut(unwrittenBytes: number): void {
    this.#exchange.bytesOut -= unwrittenBytes;
    this.#forwarder?.abort();
    this.#settleBroken();
    this.#exchange.response.destroy();
    this.#end('cut');
  }

  /** Charges a flat price with the head; a per-byte price begins with its first byte. */
  #charge(): boolean {
    if (!this.#compiled.perByte)
      return captureWhole(this.#context, this.#exchange, { ...NO_TAKE, nano: this.#heldNano });
    return noteProgress(this.#context, this.#exchange, this.#measured());
  }

  #settleBroken(): void {
    if (this.#compiled.perByte && this.#exchange.status < 400)
      finishStream(this.#context, this.#exchange, this.#measured());
    else releaseHold(this.#context, this.#exchange);
  }

  #leave(): void {
    if (this.#ended) return;
    this.#leaving.abort();
    this.#forwarder?.abort();
    if (this.#exchange.response.headSent) this.#settleBroken();
    else releaseHold(this.#context, this.#exchange);
    this.#end('client-gone');
    record(this.#context, this.#exchange, 'client-gone');
  }

  #end(ending: Exchange['ending']): void {
    this.#ended = true;
    this.#exchange.response.onClientGone = undefined;
    if (ending !== 'refused' && ending !== 'client-gone')
      record(this.#context, this.#exchange, ending);
  }
}

function isMoney(unit: string): boolean {
  return unit !== 'requests' && unit !== 'tokens';
}
