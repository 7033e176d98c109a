import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamClientOptions,
  UpstreamReceiver,
  UpstreamRequest,
} from '../upstream.ts';
import { OriginPool } from './origin-pool.ts';
import { SocketCall } from './socket-call.ts';
import { Ticker } from './ticker.ts';
import { type OutgoingRequest, renderRequest } from './upstream-request.ts';

/** The upstream port over sockets and an HTTP/1.1 parser of our own: a pool per origin, one call at a time on each connection. */
export function createSocketClient(options: UpstreamClientOptions = {}): UpstreamClient {
  return new SocketClient(options);
}

const NO_REQUEST: OutgoingRequest = { method: '', head: '', body: undefined, bodyLength: 0 };

class SocketClient implements UpstreamClient {
  readonly #connectionsMax: number;
  readonly #callsMax: number;
  readonly #originsMax: number;
  readonly #ticker = new Ticker();
  readonly #pools = new Map<string, OriginPool>();

  constructor(options: UpstreamClientOptions) {
    this.#connectionsMax = options.connectionsMax ?? 256;
    this.#callsMax = this.#connectionsMax + (options.queuedMax ?? 1024);
    this.#originsMax = options.originsMax ?? 1024;
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall {
    const pool = this.#poolOf(request.origin);
    if (pool === undefined || pool.isFull) {
      const what = pool === undefined ? 'too many upstream origins' : 'too many calls waiting';
      const message = `${what} for a connection to ${request.origin}`;
      return refuse(request, receiver, { kind: 'connect', message });
    }
    const outgoing = renderRequest(request, pool.authority);
    if (typeof outgoing === 'string') {
      return refuse(request, receiver, { kind: 'protocol', message: outgoing });
    }
    const call = new SocketCall(outgoing, request, receiver, pool);
    pool.send(call);
    return call;
  }

  async close(): Promise<void> {
    this.#ticker.stop();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.close()));
  }

  #poolOf(origin: string): OriginPool | undefined {
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    if (this.#pools.size >= this.#originsMax && !this.#evictIdle()) return undefined;
    const pool = new OriginPool({
      origin,
      connectionsMax: this.#connectionsMax,
      callsMax: this.#callsMax,
      ticker: this.#ticker,
    });
    this.#pools.set(origin, pool);
    return pool;
  }

  #evictIdle(): boolean {
    for (const [origin, pool] of this.#pools) {
      if (!pool.isIdle) continue;
      this.#pools.delete(origin);
      void pool.close();
      return true;
    }
    return false;
  }
}

/** Ends a call that no connection saw, once the caller has its handle. */
function refuse(
  request: UpstreamRequest,
  receiver: UpstreamReceiver,
  why: { readonly kind: 'connect' | 'protocol'; readonly message: string },
): UpstreamCall {
  const call = new SocketCall(NO_REQUEST, request, receiver, undefined);
  queueMicrotask(() => call.fail(why.kind, why.message));
  return call;
}
