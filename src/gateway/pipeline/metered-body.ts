import type { BodySink, InboundRequest, RawHeaders } from '../listener.ts';

/** Told each chunk's size. When the answer is false it has ended the sink itself. */
type Allow = (bytes: number, sink: BodySink) => boolean | Promise<boolean>;

/** A request body on its way through that asks before each chunk goes on. */
export class MeteredBody implements InboundRequest, BodySink {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly contentLength: number;
  readonly #request: InboundRequest;
  readonly #allow: Allow;
  #sink: BodySink | undefined;
  /** A chunk waits for its answer: nothing more is read. */
  #asking = false;
  #sinkPaused = false;

  constructor(request: InboundRequest, allow: Allow) {
    this.method = request.method;
    this.target = request.target;
    this.headers = request.headers;
    this.remoteAddress = request.remoteAddress;
    this.secure = request.secure;
    this.contentLength = request.contentLength;
    this.#request = request;
    this.#allow = allow;
  }

  readBody(sink: BodySink): void {
    this.#sink = sink;
    this.#request.readBody(this);
  }

  pauseBody(): void {
    this.#sinkPaused = true;
    this.#request.pauseBody();
  }

  resumeBody(): void {
    this.#sinkPaused = false;
    if (!this.#asking) this.#request.resumeBody();
  }

  onChunk(chunk: Buffer): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    try {
      const allowed = this.#allow(chunk.length, sink);
      if (typeof allowed === 'boolean') this.#pass(chunk, allowed);
      else this.#passLater(chunk, allowed);
    } catch (error) {
      this.#break(error);
    }
  }

  #passLater(chunk: Buffer, allowed: Promise<boolean>): void {
    this.#asking = true;
    this.#request.pauseBody();
    allowed
      .then((yes) => {
        this.#asking = false;
        this.#pass(chunk, yes);
        if (yes && !this.#sinkPaused) this.#request.resumeBody();
      })
      .catch((error: unknown) => this.#break(error));
  }

  /** A fault in the asking ends this call alone. */
  #break(error: unknown): void {
    this.onError(error instanceof Error ? error : new Error(String(error)));
  }

  #pass(chunk: Buffer, allowed: boolean): void {
    if (allowed) this.#sink?.onChunk(chunk);
    else this.#sink = undefined;
  }

  onEnd(): void {
    this.#sink?.onEnd();
  }

  onError(error: Error): void {
    this.#sink?.onError(error);
    this.#sink = undefined;
  }
}
