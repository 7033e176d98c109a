import type {
  BodySink,
  InboundRequest,
  InboundResponse,
  RawHeaders,
} from '../../src/gateway/listener.ts';
import {
  compileCatalog,
  type CompiledCatalog,
} from '../../src/gateway/pipeline/compile-catalog.ts';
import { Exchange } from '../../src/gateway/pipeline/exchange.ts';
import { AT, buildCatalog } from './build-catalog.ts';

/** A request of the transport port whose body a test sends piece by piece, unless it came with the request. */
export class MemoryRequest implements InboundRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly secure = false;
  readonly contentLength: number;
  paused = false;
  readonly #body: string | undefined;
  /** Set once somebody reads. */
  sink: BodySink | undefined;

  constructor(
    members: {
      method?: string;
      target?: string;
      headers?: RawHeaders;
      contentLength?: number;
      remoteAddress?: string;
      body?: string;
    } = {},
  ) {
    this.method = members.method ?? 'POST';
    this.target = members.target ?? '/';
    this.headers = members.headers ?? [];
    this.contentLength = members.contentLength ?? -1;
    this.remoteAddress = members.remoteAddress ?? '127.0.0.1';
    this.#body = members.body;
  }

  readBody(sink: BodySink): void {
    if (this.sink !== undefined) throw new Error('the body is read once');
    this.sink = sink;
    if (this.#body !== undefined) this.send(this.#body);
    if (this.#body !== undefined || this.contentLength === 0) sink.onEnd();
  }

  pauseBody(): void {
    this.paused = true;
  }

  resumeBody(): void {
    this.paused = false;
  }

  send(...chunks: readonly (string | Buffer)[]): void {
    for (const chunk of chunks) this.sink?.onChunk(Buffer.from(chunk));
  }
}

/** A response of the transport port that keeps what was written. */
export class MemoryResponse implements InboundResponse {
  headSent = false;
  closed = false;
  ended = false;
  destroyed = false;
  status = 0;
  headers: RawHeaders = [];
  body = '';
  onDrain: (() => void) | undefined = undefined;
  onClientGone: (() => void) | undefined = undefined;

  writeHead(status: number, headers: RawHeaders, shared: RawHeaders = []): void {
    if (this.headSent) throw new Error('the head is sent once');
    this.headSent = true;
    this.status = status;
    this.headers = [...headers, ...shared];
  }

  write(chunk: Buffer | string): boolean {
    this.body += chunk.toString();
    return !this.closed;
  }

  end(chunk?: Buffer | string): void {
    if (this.ended) throw new Error('an answer ends once');
    if (chunk !== undefined) this.write(chunk);
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.closed = true;
  }

  /** Value of a header by lower-case name. */
  header(name: string): string | undefined {
    const at = this.headers.findIndex(
      (each, index) => index % 2 === 0 && each.toLowerCase() === name,
    );
    return at < 0 ? undefined : this.headers[at + 1];
  }
}

/** One whose caller is gone after the first bytes. */
export class LeavingResponse extends MemoryResponse {
  override write(chunk: Buffer | string): boolean {
    super.write(chunk);
    this.closed = true;
    this.onClientGone?.();
    return false;
  }
}

export function buildExchange(
  request: MemoryRequest = new MemoryRequest(),
  response: MemoryResponse = new MemoryResponse(),
  compiled: CompiledCatalog = compileCatalog(buildCatalog([]), openNoPool),
): Exchange {
  return new Exchange(request, response, {
    requestId: 'req_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f',
    at: AT,
    startedMs: 0,
    compiled,
  });
}

/** For a configuration whose upstreams nobody calls. */
export function openNoPool(): never {
  throw new Error('no upstreams');
}
