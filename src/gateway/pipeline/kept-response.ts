import type { InboundResponse, RawHeaders } from '../listener.ts';
import { joinChunks } from './join-chunks.ts';

/** What came of it. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  /** More came than was kept. */
  readonly truncated: boolean;
}

/** Keeps an answer, up to a bound; past it the reader leaves, as a client would. */
export class KeptResponse implements InboundResponse {
  headSent = false;
  closed = false;
  onDrain: (() => void) | undefined = undefined;
  onClientGone: (() => void) | undefined = undefined;
  readonly #bytesMax: number;
  readonly #onEnd: (answer: KeptAnswer) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: RawHeaders = [];
  #ended = false;

  /** `onEnd` is called once: at the end, at the bound, or when the answer was broken off. */
  constructor(bytesMax: number, onEnd: (answer: KeptAnswer) => void) {
    this.#bytesMax = bytesMax;
    this.#onEnd = onEnd;
  }

  writeHead(status: number, headers: RawHeaders, shared: RawHeaders = []): void {
    this.headSent = true;
    this.#status = status;
    this.#headers = [...headers, ...shared];
  }

  write(chunk: Buffer | string): boolean {
    if (this.#ended) return false;
    const bytes = Buffer.from(chunk);
    const room = this.#bytesMax - this.#bytes;
    this.#chunks.push(bytes.length > room ? bytes.subarray(0, room) : bytes);
    this.#bytes += Math.min(bytes.length, room);
    if (bytes.length <= room) return true;
    this.leave();
    return false;
  }

  end(chunk?: Buffer | string): void {
    if (chunk !== undefined) this.write(chunk);
    this.#finish(false);
  }

  destroy(): void {
    this.#finish(true);
  }

  /** The reader has had enough. */
  leave(): void {
    if (this.#ended) return;
    this.#finish(true);
    this.onClientGone?.();
  }

  #finish(truncated: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.closed = truncated;
    const body = joinChunks(this.#chunks);
    this.#onEnd({ status: this.#status, headers: this.#headers, body, truncated });
  }
}
