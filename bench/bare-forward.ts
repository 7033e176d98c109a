import type { InboundRequest, InboundResponse, RequestHandler } from '../src/gateway/listener.ts';
import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamFailure,
  UpstreamReceiver,
} from '../src/gateway/upstream.ts';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'expect',
  'host',
]);

export interface BareForwardOptions {
  readonly client: UpstreamClient;
  /** `http://host:port`: every request goes there, path unchanged. */
  readonly origin: string;
  readonly connectTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
}

/**
 * Forwarding and nothing else, over the same two ports as the product: no key, no price, no limit, no record.
 * What the product adds is measured against this.
 */
export function createBareForward(options: BareForwardOptions): RequestHandler {
  return (request, response) => {
    new BareExchange(request, response).start(options);
  };
}

class BareExchange implements UpstreamReceiver {
  readonly #request: InboundRequest;
  readonly #response: InboundResponse;
  #call: UpstreamCall | undefined = undefined;

  constructor(request: InboundRequest, response: InboundResponse) {
    this.#request = request;
    this.#response = response;
  }

  start(options: BareForwardOptions): void {
    const request = this.#request;
    this.#call = options.client.send(
      {
        origin: options.origin,
        method: request.method,
        path: request.target,
        headers: keepEndToEnd(request.headers),
        body: request.contentLength === 0 ? undefined : request,
        connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
        headersTimeoutMs: options.headersTimeoutMs ?? 60_000,
        idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
      },
      this,
    );
    this.#response.onClientGone = () => this.#call?.abort();
    this.#response.onDrain = () => this.#call?.resume();
  }

  onHead(status: number, headers: readonly string[]): void {
    this.#response.writeHead(status, keepEndToEnd(headers));
  }

  onChunk(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  onEnd(): void {
    this.#response.end();
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#response.headSent) {
      this.#response.destroy();
      return;
    }
    const body = `${failure.kind}: ${failure.message}\n`;
    const status = failure.kind === 'timeout' ? 504 : 502;
    this.#response.writeHead(status, ['Content-Length', String(Buffer.byteLength(body))]);
    this.#response.end(body);
  }
}

function keepEndToEnd(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}
