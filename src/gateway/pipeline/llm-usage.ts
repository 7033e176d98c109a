import type { Usage } from '../../domain/pricing.ts';
import type { LlmRequest, StreamMeter } from '../../providers/provider.ts';
import type { TokenCounter } from './context.ts';
import type { Exchange } from './exchange.ts';
import { type LlmBounds, outputTokensMost } from './llm-hold.ts';

/** Counts, exactly and off the event loop, what an upstream did not say (LLM-06). */
export class UsageCounter {
  readonly #tokenizer: TokenCounter;
  readonly #request: LlmRequest;
  /** Four bytes a token: what an input counts as until the upstream or a tokenizer says. */
  readonly inputGuess: number;

  constructor(tokenizer: TokenCounter, request: LlmRequest, inputTokensBound: number) {
    this.#tokenizer = tokenizer;
    this.#request = request;
    this.inputGuess = Math.ceil(inputTokensBound / 4);
  }

  async countStream(meter: StreamMeter): Promise<Usage> {
    const measured = meter.usage();
    const counted = await this.#countTexts(() => meter.outputText(), measured.outputTokens);
    return {
      ...measured,
      ...counted,
      outputTokens: Math.max(counted.outputTokens, meter.outputTokensFloor),
    };
  }

  /** `answerBytes`: of the whole answer, for a guess. */
  async countWhole(output: string, answerBytes: number): Promise<Usage> {
    const counted = await this.#countTexts(() => output, Math.ceil(answerBytes / 4));
    return { cachedInputTokens: 0, bytesIn: 0, bytesOut: 0, ...counted };
  }

  countInput(guess: number): Promise<number> {
    return this.#count(this.#request.inputText, guess);
  }

  async #countTexts(output: () => string, outputGuess: number) {
    const [inputTokens, outputTokens] = await Promise.all([
      this.countInput(this.inputGuess),
      this.#count(output, outputGuess),
    ]);
    return { inputTokens, outputTokens, estimated: true };
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
