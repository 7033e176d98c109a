import { Pool } from 'undici';

import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamClientOptions,
  UpstreamReceiver,
  UpstreamRequest,
} from '../upstream.ts';
import { InboundBody } from './inbound-body.ts';
import { createConnector } from './connector.ts';
import { UndiciCall } from './undici-call.ts';

/** One pool, and how many calls it is carrying or has queued. */
export interface OriginPool {
  readonly pool: Pool;
  calls: number;
}

/** undici's answer heads may be this long; its default (16 KiB) is less than what we accept from clients. */
const HEAD_BYTES_MAX = 64 * 1024;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;

/** The upstream port over undici: a pool per origin, one request at a time on each connection. */
export function createUndiciClient(options: UpstreamClientOptions = {}): UpstreamClient {
  return new UndiciClient(options);
}

class UndiciClient implements UpstreamClient {
  readonly #connectionsMax: number;
  readonly #callsMax: number;
  readonly #originsMax: number;
  readonly #pools = new Map<string, OriginPool>();

  constructor(options: UpstreamClientOptions) {
    this.#connectionsMax = options.connectionsMax ?? 256;
    this.#callsMax = this.#connectionsMax + (options.queuedMax ?? 1024);
    this.#originsMax = options.originsMax ?? 1024;
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall {
    const origin = this.#poolOf(request);
    const body = selectBody(request.body);
    const call = new UndiciCall(receiver, origin, request.headersTimeoutMs, body);
    if (origin === undefined || origin.calls >= this.#callsMax) {
      const what = origin === undefined ? 'too many upstream origins' : 'too many calls waiting';
      queueMicrotask(() => call.refuse(`${what} for a connection to ${request.origin}`));
      return call;
    }
    origin.calls += 1;
    origin.pool.dispatch(
      {
        path: request.path,
        method: request.method,
        headers: [...request.headers, ...(request.sharedHeaders ?? [])],
        body,
        headersTimeout: request.headersTimeoutMs,
        bodyTimeout: request.idleTimeoutMs,
      },
      call,
    );
    return call;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
  }

  /** undici knows the connect time-out per pool only, so that routes which differ in it do not share one. */
  #poolOf(request: UpstreamRequest): OriginPool | undefined {
    const key = `${request.connectTimeoutMs} ${request.origin}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    if (this.#pools.size >= this.#originsMax && !this.#evictIdle()) return undefined;
    const created = { pool: this.#createPool(request), calls: 0 };
    this.#pools.set(key, created);
    return created;
  }

  #createPool(request: UpstreamRequest): Pool {
    return new Pool(request.origin, {
      connections: this.#connectionsMax,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: HEAD_BYTES_MAX,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connect: createConnector(request.connectTimeoutMs),
    });
  }

  #evictIdle(): boolean {
    for (const [key, { pool, calls }] of this.#pools) {
      if (calls > 0) continue;
      this.#pools.delete(key);
      void pool.destroy();
      return true;
    }
    return false;
  }
}

function selectBody(body: UpstreamRequest['body']): Buffer | InboundBody | null {
  if (body === undefined) return null;
  if (Buffer.isBuffer(body)) return body;
  return body.contentLength === 0 ? null : new InboundBody(body);
}
