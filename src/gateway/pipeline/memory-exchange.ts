import type { BodySink, InboundRequest, InboundResponse, RawHeaders } from '../listener.ts';

/** A request that came from no network: the gateway's own pages ask about it or make it for a person. */
export interface MemoryRequestParts {
  readonly method: string;
  /** `/path?query`. */
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  readonly remoteAddress: string;
}

export class MemoryRequest implements InboundRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly secure = true;
  readonly contentLength: number;
  readonly #body: Buffer;

  constructor(parts: MemoryRequestParts) {
    this.method = parts.method;
    this.target = parts.target;
    this.headers = parts.headers;
    this.remoteAddress = parts.remoteAddress;
    this.contentLength = parts.body.length;
    this.#body = parts.body;
  }

  readBody(sink: BodySink): void {
    if (this.#body.length > 0) sink.onChunk(this.#body);
    sink.onEnd();
  }

  pauseBody(): void {
    // The body is here already.
  }

  resumeBody(): void {
    // As above.
  }
}

/** What came of it. */
export interface MemoryAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  /** More came than was kept. */
  readonly truncated: boolean;
}

/** Keeps an answer, up to a bound; past it the reader leaves, as a client would. */
export class MemoryResponse implements InboundResponse {
  headSent = false;
  closed = false;
  onDrain: (() => void) | undefined = undefined;
  onClientGone: (() => void) | undefined = undefined;
  readonly #bytesMax: number;
  readonly #onEnd: (answer: MemoryAnswer) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: RawHeaders = [];
  #ended = false;

  /** `onEnd` is called once: at the end, at the bound, or when the answer was broken off. */
  constructor(bytesMax: number, onEnd: (answer: MemoryAnswer) => void) {
    this.#bytesMax = bytesMax;
    this.#onEnd = onEnd;
  }

  writeHead(status: number, headers: RawHeaders): void {
    this.headSent = true;
    this.#status = status;
    this.#headers = headers;
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
    const body = Buffer.concat(this.#chunks);
    this.#onEnd({ status: this.#status, headers: this.#headers, body, truncated });
  }
}
