import type { Usage } from '../../domain/pricing.ts';
import type { StreamMeter, TokenUsage } from '../../providers/provider.ts';
import type { TokenCounter } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { UnderstoodCall } from './llm-call.ts';
import { type LlmBounds, outputTokensMost } from './llm-hold.ts';

/** Counts, exactly and off the event loop, what an upstream did not say (LLM-06). */
export class UsageCounter {
  readonly #tokenizer: TokenCounter;
  readonly #call: UnderstoodCall;
  readonly #bounds: LlmBounds;
  /** Four bytes a token: what an input counts as until the upstream or a tokenizer says. */
  readonly inputGuess: number;
  /** The most that its input can be: by its bytes, until that keeps back what an answer could go on with. */
  inputTokensMost: number;

  constructor(tokenizer: TokenCounter, call: UnderstoodCall, bounds: LlmBounds) {
    this.#tokenizer = tokenizer;
    this.#call = call;
    this.#bounds = bounds;
    this.inputGuess = Math.ceil(bounds.inputTokens / 4);
    this.inputTokensMost = bounds.inputTokens;
  }

  /** Counts the input, so that no more is kept for it than it can come to. False = it is no less than was known. */
  async boundInput(): Promise<boolean> {
    const { inputText, inputTokensOverhead } = this.#call.request;
    const before = this.inputTokensMost;
    const counted = (await this.#count(inputText, before)) + inputTokensOverhead;
    // PROGRESS is written with the guess.
    this.inputTokensMost = Math.min(before, Math.max(counted, this.inputGuess));
    return this.inputTokensMost < before;
  }

  /** What a stream came to that has ended without saying all of it. */
  async countStream(meter: StreamMeter): Promise<Usage> {
    const { reported } = meter;
    const measured = measuredUsage(meter, this.#bounds);
    // A part was counted by the upstream: the rest is too little for a tokenizer to tell apart.
    if (reported !== undefined && reported.outputTokens > 0) return measured;
    const text = (): string => meter.outputText();
    const counted = await this.#countTexts(reported, text, measured.outputTokens);
    const outputTokens = Math.max(counted.outputTokens, meter.outputTokensFloor);
    return { ...measured, ...counted, outputTokens };
  }

  /** What a whole answer came to; undefined = it is an error, or no answer of a model. */
  measureWhole(answer: Buffer): Usage | Promise<Usage> | undefined {
    const { provider, route } = this.#call;
    const usage = provider.readUsage(answer);
    const isTold = usage !== undefined && (usage.outputTokens > 0 || route.kind === 'embeddings');
    if (isTold) return toUsage(usage);
    const text = provider.readOutputText(answer);
    // Nothing was said of what it wrote: that is no count of it where it wrote something.
    if (usage !== undefined && (text === undefined || text === '')) return toUsage(usage);
    if (text === undefined) return undefined;
    return this.#countWhole(usage, text);
  }

  /** Of a stream that was broken off: what it wrote is measured, its input is counted where nobody said. */
  async countInputOf(usage: Usage, reported: TokenUsage | undefined): Promise<Usage> {
    if (reported !== undefined) {
      const { inputTokens, cachedInputTokens } = reported;
      return { ...usage, inputTokens, cachedInputTokens };
    }
    const inputTokens = await this.#count(this.#call.request.inputText, usage.inputTokens);
    return { ...usage, inputTokens };
  }

  /** Its text for a guess: no more than was asked for, and of embeddings nothing. */
  async #countWhole(usage: TokenUsage | undefined, text: string): Promise<Usage> {
    const guess = Math.min(Math.ceil(Buffer.byteLength(text) / 4), outputTokensMost(this.#bounds));
    const counted = await this.#countTexts(usage, () => text, guess);
    return { bytesIn: 0, bytesOut: 0, ...counted };
  }

  async #countTexts(reported: TokenUsage | undefined, output: () => string, outputGuess: number) {
    const [told, counted] = await Promise.all([
      reported?.inputTokens ?? this.#count(this.#call.request.inputText, this.inputGuess),
      this.#count(output, outputGuess),
    ]);
    const cachedInputTokens = reported?.cachedInputTokens ?? 0;
    const isSum = reported?.isSum === true;
    const outputTokens = isSum ? Math.min(counted, told - cachedInputTokens) : counted;
    const inputTokens = isSum ? told - outputTokens : told;
    return { inputTokens, cachedInputTokens, outputTokens, estimated: true };
  }

  /** A text that cannot be had, or a tokenizer that is busy or down, must not lose the charge: the guess by bytes stands in. */
  async #count(text: () => string, guess: number): Promise<number> {
    try {
      return await this.#tokenizer.count(text());
    } catch {
      return guess;
    }
  }
}

/** Member by member: a spread here takes as long as all the reading. */
function toUsage({ inputTokens, cachedInputTokens, outputTokens }: TokenUsage): Usage {
  return {
    inputTokens,
    cachedInputTokens,
    outputTokens,
    bytesIn: 0,
    bytesOut: 0,
    estimated: false,
  };
}

/** What a stream has come to so far. A guess by bytes goes no further than what was asked for, unless more was seen for certain. */
export function measuredUsage(meter: StreamMeter, bounds: LlmBounds): Usage {
  const usage = meter.usage();
  if (!usage.estimated) return usage;
  const most = Math.max(outputTokensMost(bounds), meter.outputTokensFloor);
  return usage.outputTokens <= most ? usage : { ...usage, outputTokens: most };
}

/** What the call is recorded as having used. */
export function noteUsage(exchange: Exchange, usage: Usage): void {
  exchange.inputTokens = usage.inputTokens;
  exchange.cachedInputTokens = usage.cachedInputTokens;
  exchange.outputTokens = usage.outputTokens;
  exchange.estimated = usage.estimated;
}
