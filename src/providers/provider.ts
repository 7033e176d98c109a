import type { Usage } from '../domain/pricing.ts';

/** What pricing needs to know of an LLM call before it leaves. */
export interface LlmRequest {
  readonly model: string;
  readonly stream: boolean;
  /** The caller asked for the usage chunk itself (`stream_options.include_usage`). */
  readonly wantsUsageChunk: boolean;
  /** The caller's own bound (`max_completion_tokens`, else `max_tokens`), or undefined. */
  readonly outputTokensMax: number | undefined;
  /** `n` of the request: completions asked for. */
  readonly choices: number;
  /** Never below the true count: bytes of everything the model will read, plus `inputTokensOverhead`. */
  readonly inputTokensBound: number;
  /** What the model reads beyond the text: message framing, tool preambles, images. Part of the bound. */
  readonly inputTokensOverhead: number;
  /**
   * Text to tokenise when the byte bound does not fit (DESIGN 5): its token count plus
   * `inputTokensOverhead` is a closer bound, and still one.
   */
  readonly inputText: () => string;
}

export type ParsedLlmRequest =
  | { readonly kind: 'ok'; readonly request: LlmRequest }
  /** `pointer`: JSON pointer of the offending member, `''` for the whole body. */
  | { readonly kind: 'invalid'; readonly pointer: string; readonly problem: string };

export interface RequestEdits {
  /** Replace `model`. */
  readonly upstreamModel: string;
  /** Set the output bound (clamp), or leave as is. */
  readonly outputTokensMax: number | undefined;
  /** Ask for usage in the stream. */
  readonly includeUsage: boolean;
}

/** What an upstream says that it read and wrote. */
export interface TokenUsage extends Pick<
  Usage,
  'inputTokens' | 'cachedInputTokens' | 'outputTokens'
> {
  /** It says only how much both were together: `inputTokens` has what was written too. */
  readonly isSum: boolean;
}

/** Watches one stream of answer bytes and says what it has used so far. Bounded memory. */
export interface StreamMeter {
  /**
   * Takes bytes as they come from the upstream; returns the bytes to pass on (complete events only;
   * possibly empty), with what the caller did not ask for removed.
   */
  push(chunk: Buffer): Buffer;
  /** The rest when the upstream has ended. */
  flush(): Buffer;
  /** Exact when the upstream has said it, else the running measure. */
  usage(): Usage;
  /** True while the upstream's own report covers all that was seen. */
  readonly exact: boolean;
  /** What the upstream has said by now; its output is 0 as long as it has not said how much it wrote. */
  readonly reported: TokenUsage | undefined;
  /** Why the bytes are not a stream of this family (an event above the bound); nothing more is passed on: cut it. */
  readonly failure: string | undefined;
  /** What the upstream said instead of an answer: an error before it wrote anything. Not passed on. */
  readonly refusal: Buffer | undefined;
  /** Fewest output tokens that what was seen can be: the measure for cutting a stream. */
  readonly outputTokensFloor: number;
  /** Output text seen, bounded, for the fallback tokenizer. */
  outputText(): string;
}

/** How one family of model APIs is spoken. Pure: bytes in, bytes out. */
export interface Provider {
  readonly type: string;
  /** Checks a chat body; the JSON has been parsed once by the caller. */
  parseChat(body: unknown, bodyBytes: number): ParsedLlmRequest;
  parseEmbeddings(body: unknown, bodyBytes: number): ParsedLlmRequest;
  /** The caller's bytes with the edits spliced in; re-serialised only where splicing cannot do it. */
  editBody(body: Buffer, parsed: unknown, edits: RequestEdits): Buffer;
  /** Usage from a whole answer, or undefined when it says none. */
  readUsage(body: Buffer): TokenUsage | undefined;
  /** Text of a whole answer for the fallback tokenizer; undefined = an error is all it says, or it is no answer. */
  readOutputText(body: Buffer): string | undefined;
  openStreamMeter(options: {
    readonly inputTokensBound: number;
    readonly keepUsageChunk: boolean;
    /** Asked of an error that comes after text: true = it ends here, and nothing more is passed on. */
    readonly withholds?: (said: Buffer) => boolean;
  }): StreamMeter;
}
