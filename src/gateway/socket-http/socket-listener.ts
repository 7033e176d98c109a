import {
  createServer as createPlainServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';

import type { Listener, ListenerOptions, RequestHandler, TlsCertificate } from '../listener.ts';
import { TlsHandshakes } from '../tls-handshakes.ts';
import { type ConnectionHost, ServerConnection } from './server-connection.ts';
import { adoptSocket, type ReadTarget } from './shared-reads.ts';
import { TICK_MS, Ticker } from './ticker.ts';

/** Beyond `connectionsMax` so many are still accepted, to be answered 503; more are closed unheard. */
const OVER_CAPACITY_MAX = 64;
const SOCKET_BUFFER_BYTES = 64 * 1024;

/** The listener port over sockets and an HTTP/1.1 parser of our own; over TLS when `options.tls` is given. */
export function createSocketListener(options: ListenerOptions, handler: RequestHandler): Listener {
  return new SocketListener(options, handler);
}

class SocketListener implements Listener, ConnectionHost {
  draining = false;
  openRequests = 0;
  readonly options: ListenerOptions;
  readonly handler: RequestHandler;
  readonly ticker = new Ticker();
  readonly keepAliveLines: string;
  readonly #server: Server;
  readonly #handshakes: TlsHandshakes | undefined;
  readonly #connections = new Set<ServerConnection>();
  #whenEmpty: (() => void) | undefined = undefined;
  #dateLine = '';
  #dateTick = 0;

  constructor(options: ListenerOptions, handler: RequestHandler) {
    this.options = options;
    this.handler = handler;
    const seconds = Math.max(1, Math.floor(options.keepAliveTimeoutMs / 1000));
    this.keepAliveLines = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n\r\n`;
    this.#server = createServer(options);
    const isPlain = options.tls === undefined;
    this.#handshakes = isPlain ? undefined : new TlsHandshakes(this.#server);
    const opened = isPlain ? 'connection' : 'secureConnection';
    this.#server.on(opened, (socket: Socket) => this.#open(socket));
  }

  get dateLine(): string {
    if (this.ticker.now >= this.#dateTick) {
      this.#dateTick = this.ticker.now + 1000 / TICK_MS / 2;
      this.#dateLine = `\r\nDate: ${new Date().toUTCString()}`;
    }
    return this.#dateLine;
  }

  listen(): Promise<AddressInfo> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        const address = this.#server.address();
        if (address === null || typeof address === 'string') {
          reject(new Error(`listening on ${host}:${port} gave no TCP address`));
        } else resolve(address);
      });
    });
  }

  renewTls({ cert, key }: TlsCertificate): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext({ cert, key });
  }

  async drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    this.#server.close();
    this.#handshakes?.breakOff();
    for (const connection of this.#connections) {
      if (connection.idle) connection.closeIdle();
    }
    const deadline = setTimeout(() => this.#destroyAll(), deadlineMs);
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
    clearTimeout(deadline);
    this.ticker.stop();
  }

  #open(accepted: Socket): void {
    const { connectionsMax, tls } = this.options;
    const count = this.#connections.size;
    if (this.draining || count >= connectionsMax + OVER_CAPACITY_MAX) {
      accepted.destroy();
      return;
    }
    const target: ReadTarget = { receive: ignore };
    const adopted = tls === undefined ? adoptSocket(accepted, target) : undefined;
    const socket = adopted ?? accepted;
    const connection = new ServerConnection(this, socket, count >= connectionsMax);
    target.receive = (bytes) => connection.inbox.receive(bytes);
    if (adopted === undefined) socket.on('data', target.receive);
    this.#connections.add(connection);
    this.ticker.watch(connection);
    socket.once('close', () => this.#forget(connection));
    socket.resume();
  }

  #forget(connection: ServerConnection): void {
    this.#connections.delete(connection);
    this.ticker.unwatch(connection);
    connection.receiveClose();
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  #destroyAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

function createServer(options: ListenerOptions): Server {
  const sockets = { allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES };
  if (options.tls === undefined) return createPlainServer({ ...sockets, pauseOnConnect: true });
  const server = createTlsServer({
    ...sockets,
    cert: options.tls.cert,
    key: options.tls.key,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.headersTimeoutMs,
  });
  // Of handshakes, too.
  server.maxConnections = options.connectionsMax + OVER_CAPACITY_MAX;
  return server;
}

function ignore(): void {}
