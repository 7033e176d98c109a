import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach } from 'vitest';

import { RawConnection } from '../../test/support/raw-connection.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import type {
  InboundRequest,
  InboundResponse,
  Listener,
  ListenerOptions,
  RequestHandler,
} from './listener.ts';

export const WAIT_MS = 10_000;
export const HOST = 'Host: gate\r\n';
/** A request whose chunked body follows. */
export const CHUNKED = `POST /c HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

export type CreateListener = (options: ListenerOptions, handler: RequestHandler) => Listener;

/** Listeners of one adapter and clients that write raw bytes to them; all end with the test. */
export interface ListenerLab {
  readonly start: (
    handler: RequestHandler,
    options?: Partial<ListenerOptions>,
  ) => Promise<{ port: number; listener: Listener }>;
  /** `allowHalfOpen`: the client goes on writing after the server has ended its side. */
  readonly open: (port: number, allowHalfOpen?: boolean) => Promise<RawConnection>;
  /** Each piece is a packet of its own. */
  readonly send: (port: number, ...pieces: string[]) => Promise<RawConnection>;
}

/** To be called once per describe: it registers the clean-up. */
export function openListenerLab(create: CreateListener): ListenerLab {
  const listeners: Listener[] = [];
  const connections: RawConnection[] = [];
  afterEach(async () => {
    for (const connection of connections.splice(0)) connection.destroy();
    for (const listener of listeners.splice(0)) await listener.drain(0);
  });
  const open: ListenerLab['open'] = async (port, allowHalfOpen = false) => {
    const connection = await RawConnection.open(port, allowHalfOpen);
    connections.push(connection);
    return connection;
  };
  return {
    open,
    start: async (handler, options = {}) => {
      const listener = create({ ...DEFAULTS, ...options }, handler);
      listeners.push(listener);
      const { port } = await listener.listen();
      return { port, listener };
    },
    send: async (port, ...pieces) => {
      const connection = await open(port);
      for (const piece of pieces) {
        await connection.write(piece);
        await nextTurn();
      }
      return connection;
    },
  };
}

const DEFAULTS: ListenerOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  headerBytesMax: 16 * 1024,
  headersTimeoutMs: 30_000,
  keepAliveTimeoutMs: 30_000,
  connectionsMax: 100,
  renderProtocolError: ({ reason }) => ({
    headers: ['Content-Type', 'text/plain'],
    body: `refused: ${reason}`,
  }),
};

/** Waits for `text` and gives all that was received. */
export function receives(connection: RawConnection, text: string): Promise<string> {
  return waitFor(() => connection.received.includes(text) && connection.received, {
    timeoutMs: WAIT_MS,
    what: `${JSON.stringify(text)} in ${JSON.stringify(connection.received.slice(0, 400))}`,
  });
}

export function answer(
  response: InboundResponse,
  body: string,
  headers: readonly string[] = [],
): void {
  response.writeHead(200, ['Content-Length', String(Buffer.byteLength(body)), ...headers]);
  response.end(body);
}

/** Collects the body, then answers with it. */
export function echo(request: InboundRequest, response: InboundResponse): void {
  const chunks: Buffer[] = [];
  request.readBody({
    onChunk: (chunk) => chunks.push(chunk),
    onEnd: () =>
      answer(response, `${request.method} ${request.target} ${Buffer.concat(chunks).toString()}`),
    onError: () => {},
  });
}
