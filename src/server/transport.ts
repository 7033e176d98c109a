import type { Listener, ListenerOptions, RequestHandler } from '../gateway/listener.ts';
import type { UpstreamClient, UpstreamClientOptions } from '../gateway/upstream.ts';
import type { HttpTransport } from './config/loaded-config.ts';

/** What speaks HTTP/1.1 with callers and with upstreams. Each passes the same conformance suites as the other. */
export interface Transport {
  readonly createListener: (options: ListenerOptions, handler: RequestHandler) => Listener;
  readonly createUpstreamClient: (options?: UpstreamClientOptions) => UpstreamClient;
}

/** That of `server.http`; the other one is not loaded. */
export async function loadTransport(transport: HttpTransport): Promise<Transport> {
  if (transport === 'sockets') {
    const [{ createSocketListener }, { createSocketClient }] = await Promise.all([
      import('../gateway/socket-http/socket-listener.ts'),
      import('../gateway/socket-http/socket-client.ts'),
    ]);
    return { createListener: createSocketListener, createUpstreamClient: createSocketClient };
  }
  const [{ createNodeHttpListener }, { createUndiciClient }] = await Promise.all([
    import('../gateway/node-http/node-http-listener.ts'),
    import('../gateway/undici/undici-client.ts'),
  ]);
  return { createListener: createNodeHttpListener, createUpstreamClient: createUndiciClient };
}
