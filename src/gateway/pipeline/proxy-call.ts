import type { Route } from '../../domain/catalog.ts';
import type { Forwarder } from '../forwarder.ts';
import type { BodySink, InboundRequest, RawHeaders } from '../listener.ts';
import type { UpstreamFailure, UpstreamReceiver } from '../upstream.ts';
import { admitSlowly, tryAdmit } from './admission.ts';
import {
  buildCutEvent,
  failForward,
  failForwarding,
  failUnexpectedly,
  record,
  refuse,
  releaseHold,
} from './answer.ts';
import { buildServedHeaders } from './answer-headers.ts';
import { bodyTooLarge } from './collect-body.ts';
import { captureWhole, costOfTake, finishStream, noteProgress, UNWRITTEN } from './charging.ts';
import type { CompiledRoute } from './compile-catalog.ts';
import type { GatewayContext } from './context.ts';
import { takePending } from './entitle.ts';
import { EventEdges, isEventStream } from './event-edges.ts';
import type { Exchange } from './exchange.ts';
import { type CallerAccounts } from './caller-accounts.ts';
import {
  type Growth,
  growHold,
  growHoldSlowly,
  isCovered,
  type NoGrowth,
  noteShort,
  takeAll,
} from './hold-growth.ts';
import { MeteredBody } from './metered-body.ts';
import { attempt } from './next-step.ts';
import { observe, observeRest } from './observe.ts';
import { openForwarder } from './open-forwarder.ts';
import { buildAnswerHeaders } from './outgoing.ts';
import { ProxyMeter } from './proxy-meter.ts';
import { secureAnswer } from './secured-answer.ts';
import { codeOfFailure, mayComplain, UpstreamComplaint } from './upstream-trouble.ts';

/** One call of a proxied route: priced and counted as it passes, streamed both ways, never buffered. */
export class ProxyCall implements UpstreamReceiver {
  readonly #context: GatewayContext;
  readonly #exchange: Exchange;
  readonly #route: Route;
  readonly #compiled: CompiledRoute;
  readonly #meter: ProxyMeter;
  #forwarder: Forwarder | undefined;
  #sentMs = 0;
  #ended = false;
  /** An upstream's refusal that may be about our account with it, while it is read. */
  #complaint: UpstreamComplaint | undefined;
  /** Where its answer may end, when it is a stream of events that is paid as it flows. */
  #events: EventEdges | undefined;
  /** While more money is fetched for a chunk, nothing flows. */
  #fetching = false;
  /** Why the hold does not reach, when it does not. */
  #lack: NoGrowth = 'gone';
  /** Tells whoever fetches more that the caller is gone; most answers fetch nothing. */
  #leaving: AbortController | undefined = undefined;

