import type { Usage } from '../../domain/pricing.ts';
import type { Provider, StreamMeter, TokenUsage } from '../provider.ts';
import { EventSplitter } from './event-splitter.ts';
import { isAnswer, readPiece, saysError } from './output-text.ts';
import { isRecord, parseJson, readList } from './read-json.ts';
import type { JsonRecord } from './read-json.ts';
import { readStrayText } from './stray-text.ts';
import { isNamedAsOthers, parseUsage } from './usage.ts';

/** Far above any chunk of text; what exceeds it is not a stream of chat completion chunks. */
export const EVENT_BYTES_MAX = 1024 * 1024;
/** What the fallback tokenizer takes at most. */
const OUTPUT_TEXT_BYTES_MAX = 1024 * 1024;
/** Usual text: four bytes a token. */
const ESTIMATED_BYTES_PER_TOKEN = 4;
/** The longest token of o200k_base: 128 spaces. */
const TOKEN_BYTES_MAX = 128;
/** Of what is said in place of an answer: no error is longer. */
const SAID_BYTES_MAX = 16 * 1024;
/** Of what comes before a word of an answer. */
const PRELUDE_BYTES_MAX = 64 * 1024;
const BYTE_ORDER_MARK = 0xfeff;
const COLON = 0x3a;
const EMPTY = Buffer.alloc(0);
const LINE_END = /\r\n|\r|\n/;

type MeterOptions = Parameters<Provider['openStreamMeter']>[0];

/**
 * Meters a stream of chat completion chunks
 * (https://platform.openai.com/docs/api-reference/chat-streaming). Until the upstream reports usage it
 * counts: each piece with text is at least one token. A server that reports with every chunk is believed up
 * to its last report, and what came since is counted on top. Text in a shape that is not known counts as long as no
 * report tells what was written; a stream that is none of these chunks is not passed on at all.
 */
export class OpenaiStreamMeter implements StreamMeter {
  readonly #keepUsageChunk: boolean;
  readonly #withholds: MeterOptions['withholds'];
  readonly #splitter: EventSplitter;
  #reported: TokenUsage | undefined;
  readonly #inputTokensBound: number;
  /** Pieces of text and their bytes: altogether, and at the last report. */
  #pieces = 0;
  #textBytes = 0;
  #piecesReported = 0;
  #textBytesReported = 0;
  /** Bytes of text that stands where none is expected. */
  #strayBytes = 0;
  #bytesOut = 0;
  #text = '';
  #failure: string | undefined;
  #refusal: Buffer | undefined;
  /** It has answered, if only with a role or a count. */
  #answered = false;
  /** An error that is not passed on has ended it. */
  #isOver = false;
  /** What it says in place of an answer. */
  #said: Buffer = EMPTY;
  /** Kept back until it answers: comments are not. */
  #prelude: Buffer = EMPTY;

  constructor(options: MeterOptions) {
    this.#inputTokensBound = options.inputTokensBound;
    this.#keepUsageChunk = options.keepUsageChunk;
    this.#withholds = options.withholds;
    const keepEvent = (event: Buffer): boolean => this.#readEvent(event) && !this.#isOver;
    this.#splitter = new EventSplitter(EVENT_BYTES_MAX, keepEvent);
  }

  get exact(): boolean {
    const isComplete = this.#piecesReported === this.#pieces && this.#strayCounted === 0;
    return this.#reported?.isSum === false && isComplete;
  }

  get reported(): TokenUsage | undefined {
    return this.#reported;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  get refusal(): Buffer | undefined {
    return this.#refusal;
  }

