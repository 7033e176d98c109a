import type { Code } from '../../contract/codes.ts';
import type { Fault } from '../../domain/facts.ts';
import type { Usage } from '../../domain/pricing.ts';
import type { StreamMeter } from '../../providers/provider.ts';
import type { Forwarder } from '../forwarder.ts';
import type { RawHeaders } from '../listener.ts';
import { chargeStage } from '../round.ts';
import type { UpstreamFailure, UpstreamReceiver } from '../upstream.ts';
import {
  buildCutEvent,
  failForward,
  failForwarding,
  failUnexpectedly,
  record,
  releaseHold,
} from './answer.ts';
import { captureWhole, finishStream, noteProgress, UNWRITTEN } from './charging.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { type Growth, growHold, growHoldSlowly, type NoGrowth, noteShort } from './hold-growth.ts';
import { joinChunks } from './join-chunks.ts';
import { askFor, WINDOW_BYTES } from './llm-admission.ts';
import { type Take, withBytes } from '../../domain/take.ts';
import type { UnderstoodCall } from './llm-call.ts';
import { answerBytesMax, codingOf, decode } from './decode-answer.ts';
import { hasEvents } from './event-edges.ts';
import { type LlmBounds, outputTokensMost, usageTake } from './llm-hold.ts';
import { measuredUsage, noteUsage, UsageCounter } from './llm-usage.ts';
import { openStreamMeter } from './open-stream-meter.ts';
import { buildLlmHeaders, openLlmForwarder } from './llm-request.ts';
import { attempt, takeNext } from './next-step.ts';
import { observeRest } from './observe.ts';
import { codeOfFailure, judgeRefusal } from './upstream-trouble.ts';

type Phase = 'waiting' | 'whole' | 'stream' | 'error' | 'ended';

/** The answer to one LLM call: a whole one is charged at its exact cost before its first byte leaves, a stream as it flows. */
export class LlmAnswer implements UpstreamReceiver {
  readonly #context: GatewayContext;
  readonly #exchange: Exchange;
  readonly #call: UnderstoodCall;
  readonly #bounds: LlmBounds;
  #forwarder: Forwarder | undefined;
  #phase: Phase = 'waiting';
  #headers: RawHeaders = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #meter: StreamMeter | undefined;
  readonly #counter: UsageCounter;
  /** What the bytes came to that have been written, and the length of the text in them. */
  #written: Usage | undefined = undefined;
  #textWritten = 0;
  /** Bytes are counted: the hold grows as they pass. */
  #grows = false;
  /** While more is fetched for a chunk, nothing flows. */
  #fetching = false;
  /** Why the hold does not reach, when it does not. */
  #lack: NoGrowth = 'gone';
  /** Tells whoever fetches more that the caller is gone; most answers fetch nothing. */
  #leaving: AbortController | undefined = undefined;

  constructor(
    context: GatewayContext,
    exchange: Exchange,
    call: UnderstoodCall,
    bounds: LlmBounds,
  ) {
    this.#context = context;
    this.#exchange = exchange;
    this.#call = call;
    this.#bounds = bounds;
    this.#counter = new UsageCounter(context.tokenizer, call, bounds);
  }

