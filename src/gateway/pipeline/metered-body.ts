import type { BodySink, InboundRequest, RawHeaders } from '../listener.ts';

/** A request body on its way through that asks before each chunk goes on. */
export class MeteredBody implements InboundRequest, BodySink {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly contentLength: number;
  readonly #request: InboundRequest;
  readonly #allow: (bytes: number, sink: BodySink) => boolean;
  #sink: BodySink | undefined;

  /** `allow` is told each chunk's size; when it returns false it has ended the sink itself. */
  constructor(request: InboundRequest, allow: (bytes: number, sink: BodySink) => boolean) {
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
    this.#request.pauseBody();
  }

  resumeBody(): void {
    this.#request.resumeBody();
  }

  onChunk(chunk: Buffer): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    if (this.#allow(chunk.length, sink)) sink.onChunk(chunk);
    else this.#sink = undefined;
  }

  onEnd(): void {
    this.#sink?.onEnd();
  }

  onError(error: Error): void {
    this.#sink?.onError(error);
  }
}