  get outputTokensFloor(): number {
    const bytes = this.#textBytes + this.#strayCounted;
    const counted = Math.max(this.#pieces, Math.ceil(bytes / TOKEN_BYTES_MAX));
    return Math.max(counted, this.#reported?.outputTokens ?? 0);
  }

  push(chunk: Buffer): Buffer {
    const passed = this.#sift(this.#splitter.push(chunk));
    if (this.#splitter.overflowed) {
      this.#failure = `an event of the stream is longer than ${EVENT_BYTES_MAX} bytes`;
    }
    this.#bytesOut += passed.length;
    return passed;
  }

  flush(): Buffer {
    const last = this.#splitter.flush();
    const passed = this.#prelude.length === 0 ? last : Buffer.concat([this.#prelude, last]);
    this.#bytesOut += passed.length;
    // A stream that ends without a word of an answer is none, whatever it says.
    if (!this.#answered) this.#refusal ??= this.#said;
    return passed;
  }

  usage(): Usage {
    const pieces = this.#pieces - this.#piecesReported;
    const bytes = this.#textBytes - this.#textBytesReported + this.#strayCounted;
    const since = Math.max(pieces, Math.ceil(bytes / ESTIMATED_BYTES_PER_TOKEN));
    return {
      inputTokens: this.#reported?.inputTokens ?? this.#inputTokensBound,
      cachedInputTokens: this.#reported?.cachedInputTokens ?? 0,
      outputTokens: (this.#reported?.outputTokens ?? 0) + since,
      bytesIn: 0,
      bytesOut: this.#bytesOut,
      estimated: !this.exact,
    };
  }

  outputText(): string {
    return this.#text;
  }

  /** Meters one event; false = the caller did not ask for it. */
  #readEvent(event: Buffer): boolean {
    const data = readData(event);
    // The end of nothing: what is answered in its place is not known yet.
    if (data === '[DONE]') return this.#answered;
    const chunk = data === '' ? undefined : parseJson(data);
    if (isRecord(chunk)) return this.#readChunk(chunk, data);
    // A comment or an empty line says nothing.
    if ((event[0] ?? 0) > COLON) this.#noteSaid(event);
    this.#countStray(data);
    return true;
  }

  #readChunk(chunk: JsonRecord, data: string): boolean {
    this.#answered ||= isAnswer(chunk);
    this.#countText(chunk);
    const told = findUsage(chunk);
    if (this.#answered || !isNamedAsOthers(told)) this.#takeReport(parseUsage(told));
    if (saysError(chunk)) {
      const said = Buffer.from(data);
      if (this.#hasNothing) {
        this.#refusal ??= said;
        return false;
      }
      this.#isOver ||= this.#withholds?.(said) === true;
    }
    if (!this.#answered) this.#noteSaid(Buffer.from(data));
    return this.#keepUsageChunk || !isUsageOnly(chunk);
  }

  #noteSaid(said: Buffer): void {
    this.#said = Buffer.from(said.subarray(0, SAID_BYTES_MAX));
  }

  /** What is said before a word of an answer waits for one: it may be the stream of another family, and not metered. */
  #sift(passed: Buffer): Buffer {
    if (this.#answered && this.#prelude.length === 0) return passed;
    if (!this.#answered && this.#said.length === 0) return passed;
    if (!this.#answered && passed.length === 0) return EMPTY;
    const all = Buffer.concat([this.#prelude, passed]);
    this.#prelude = this.#answered ? EMPTY : all;
    if (this.#answered) return all;
    if (all.length > PRELUDE_BYTES_MAX) this.#refusal ??= this.#said;
    return EMPTY;
  }

  /** With nothing written yet the upstream has done nothing that it could charge for. */
  get #hasNothing(): boolean {
    return this.#pieces === 0 && this.#strayBytes === 0 && this.#reported === undefined;
  }

  #countText(chunk: JsonRecord): void {
    const choices = readList(chunk['choices']);
    for (const choice of choices) {
      const text = readPiece(choice);
      if (text === '') this.#countStray(readStrayText(choice));
      else this.#countPiece(text);
    }
    if (choices.length === 0 && !saysError(chunk)) this.#countStray(readStrayText(chunk));
  }

  #countPiece(text: string): void {
    this.#pieces += 1;
    this.#textBytes += Buffer.byteLength(text);
    this.#keepText(text);
  }

  #countStray(text: string): void {
    this.#strayBytes += Buffer.byteLength(text);
    this.#keepText(text);
  }

  #keepText(text: string): void {
    if (this.#textBytes + this.#strayBytes <= OUTPUT_TEXT_BYTES_MAX) this.#text += text;
  }

  /** A count of what was written is believed before any text that may be something else. */
  get #strayCounted(): number {
    return (this.#reported?.outputTokens ?? 0) > 0 ? 0 : this.#strayBytes;
  }

  /** None written where something was is no count: then only the input is believed. */
  #takeReport(told: TokenUsage | undefined): void {
    if (told === undefined) return;
    this.#answered = true;
    const usage = told.isSum ? this.#split(told) : told;
    if (usage.outputTokens === 0 && this.#pieces + this.#strayBytes > 0) {
      this.#reported = { ...usage, outputTokens: this.#reported?.outputTokens ?? 0 };
      return;
    }
    this.#reported = usage;
    this.#piecesReported = this.#pieces;
    this.#textBytesReported = this.#textBytes;
  }

  /** What of a sum was written is measured, and the rest was read. */
  #split({ inputTokens: sum, cachedInputTokens }: TokenUsage): TokenUsage {
    const bytes = this.#textBytes + this.#strayBytes;
    const measured = Math.max(this.#pieces, Math.ceil(bytes / ESTIMATED_BYTES_PER_TOKEN));
    const outputTokens = Math.min(sum - cachedInputTokens, measured);
    const isSum = outputTokens > 0;
    return { inputTokens: sum - outputTokens, cachedInputTokens, outputTokens, isSum };
  }
}

/** Some report it elsewhere with the last piece: Groq in a member of its own, Moonshot in the choice. */
function findUsage({ usage, x_groq: groq, choices }: JsonRecord): unknown {
  if (isRecord(usage)) return usage;
  if (isRecord(groq)) return groq['usage'];
  const choice = readList(choices)[0];
  return isRecord(choice) ? choice['usage'] : undefined;
}

/** OpenAI sends `choices: []` with the usage, vLLM may send null or leave it out. */
function isUsageOnly({ usage, choices, error }: JsonRecord): boolean {
  return isRecord(usage) && readList(choices).length === 0 && (error ?? null) === null;
}

/** The `data` of an event, its lines joined by line feeds; `''` for a comment. */
function readData(event: Buffer): string {
  const decoded = event.toString('utf8');
  const text = decoded.charCodeAt(0) === BYTE_ORDER_MARK ? decoded.slice(1) : decoded;
  const line = text.trimEnd();
  // Nearly every event is one line.
  if (!line.includes('\n') && !line.includes('\r')) return readDataLine(line) ?? '';
  return line
    .split(LINE_END)
    .flatMap((part) => readDataLine(part) ?? [])
    .join('\n');
}

/** One space behind the colon is not part of the value. */
function readDataLine(line: string): string | undefined {
  if (!line.startsWith('data:')) return undefined;
  return line.slice(line.startsWith(' ', 5) ? 6 : 5);
}