  start(): void {
    const exchange = this.#exchange;
    const forwarder = openLlmForwarder(this.#context, exchange, this.#call, this);
    this.#forwarder = forwarder;
    const { response } = exchange;
    response.onClientGone = () => attempt(this.#context, exchange, () => this.#leave());
    response.onDrain = () => {
      if (!this.#fetching) forwarder.resume();
    };
    forwarder.start();
    exchange.target = forwarder.target?.url;
  }

  onHead(status: number, headers: RawHeaders): void {
    this.#exchange.upstreamStatus = status;
    this.#headers = headers;
    // What a model writes is never somewhere else.
    if (status >= 300) {
      this.#phase = 'error';
      return;
    }
    if (!hasEvents(headers)) {
      this.#phase = 'whole';
      return;
    }
    if (codingOf(headers) !== undefined) {
      this.#fail('UPSTREAM_FAILED', 'the upstream compressed a stream it was asked to send plain');
      return;
    }
    this.#phase = 'stream';
    this.#exchange.status = status;
    this.#grows = askFor(this.#exchange, this.#call, this.#bounds).grows;
    const inputTokensBound = this.#counter.inputGuess;
    const answer = { inputTokensBound, headers };
    this.#meter = openStreamMeter(this.#context, this.#exchange, this.#call, answer);
  }

  onChunk(chunk: Buffer): boolean {
    if (this.#phase === 'stream') return this.#passOn(chunk);
    if (this.#phase === 'ended') return true;
    this.#bytes += chunk.length;
    if (this.#bytes > answerBytesMax(this.#call.route)) {
      this.#fail('UPSTREAM_FAILED', 'the upstream answered with more than can be metered');
      return true;
    }
    this.#chunks.push(chunk);
    return true;
  }

  onEnd(): void {
    if (this.#phase === 'stream') this.#endStream();
    else if (this.#phase === 'whole') this.#endWhole(joinChunks(this.#chunks));
    else if (this.#phase === 'error') this.#endError(joinChunks(this.#chunks));
  }

  onFailure(failure: UpstreamFailure): void {
    // Whoever aborted it here says how it ended.
    if (this.#phase === 'ended' || failure.kind === 'aborted') return;
    if (this.#phase === 'stream' && this.#exchange.response.headSent) {
      this.#exchange.response.destroy();
      this.#settleMeasured('upstream-broke');
      return;
    }
    this.#fail(codeOfFailure(failure), failure.message);
  }

  /** Bytes of a stream: measured, journalled, then written, in that order and in one section. */
  #passOn(chunk: Buffer): boolean {
    const meter = this.#meter;
    if (meter === undefined) return true;
    const bytes = meter.push(chunk);
    if (meter.failure !== undefined) {
      this.#cut({ code: 'UPSTREAM_FAILED', problem: meter.failure, pointer: undefined });
      return true;
    }
    if (meter.refusal !== undefined) {
      this.#endError(meter.refusal);
      return true;
    }
    if (bytes.length === 0) return this.#breakOff(true);
    this.#exchange.bytesOut += bytes.length;
    if (this.#covers(meter)) return this.#writeCharged(bytes, meter);
    this.#fetchMore(meter)
      .then((more) => {
        if (this.#phase === 'ended') return;
        if (!more && !this.#observeRest(meter)) this.#cutUnwritten(bytes, undefined);
        else if (this.#writeCharged(bytes, meter)) this.#forwarder?.resume();
      })
      .catch((error: unknown) => this.#forwarder?.fail(error));
    return false;
  }

  #writeCharged(bytes: Buffer, meter: StreamMeter): boolean {
    const usage = measuredUsage(meter, this.#bounds);
    if (noteProgress(this.#context, this.#exchange, this.#takeOf(usage))) {
      this.#written = usage;
      this.#textWritten = meter.outputText().length;
      return this.#breakOff(this.#write(bytes));
    }
    this.#cutUnwritten(bytes, UNWRITTEN);
    return true;
  }

  /** Where the upstream gave up for want of our money the stream ends, after what came before. */
  #breakOff(isTaken: boolean): boolean {
    if (this.#exchange.forwarding !== undefined) this.#cut(this.#exchange.forwarding);
    return isTaken;
  }

  /** The hold does not reach and cannot grow. False = the stream is to be cut. */
  #observeRest(meter: StreamMeter): boolean {
    noteShort(this.#context, this.#exchange, this.#growth(meter).take, this.#lack);
    return observeRest(this.#context, this.#exchange);
  }

  #cutUnwritten(bytes: Buffer, fault: Fault | undefined): void {
    this.#exchange.bytesOut -= bytes.length;
    this.#cut(fault);
  }

  #write(bytes: Buffer): boolean {
    const { response } = this.#exchange;
    if (!response.headSent) this.#writeHead(200, undefined, false);
    return response.write(bytes);
  }

  /** An upstream that ignores the output bound is followed only as far as the hold can grow. */
  #covers(meter: StreamMeter): boolean {
    if (this.#exchange.restIsFree) return true;
    if (!this.#grows && meter.outputTokensFloor <= outputTokensMost(this.#bounds)) return true;
    return growHold(this.#context, this.#exchange, this.#growth(meter));
  }

  async #fetchMore(meter: StreamMeter): Promise<boolean> {
    this.#fetching = true;
    let outcome = await this.#growSlowly(this.#growth(meter));
    if (outcome === 'gone' && (await this.#counter.boundInput())) {
      outcome = await this.#growSlowly(this.#growth(meter));
    }
    this.#fetching = false;
    if (outcome !== 'grown') this.#lack = outcome;
    return outcome === 'grown';
  }

  #growSlowly(growth: Growth): ReturnType<typeof growHoldSlowly> {
    this.#leaving ??= new AbortController();
    return growHoldSlowly(this.#context, this.#exchange, growth, this.#leaving.signal);
  }

  #growth(meter: StreamMeter): Growth {
    const inputTokens = this.#counter.inputTokensMost;
    const outputTokens = meter.outputTokensFloor;
    const take = this.#takeOf({ ...meter.usage(), inputTokens, outputTokens });
    return { take, ahead: { ...take, bytesOut: take.bytesOut + WINDOW_BYTES } };
  }

  #endStream(): void {
    const meter = this.#meter;
    if (meter === undefined) return;
    const rest = meter.flush();
    if (meter.refusal !== undefined) this.#endError(meter.refusal);
    else if (this.#exchange.forwarding !== undefined) this.#breakOff(true);
    else if (meter.exact) this.#finish(meter.usage(), rest);
    else {
      this.#counter
        .countStream(meter)
        .then((usage) => this.#finish(usage, rest))
        .catch((error: unknown) => this.#forwarder?.fail(error));
    }
  }

  /** The last bytes of a stream and its final cost. */
  #finish(usage: Usage, rest: Buffer): void {
    if (this.#phase === 'ended') return;
    noteUsage(this.#exchange, usage);
    this.#exchange.bytesOut += rest.length;
    finishStream(this.#context, this.#exchange, this.#takeOf(usage));
    if (rest.length > 0 || !this.#exchange.response.headSent) this.#write(rest);
    this.#exchange.response.end();
    this.#end('complete');
  }

  #endWhole(body: Buffer): void {
    const decoded = decode(body, this.#headers);
    if (decoded === undefined) {
      this.#fail('UPSTREAM_FAILED', 'the upstream compressed its answer and it cannot be metered');
      return;
    }
    const usage = this.#counter.measureWhole(decoded);
    if (usage === undefined) this.#endError(body);
    else if ('then' in usage) {
      this.#orFail(usage.then((counted) => this.#answerWhole(body, counted)));
    } else this.#answerWhole(body, usage);
  }

  /** Charged at its exact cost; what is above the hold is set aside first, as far as there is any. */
  #answerWhole(body: Buffer, usage: Usage): void {
    if (this.#phase === 'ended') return;
    noteUsage(this.#exchange, usage);
    this.#exchange.bytesOut = body.length;
    const take = this.#takeOf(usage);
    const growth = { take, ahead: take };
    const charge = (): void => this.#chargeWhole(body, take);
    if (growHold(this.#context, this.#exchange, growth)) {
      takeNext(chargeStage, this.#context, this.#exchange, charge);
      return;
    }
    this.#orFail(this.#growSlowly(growth).then(charge));
  }

  #chargeWhole(body: Buffer, take: Take): void {
    if (this.#phase === 'ended') return;
    this.#exchange.status = this.#exchange.upstreamStatus ?? 200;
    if (!captureWhole(this.#context, this.#exchange, take)) {
      this.#fail('BILLING_UNAVAILABLE', 'the charge could not be written down');
      return;
    }
    this.#writeHead(this.#exchange.status, body.length, true);
    this.#exchange.response.end(body);
    this.#end('complete');
  }

  /** An upstream's refusal costs nothing (LLM-19). What concerns only us is not shown as the caller's fault. */
  #endError(body: Buffer): void {
    const status = this.#exchange.upstreamStatus ?? 502;
    const { providerId } = this.#call.model;
    const trouble = judgeRefusal(this.#exchange, this.#headers, body, providerId);
    if (trouble !== undefined) {
      this.#stop();
      failForwarding(this.#context, this.#exchange, trouble);
      return;
    }
    releaseHold(this.#context, this.#exchange);
    this.#exchange.status = status;
    this.#exchange.bytesOut = body.length;
    this.#writeHead(status, body.length, true);
    this.#exchange.response.end(body);
    this.#end('complete');
  }

  #writeHead(status: number, length: number | undefined, final: boolean): void {
    const answer = { headers: this.#headers, length, final };
    const { own, shared } = buildLlmHeaders(this.#context, this.#exchange, this.#call, answer);
    this.#exchange.response.writeHead(status, own, shared);
  }

  /** Ends a stream that may not go on, with a proper event; what was seen is charged. No fault = its hold is used up. */
  #cut(fault: Fault | undefined): void {
    this.#forwarder?.abort();
    const { response } = this.#exchange;
    if (!response.headSent) {
      // Nothing was written, and so nothing is owed: the upstream went beyond the bound it was given.
      if (this.#lack === 'unavailable') this.#fail('BILLING_UNAVAILABLE', 'no more could be held');
      else this.#fail(fault?.code ?? 'UPSTREAM_FAILED', fault?.problem ?? 'the hold is used up');
      return;
    }
    if (fault !== undefined) this.#exchange.forwarding = fault;
    response.end(buildCutEvent(this.#context, this.#exchange));
    // Text that came and was not passed on is nothing the caller got.
    const isWithheld = this.#meter?.outputText().length !== this.#textWritten;
    this.#settleMeasured('cut', isWithheld ? this.#written : undefined);
  }

  /** The client broke off: what it was sent is charged, the upstream is told to stop (GW-09). */
  #leave(): void {
    if (this.#phase === 'ended') return;
    this.#leaving?.abort();
    this.#forwarder?.abort();
    if (this.#exchange.response.headSent) {
      this.#settleMeasured('client-gone');
      return;
    }
    releaseHold(this.#context, this.#exchange);
    this.#end('client-gone');
  }

  /**
   * Charges a stream that ended early at what was seen: never nothing, never the maximum. Its input is
   * counted exactly first; should the process die before that, the last PROGRESS stands.
   */
  #settleMeasured(ending: Exchange['ending'], written?: Usage): void {
    const usage = written ?? (this.#meter && measuredUsage(this.#meter, this.#bounds));
    this.#phase = 'ended';
    if (usage === undefined) return;
    if (!usage.estimated) {
      this.#settleAs(usage, ending);
      return;
    }
    const counting = this.#counter.countInputOf(usage, this.#meter?.reported);
    this.#orFail(counting.then((counted) => this.#settleAs(counted, ending)));
  }

  #settleAs(usage: Usage, ending: Exchange['ending']): void {
    noteUsage(this.#exchange, usage);
    finishStream(this.#context, this.#exchange, this.#takeOf(usage));
    this.#end(ending);
  }

  #orFail(work: Promise<void>): void {
    work.catch((error: unknown) => failUnexpectedly(this.#context, this.#exchange, error));
  }

  #fail(code: Code, problem: string): void {
    this.#stop();
    failForward(this.#context, this.#exchange, code, problem);
  }

  #stop(): void {
    this.#phase = 'ended';
    this.#forwarder?.abort();
    this.#exchange.response.onClientGone = undefined;
  }

  #end(ending: Exchange['ending']): void {
    this.#phase = 'ended';
    this.#chunks = [];
    this.#exchange.response.onClientGone = undefined;
    record(this.#context, this.#exchange, ending);
  }

  #takeOf(usage: Usage): Take {
    const { bytesIn, bytesOut } = this.#exchange;
    const take = usageTake(this.#call.price, usage, this.#bounds.choices);
    return withBytes(take, bytesIn, bytesOut);
  }
}
