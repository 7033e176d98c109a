import type { BodySink, InboundRequest, RawHeaders } from '../listener.ts';

/** What of a request there is beside its body. */
export type RequestHead = Pick<
  InboundRequest,
  'method' | 'target' | 'headers' | 'remoteAddress' | 'secure'
>;

/** A request whose body is here whole: read before it was judged, or of one that came from no network. */
export class ReplayedRequest implements InboundRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly contentLength: number;
  readonly #body: Buffer;
  #sink: BodySink | undefined;
  #paused = false;

  constructor(request: RequestHead, body: Buffer) {
    this.method = request.method;
    this.target = request.target;
    this.headers = request.headers;
    this.remoteAddress = request.remoteAddress;
    this.secure = request.secure;
    this.contentLength = body.length;
    this.#body = body;
  }

  readBody(sink: BodySink): void {
    this.#sink = sink;
    if (this.#body.length > 0) sink.onChunk(this.#body);
    // Whoever is still busy with the only chunk must not hear that it was the last.
    if (!this.#paused) this.#end();
  }

  pauseBody(): void {
    this.#paused = true;
  }

  resumeBody(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#end();
  }

  #end(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd();
  }
}