  constructor(context: GatewayContext, exchange: Exchange, route: Route, compiled: CompiledRoute) {
    this.#context = context;
    this.#exchange = exchange;
    this.#route = route;
    this.#compiled = compiled;
    this.#meter = new ProxyMeter(exchange, compiled);
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
    const needs = this.#meter.ask(accounts);
    if (tryAdmit(this.#context, this.#exchange, needs)) this.#forward();
    else this.#admitSlowly(accounts);
  }

  /** Sends it on and takes nothing of any account: what speaks against it is only observed (EVID-01). */
  pass(): void {
    this.#forward();
  }

  onHead(status: number, headers: RawHeaders): void {
    this.#exchange.upstreamStatus = status;
    if (mayComplain(status, this.#compiled.isOurAccount)) {
      this.#complaint = new UpstreamComplaint(status, headers);
    } else this.#answer(status, headers);
  }

  #answer(status: number, headers: RawHeaders): void {
    const exchange = this.#exchange;
    exchange.status = status;
    this.#meter.noteHead(headers, this.#context.clock.monotonicMs() - this.#sentMs);
    if (this.#meter.grows && isEventStream(headers)) this.#events = new EventEdges();
    if (status >= 400) this.#refund();
    else if (!this.#charge()) {
      this.#forwarder?.abort();
      this.#end('refused');
      failForward(this.#context, exchange, UNWRITTEN.code, UNWRITTEN.problem);
      return;
    }
    const { asset } = this.#exchange.compiled.catalog;
    const { own, shared } = buildServedHeaders(
      exchange,
      this.#context.engine,
      asset,
      !this.#meter.grows,
    );
    exchange.response.writeHead(status, buildAnswerHeaders(exchange, headers, own), shared);
  }

  onChunk(chunk: Buffer): boolean {
    const exchange = this.#exchange;
    if (this.#complaint !== undefined) {
      return this.#ended || !this.#complaint.hear(chunk) || this.#judge(this.#complaint);
    }
    exchange.bytesOut += chunk.length;
    if (!this.#meter.grows || exchange.status >= 400) return exchange.response.write(chunk);
    if (this.#covered()) return this.#writeCharged(chunk);
    this.#fetchMore()
      .then((more) => {
        if (this.#ended) return;
        if (!more && !this.#observeRest()) this.#cutWithin(chunk);
        else if (this.#writeCharged(chunk)) this.#forwarder?.resume();
      })
      .catch((error: unknown) => this.#forwarder?.fail(error));
    return false;
  }

  onEnd(): void {
    if (this.#ended) return;
    if (this.#complaint !== undefined) this.#judge(this.#complaint);
    if (this.#ended) return;
    if (this.#meter.lasts) this.#settleStream();
    this.#exchange.response.end();
    this.#end('complete');
  }

  onFailure(failure: UpstreamFailure): void {
    // Whoever aborted it here says how it ended.
    if (this.#ended || failure.kind === 'aborted') return;
    if (this.#complaint !== undefined) this.#judge(this.#complaint);
    if (this.#ended) return;
    const { response } = this.#exchange;
    if (response.headSent) {
      this.#settleStream();
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

  /** Enough was heard: what is not about us goes on as it came. False = the caller does not take more just now. */
  #judge(complaint: UpstreamComplaint): boolean {
    const fault = complaint.fault(this.#exchange.target, this.#route.upstreamId ?? '');
    if (fault === undefined) {
      const { status, headers, body } = complaint;
      this.#complaint = undefined;
      this.#answer(status, headers);
      return body.length === 0 || this.onChunk(body);
    }
    this.#forwarder?.abort();
    this.#end('refused');
    failForwarding(this.#context, this.#exchange, fault);
    return true;
  }

  #admitSlowly(accounts: CallerAccounts): void {
    admitSlowly(this.#context, this.#exchange, accounts, this.#meter.asked)
      .then((admitted) => {
        if (admitted) this.#forward();
        else if (observe(this.#context, this.#exchange)) this.pass();
        else refuse(this.#context, this.#exchange);
      })
      .catch((error: unknown) => failUnexpectedly(this.#context, this.#exchange, error));
  }

  #forward(): void {
    secureAnswer(this.#context, this.#exchange, this.#route.durability);
    const { request, response } = this.#exchange;
    // Gone while its key was looked up or its hold was waited for: nobody would ever end the call (QUOTA-11).
    if (response.closed) {
      this.#leave();
      return;
    }
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
    response.onClientGone = () => attempt(this.#context, this.#exchange, () => this.#leave());
    response.onDrain = () => {
      if (!this.#fetching) forwarder.resume();
    };
    this.#sentMs = this.#context.clock.monotonicMs();
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
    if (!this.#meter.grows || this.#covered()) return true;
    return this.#fetchMore().then((more) => {
      if (more || this.#ended) return more;
      if (this.#observeRest()) return true;
      sink.onError(new Error('credit used up'));
      this.#stop(() => this.#noteShort());
      return false;
    });
  }

  #growth(): Growth {
    return { take: this.#meter.measured(), ahead: this.#meter.ahead() };
  }

  /** Whether the hold covers what has passed; grows it by a window when it does not. */
  #covered(): boolean {
    if (this.#exchange.restIsFree) return true;
    if (isCovered(this.#exchange, this.#meter.measured())) return true;
    return growHold(this.#context, this.#exchange, this.#growth());
  }

  /** The awaited way to cover what has passed: other slices are asked for. */
  async #fetchMore(): Promise<boolean> {
    this.#fetching = true;
    this.#leaving ??= new AbortController();
    const { signal } = this.#leaving;
    const outcome = await growHoldSlowly(this.#context, this.#exchange, this.#growth(), signal);
    this.#fetching = false;
    if (outcome !== 'grown') this.#lack = outcome;
    // More may have passed meanwhile.
    return outcome === 'grown' && this.#covered();
  }

  /** Refuses a request whose body is still coming, for what `note` leaves on the exchange. */
  #stop(note: () => void): void {
    this.#forwarder?.abort();
    const { response } = this.#exchange;
    if (this.#ended) return;
    this.#end('refused');
    if (response.headSent) {
      this.#settleStream();
      response.destroy();
      record(this.#context, this.#exchange, 'cut');
      return;
    }
    note();
    refuse(this.#context, this.#exchange);
  }

  /** In the middle of the bodies: before an answer has begun nothing is taken of what only is observed. */
  #observeRest(): boolean {
    if (this.#exchange.enforcement === 'enforce') return false;
    this.#noteShort();
    return this.#exchange.response.headSent
      ? observeRest(this.#context, this.#exchange)
      : observe(this.#context, this.#exchange);
  }

  #noteShort(): void {
    noteShort(this.#context, this.#exchange, this.#meter.measured(), this.#lack);
  }

  /** Journals a chunk that the hold covers, then writes it. */
  #writeCharged(chunk: Buffer): boolean {
    if (noteProgress(this.#context, this.#exchange, this.#meter.measured())) {
      return this.#write(chunk);
    }
    this.#exchange.forwarding = UNWRITTEN;
    this.#cut(chunk.length);
    return false;
  }

  #write(chunk: Buffer): boolean {
    this.#events?.pass(chunk);
    return this.#exchange.response.write(chunk);
  }

  /** The hold is used up and cannot grow: as much of the chunk as is left is sent, and charged. */
  #cutWithin(chunk: Buffer): void {
    const exchange = this.#exchange;
    // Its last event says which account does not reach.
    if (this.#events !== undefined) this.#noteShort();
    takeAll(this.#context, exchange, this.#meter.measured());
    const before = exchange.bytesOut - chunk.length;
    let [most, tooMany] = [0, chunk.length];
    while (tooMany - most > 1) {
      const middle = Math.floor((most + tooMany) / 2);
      exchange.bytesOut = before + middle;
      if (isCovered(exchange, this.#meter.measured())) most = middle;
      else tooMany = middle;
    }
    const sent = this.#events?.lastEdge(chunk, most) ?? most;
    exchange.bytesOut = before + sent;
    if (sent > 0 && noteProgress(this.#context, exchange, this.#meter.measured())) {
      this.#write(chunk.subarray(0, sent));
      this.#cut(0);
    } else this.#cut(sent);
  }

  /** What was written is charged. A stream of events is ended by one that says why, another answer is broken off. */
  #cut(unwrittenBytes: number): void {
    this.#exchange.bytesOut -= unwrittenBytes;
    this.#forwarder?.abort();
    const { response } = this.#exchange;
    if (this.#events?.isAtEdge === true) {
      response.end(buildCutEvent(this.#context, this.#exchange));
    } else response.destroy();
    this.#settleStream();
    this.#end('cut');
  }

  /** Charges with the head what is known by then; what lasts longer is charged as it passes. */
  #charge(): boolean {
    const take = this.#meter.measured();
    if (!this.#meter.lasts) return captureWhole(this.#context, this.#exchange, take);
    if (!this.#meter.grows) this.#exchange.costNano = costOfTake(this.#exchange, take);
    return noteProgress(this.#context, this.#exchange, take, !this.#meter.grows);
  }

  /** An upstream's refusal costs nothing (LLM-19); its slots go back when it has ended. */
  #refund(): void {
    if (!this.#meter.lasts) releaseHold(this.#context, this.#exchange);
  }

  /** The end of an answer, however it came, at what was measured. */
  #settleStream(): void {
    const { status } = this.#exchange;
    if (!this.#meter.lasts || status >= 400) releaseHold(this.#context, this.#exchange);
    else finishStream(this.#context, this.#exchange, this.#meter.measured());
  }

  #leave(): void {
    if (this.#ended) return;
    this.#leaving?.abort();
    this.#forwarder?.abort();
    if (this.#exchange.response.headSent) this.#settleStream();
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
