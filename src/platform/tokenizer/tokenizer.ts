import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

export interface Tokenizer {
  /**
   * Tokens of the text in o200k_base. Rejects with a TokenizerError when the text is too long, too many
   * wait, it takes too long, or the thread has died: the caller then goes by its bound in bytes.
   */
  count(text: string): Promise<number>;
  close(): Promise<void>;
}

export interface TokenizerOptions {
  readonly waitingMax?: number;
  readonly textBytesMax?: number;
  /** From the call to its answer, waiting included. The thread is replaced if it was at work on that text. */
  readonly timeoutMs?: number;
  /** For tests of what a dying thread does. Default: the tokenizer. */
  readonly threadUrl?: URL;
}

export type TokenizerErrorCode =
  | 'TEXT_TOO_LONG'
  | 'QUEUE_FULL'
  | 'TIMEOUT'
  | 'THREAD_DIED'
  | 'CLOSED';

export class TokenizerError extends Error {
  readonly code: TokenizerErrorCode;

  constructor(code: TokenizerErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TokenizerError';
    this.code = code;
  }
}

const WAITING_MAX = 64;
const TEXT_BYTES_MAX = 1024 * 1024;
/** Long enough for the first call, which loads the vocabulary, and for the longest text. */
const TIMEOUT_MS = 5_000;
/** The vocabulary takes some 60 MB of it. */
const HEAP_MEBIBYTES_MAX = 256;
/** What a text leaves behind is garbage at once: room for more of it would only be resident. */
const YOUNG_MEBIBYTES_MAX = 4;

interface Job {
  readonly text: string;
  readonly resolve: (count: number) => void;
  readonly reject: (error: TokenizerError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Counting takes milliseconds, and its vocabulary half a second to load: never on the event loop. The
 * thread starts with the first call, and again with the next one after it has died.
 */
export function openTokenizer(options: TokenizerOptions = {}): Tokenizer {
  return new ThreadTokenizer(options);
}

class ThreadTokenizer implements Tokenizer {
  readonly #waitingMax: number;
  readonly #textBytesMax: number;
  readonly #timeoutMs: number;
  readonly #threadUrl: URL;
  readonly #waiting: Job[] = [];
  #running: Job | undefined;
  #thread: Worker | undefined;
  #closed = false;

  constructor(options: TokenizerOptions) {
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
    this.#textBytesMax = options.textBytesMax ?? TEXT_BYTES_MAX;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    // The same extension as this file: .ts from source, .js from dist.
    this.#threadUrl =
      options.threadUrl ??
      new URL(`./tokenizer-thread${extname(import.meta.url)}`, import.meta.url);
  }

  count(text: string): Promise<number> {
    const refusal = this.#refuse(text);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(job), this.#timeoutMs);
      const job: Job = { text, resolve, reject, timer };
      this.#waiting.push(job);
      this.#runNext();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const error = new TokenizerError('CLOSED', 'the tokenizer has been closed');
    for (const job of this.#waiting.splice(0)) rejectJob(job, error);
    const thread = this.#thread;
    this.#dropThread(error);
    await thread?.terminate();
  }

  #refuse(text: string): TokenizerError | undefined {
    if (this.#closed) return new TokenizerError('CLOSED', 'the tokenizer has been closed');
    if (Buffer.byteLength(text) > this.#textBytesMax) {
      const message = `the text is longer than ${this.#textBytesMax} bytes: use its bytes as the bound`;
      return new TokenizerError('TEXT_TOO_LONG', message);
    }
    if (this.#running !== undefined && this.#waiting.length >= this.#waitingMax) {
      const message = `${this.#waitingMax} texts wait for the tokenizer already: use bytes as the bound`;
      return new TokenizerError('QUEUE_FULL', message);
    }
    return undefined;
  }

  #runNext(): void {
    if (this.#running !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) {
      this.#thread?.unref();
      return;
    }
    this.#running = job;
    this.#thread ??= this.#startThread();
    this.#thread.ref();
    this.#thread.postMessage(job.text);
  }

  #startThread(): Worker {
    const thread = new Worker(this.#threadUrl, {
      name: 'tokenizer',
      resourceLimits: {
        maxOldGenerationSizeMb: HEAP_MEBIBYTES_MAX,
        maxYoungGenerationSizeMb: YOUNG_MEBIBYTES_MAX,
      },
    });
    thread.on('message', (count: number) => this.#finish(thread, count));
    thread.on('error', (cause: unknown) => this.#fail(thread, cause));
    thread.on('exit', (code) => this.#fail(thread, new Error(`exit code ${code}`)));
    return thread;
  }

  #finish(thread: Worker, count: number): void {
    const job = this.#running;
    if (thread !== this.#thread || job === undefined) return;
    this.#running = undefined;
    clearTimeout(job.timer);
    job.resolve(count);
    this.#runNext();
  }

  /** Only the text it was at work on is lost; the others get a new thread. */
  #fail(thread: Worker, cause: unknown): void {
    if (thread !== this.#thread) return;
    this.#dropThread(new TokenizerError('THREAD_DIED', 'the tokenizer thread has died', cause));
    this.#runNext();
  }

  #expire(job: Job): void {
    const error = new TokenizerError('TIMEOUT', `not counted within ${this.#timeoutMs} ms`);
    if (job !== this.#running) {
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      job.reject(error);
      return;
    }
    const thread = this.#thread;
    this.#dropThread(error);
    void thread?.terminate();
    this.#runNext();
  }

  #dropThread(error: TokenizerError): void {
    this.#thread = undefined;
    if (this.#running !== undefined) rejectJob(this.#running, error);
    this.#running = undefined;
  }
}

function rejectJob(job: Job, error: TokenizerError): void {
  clearTimeout(job.timer);
  job.reject(error);
}
