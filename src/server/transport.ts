import type { Listener, ListenerOptions, RequestHandler } from '../gateway/listener.ts';
import { createNodeHttpListener } from '../gateway/node-http/node-http-listener.ts';
import { createSocketClient } from '../gateway/socket-http/socket-client.ts';
import { createSocketListener } from '../gateway/socket-http/socket-listener.ts';
import { createUndiciClient } from '../gateway/undici/undici-client.ts';
import type { UpstreamClient } from '../gateway/upstream.ts';
import type { HttpTransport } from './config/loaded-config.ts';

/** What speaks HTTP/1.1 with callers, by `server.http`. */
export function createListener(
  transport: HttpTransport,
  options: ListenerOptions,
  handler: RequestHandler,
): Listener {
  const create = transport === 'sockets' ? createSocketListener : createNodeHttpListener;
  return create(options, handler);
}

/** What speaks HTTP/1.1 with upstreams, by `server.http`. Passes the same conformance suite as the other. */
export function createUpstreamClient(transport: HttpTransport): UpstreamClient {
  return transport === 'sockets' ? createSocketClient() : createUndiciClient();
}
