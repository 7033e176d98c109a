import type { Code } from '../../contract/codes.ts';
import type { Route } from '../../domain/catalog.ts';
import type { Usage } from '../../domain/pricing.ts';
import type { StreamMeter } from '../../providers/provider.ts';
import type { Forwarder } from '../forwarder.ts';
import type { RawHeaders } from '../listener.ts';
import type { UpstreamFailure, UpstreamReceiver } from '../upstream.ts';
import {
  describeCut,
  failForMoney,
  failForward,
  failUnexpectedly,
  record,
  releaseHold,
} from './answer.ts';
import { buildServedHeaders } from './answer-headers.ts';
import { captureWhole, finishStream, noteProgress } from './charging.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { amountFor, type Take } from '../../domain/take.ts';
import type { UnderstoodCall } from './llm-call.ts';
import { ANSWER_BYTES_MAX, decode } from './decode-answer.ts';
import { boundTake, type LlmBounds, usageTake } from './llm-hold.ts';
import { buildAnswerHeaders, openForwarder, readHeader } from './outgoing.ts';
import { codeOfFailure, findMoneyTrouble } from './upstream-trouble.ts';

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
  /** What the hold covers by now. */
  #held: Take;

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
    this.#held = boundTake(call.model, bounds, call.access.prepaid);
  }

  start(): void {
    const { model, provider, request, body, parsed, route } = this.#call;
    const { providers } = this.#context.compiled().catalog;
    const upstreamId = providers.get(model.providerId)?.upstreamId ?? '';
    const edited = provider.editBody(body, parsed, {
      upstreamModel: model.upstreamModel,
      outputTokensMax: this.#exchange.clampedOutputTokens,
      includeUsage: request.stream && !request.wantsUsageChunk,
    });
    const forwarder = openForwarder(
      this.#context,
      this.#exchange,
      { route, upstreamId, path: endpointOf(route), body: edited },
      this,
    );
    this.#forwarder = forwarder;
    this.#exchange.response.onClientGone = () => this.#leave();
    this.#exchange.response.onDrain = () => forwarder.resume();
    forwarder.start();
    this.#exchange.target = forwarder.target?.url;
  }

  onHead(status: number, headers: RawHeaders): void {
    this.#exchange.upstreamStatus = status;
    this.#headers = headers;
    if (status >= 400) {
      this.#phase = 'error';
      return;
    }
    const isStream = readHeader(headers, 'content-type')?.startsWith('text/event-stream') === true;
    if (!isStream) {
      this.#phase = 'whole';
      return;
    }
    if (readHeader(headers, 'content-encoding') !== undefined) {
      this.#fail(
        'UPSTREAM_FAILED',
        'the upstream compressed a stream that it was asked to send as it is',
      );
      return;
    }
    this.#phase = 'stream';
    this.#exchange.status = status;
    this.#meter = this.#call.provider.openStreamMeter({
      inputTokensBound: this.#guessInput(),
      keepUsageChunk: this.#call.request.wantsUsageChunk,
    });
  }

  onChunk(chunk: Buffer): boolean {
    if (this.#phase === 'stream') return this.#passOn(chunk);
    if (this.#phase === 'ended') return true;
    this.#bytes += chunk.length;
    if (this.#bytes > ANSWER_BYTES_MAX) {
      this.#fail('UPSTREAM_FAILED', 'the upstream answered with more than can be metered');
      return true;
    }
    this.#chunks.push(chunk);
    return true;
  }

  onEnd(): void {
    if (this.#phase === 'stream') this.#endStream();
    else if (this.#phase === 'whole') this.#endWhole(Buffer.concat(this.#chunks));
    else if (this.#phase === 'error') this.#endError(Buffer.concat(this.#chunks));
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
      this.#cut('UPSTREAM_FAILED', meter.failure);
      return true;
    }
    if (bytes.length === 0) return true;
    if (!this.#covers(meter)) {
      this.#cut('INSUFFICIENT_CREDITS', 'the hold is used up');
      return true;
    }
    if (!noteProgress(this.#context, this.#exchange, this.#takeOf(meter.usage()))) {
      this.#cut('BILLING_UNAVAILABLE', 'the charge could not be written down');
      return true;
    }
    return this.#write(bytes);
  }

  #write(bytes: Buffer): boolean {
    const { response } = this.#exchange;
    this.#exchange.bytesOut += bytes.length;
    if (!response.headSent) this.#writeHead(200, undefined, false);
    return response.write(bytes);
  }

  /** An upstream that ignores the output bound is followed only as far as the hold can grow. */
  #covers(meter: StreamMeter): boolean {
    const most = this.#bounds.outputTokensEach * this.#bounds.choices;
    const { hold } = this.#exchange;
    if (meter.outputTokensFloor <= most || hold === undefined) return true;
    const needed = this.#takeOf({
      ...meter.usage(),
      inputTokens: this.#bounds.inputTokens,
      outputTokens: meter.outputTokensFloor,
    });
    const more = this.#exchange.needs.map(({ account }) =>
      account.unit === 'requests'
        ? 0
        : Math.max(0, amountFor(account.unit, needed) - amountFor(account.unit, this.#held)),
    );
    if (!this.#context.engine.extend(hold, more)) return false;
    this.#held = needed;
    return true;
  }

  #endStream(): void {
    const meter = this.#meter;
    if (meter === undefined) return;
    const rest = meter.flush();
    if (meter.exact) {
      this.#finish(meter.usage(), rest);
      return;
    }
    this.#countOutput(meter)
      .then((usage) => this.#finish(usage, rest))
      .catch((error: unknown) => failUnexpectedly(this.#context, this.#exchange, error));
  }

  /** The last bytes of a stream and its final cost. */
  #finish(usage: Usage, rest: Buffer): void {
    if (this.#phase === 'ended') return;
    this.#noteUsage(usage);
    finishStream(this.#context, this.#exchange, this.#takeOf(usage));
    if (rest.length > 0 || !this.#exchange.response.headSent) this.#write(rest);
    this.#exchange.response.end();
    this.#end('complete');
  }

  #endWhole(body: Buffer): void {
    const decoded = decode(body, readHeader(this.#headers, 'content-encoding'));
    if (decoded === undefined) {
      this.#fail(
        'UPSTREAM_FAILED',
        'the upstream compressed its answer in a way that cannot be metered',
      );
      return;
    }
    const usage = this.#call.provider.readUsage(decoded);
    if (usage !== undefined) {
      this.#answerWhole(body, usage);
      return;
    }
    this.#countWhole(decoded)
      .then((counted) => this.#answerWhole(body, counted))
      .catch((error: unknown) => failUnexpectedly(this.#context, this.#exchange, error));
  }

  #answerWhole(body: Buffer, usage: Usage): void {
    if (this.#phase === 'ended') return;
    this.#noteUsage(usage);
    this.#exchange.status = this.#exchange.upstreamStatus ?? 200;
    if (!captureWhole(this.#context, this.#exchange, this.#takeOf(usage))) {
      this.#fail('BILLING_UNAVAILABLE', 'the charge could not be written down');
      return;
    }
    this.#exchange.bytesOut = body.length;
    this.#writeHead(this.#exchange.status, body.length, true);
    this.#exchange.response.end(body);
    this.#end('complete');
  }

  /** An upstream's refusal costs nothing (LLM-19). What concerns only us is not shown as the caller's fault. */
  #endError(body: Buffer): void {
    const status = this.#exchange.upstreamStatus ?? 502;
    const trouble = findMoneyTrouble({
      status,
      headers: this.#headers,
      body: decode(body, readHeader(this.#headers, 'content-encoding')) ?? body,
      target: this.#exchange.target,
      upstreamId: this.#call.model.providerId,
    });
    if (trouble !== undefined) {
      this.#phase = 'ended';
      this.#exchange.response.onClientGone = undefined;
      failForMoney(this.#context, this.#exchange, trouble);
      return;
    }
    if (status === 401 || status === 403 || status >= 500) {
      this.#fail('UPSTREAM_FAILED', `the upstream answered ${status}`);
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
    const { asset } = this.#context.compiled().catalog;
    const served = buildServedHeaders(this.#exchange, this.#context.engine, asset, final);
    if (length !== undefined) served.push('Content-Length', String(length));
    this.#exchange.response.writeHead(
      status,
      buildAnswerHeaders(this.#context, this.#exchange, this.#headers, served),
    );
  }

  /** Ends a stream that may not go on, with a proper event; what was seen is charged. */
  #cut(code: Code, problem: string): void {
    this.#forwarder?.abort();
    const { response } = this.#exchange;
    if (!response.headSent) {
      this.#fail(code === 'INSUFFICIENT_CREDITS' ? 'UPSTREAM_FAILED' : code, problem);
      return;
    }
    response.end(
      this.#call.provider.streamErrorEvent(
        describeCut(this.#context, this.#exchange, code, problem),
      ),
    );
    this.#settleMeasured('cut');
  }

  /** The client broke off: what it was sent is charged, the upstream is told to stop (GW-09). */
  #leave(): void {
    if (this.#phase === 'ended') return;
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
  #settleMeasured(ending: Exchange['ending']): void {
    const usage = this.#meter?.usage();
    this.#phase = 'ended';
    if (usage === undefined) return;
    if (!usage.estimated) {
      this.#settleAs(usage, ending);
      return;
    }
    this.#count(this.#call.request.inputText(), usage.inputTokens)
      .then((inputTokens) => this.#settleAs({ ...usage, inputTokens }, ending))
      .catch((error: unknown) => failUnexpectedly(this.#context, this.#exchange, error));
  }

  #settleAs(usage: Usage, ending: Exchange['ending']): void {
    this.#noteUsage(usage);
    finishStream(this.#context, this.#exchange, this.#takeOf(usage));
    this.#end(ending);
  }

  /** Four bytes a token: what a stream's input counts as until the upstream or a tokenizer says. */
  #guessInput(): number {
    return Math.ceil(this.#bounds.inputTokens / 4);
  }

  #fail(code: Code, problem: string): void {
    this.#phase = 'ended';
    this.#forwarder?.abort();
    this.#exchange.response.onClientGone = undefined;
    failForward(this.#context, this.#exchange, code, problem);
  }

  #end(ending: Exchange['ending']): void {
    this.#phase = 'ended';
    this.#chunks = [];
    this.#exchange.response.onClientGone = undefined;
    record(this.#context, this.#exchange, ending);
  }

  #takeOf(usage: Usage): Take {
    return usageTake(this.#call.model, usage, this.#call.access.prepaid);
  }

  #noteUsage(usage: Usage): void {
    this.#exchange.inputTokens = usage.inputTokens;
    this.#exchange.cachedInputTokens = usage.cachedInputTokens;
    this.#exchange.outputTokens = usage.outputTokens;
    this.#exchange.estimated = usage.estimated;
  }

  /** The upstream said nothing of usage: count what it wrote, exactly, off the event loop (LLM-06). */
  async #countOutput(meter: StreamMeter): Promise<Usage> {
    const measured = meter.usage();
    const counted = await this.#countTexts(meter.outputText(), measured.outputTokens);
    return {
      ...measured,
      ...counted,
      outputTokens: Math.max(counted.outputTokens, meter.outputTokensFloor),
    };
  }

  async #countWhole(answer: Buffer): Promise<Usage> {
    const counted = await this.#countTexts(
      this.#call.provider.readOutputText(answer),
      Math.ceil(answer.length / 4),
    );
    return { cachedInputTokens: 0, bytesIn: 0, bytesOut: 0, ...counted };
  }

  async #countTexts(output: string, outputGuess: number) {
    const [inputTokens, outputTokens] = await Promise.all([
      this.#count(this.#call.request.inputText(), this.#guessInput()),
      this.#count(output, outputGuess),
    ]);
    return { inputTokens, outputTokens, estimated: true };
  }

  /** A tokenizer that is busy or down must not lose the charge: the guess by bytes stands in. */
  async #count(text: string, guess: number): Promise<number> {
    try {
      return await this.#context.tokenizer.count(text);
    } catch {
      return guess;
    }
  }
}

/** Below the provider's base URL, which names the version (`https://host/v1`). */
function endpointOf(route: Route): string {
  return route.kind === 'embeddings' ? '/embeddings' : '/chat/completions';
}
