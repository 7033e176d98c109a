import { createServer as createPlainServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type {
  Listener,
  ListenerOptions,
  ProtocolError,
  RequestHandler,
  TlsCertificate,
} from '../listener.ts';
import { TlsHandshakes } from '../tls-handshakes.ts';
import { Connection, ExchangeIncoming, ExchangeOutgoing } from './connection.ts';
import { inspectRequest } from './inspect-request.ts';
import { NodeExchange } from './node-exchange.ts';
import type { ExchangeHost } from './node-exchange.ts';
import { answerOnSocket, mapServerError } from './protocol-answer.ts';

const SWEEP_INTERVAL_MS = 1_000;
const CLIENT_IDLE_TIMEOUT_MS = 60_000;
const LINGER_TIMEOUT_MS = 5_000;
const DRAIN_POLL_MS = 50;
/** Beyond `connectionsMax` so many are still accepted, to be answered 503; more are closed unheard. */
const OVER_CAPACITY_MAX = 64;
const SOCKET_BUFFER_BYTES = 64 * 1024;

/** The listener port over node:http, or node:https when `options.tls` is given. */
export function createNodeHttpListener(
  options: ListenerOptions,
  handler: RequestHandler,
): Listener {
  return new NodeHttpListener(options, handler);
}

class NodeHttpListener implements Listener, ExchangeHost {
  draining = false;
  openRequests = 0;
  tick = 0;
  readonly #options: ListenerOptions;
  readonly #handler: RequestHandler;
  readonly #server: Server<typeof ExchangeIncoming, typeof ExchangeOutgoing>;
  readonly #handshakes: TlsHandshakes | undefined;
  readonly #connections = new Map<Duplex, Connection>();
  readonly #watched = new Set<NodeExchange>();
  #sweeper: NodeJS.Timeout | undefined = undefined;

  constructor(options: ListenerOptions, handler: RequestHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#server = createServer(options);
    this.#server.maxConnections = options.connectionsMax + OVER_CAPACITY_MAX;
    const isPlain = options.tls === undefined;
    this.#handshakes = isPlain ? undefined : new TlsHandshakes(this.#server);
    this.#attach(isPlain ? 'connection' : 'secureConnection');
  }

  listen(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
        this.#sweeper.unref();
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
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#handshakes?.breakOff();
    this.#closeIdle();
    const poll = setInterval(() => this.#closeIdle(), DRAIN_POLL_MS);
    const deadline = setTimeout(() => this.#destroyAll(), deadlineMs);
    await closed;
    // The server counts a socket out before the socket has told its exchange.
    while (this.#connections.size > 0) await nextTurn();
    clearInterval(poll);
    clearTimeout(deadline);
    clearInterval(this.#sweeper);
  }

  watch(exchange: NodeExchange): void {
    this.#watched.add(exchange);
  }

  unwatch(exchange: NodeExchange): void {
    this.#watched.delete(exchange);
  }

  answerProtocolError(connection: Connection, error: ProtocolError): void {
    connection.closing = true;
    answerOnSocket(connection.socket, error, this.#options.renderProtocolError);
  }

  release(exchange: NodeExchange): void {
    const { connection } = exchange;
    if (connection.active !== exchange) return;
    connection.active = undefined;
    this.openRequests -= 1;
    if (connection.closing) {
      connection.socket.destroySoon();
      return;
    }
    if (connection.socket.destroyed) return;
    const next = connection.waiting.shift();
    if (next === undefined) return;
    if (connection.waiting.length === 0) connection.socket.resume();
    this.#handOver(connection, next);
  }

  #attach(connectionEvent: 'connection' | 'secureConnection'): void {
    const server = this.#server;
    server.on(connectionEvent, (socket: Socket) => this.#open(socket));
    server.on('request', (incoming, outgoing) => this.#receive(incoming, outgoing, false));
    server.on('checkContinue', (incoming, outgoing) => this.#receive(incoming, outgoing, true));
    server.on('checkExpectation', (incoming, outgoing) => {
      const reason = 'the only expectation supported is 100-continue';
      this.#receive(incoming, outgoing, { status: 400, reason });
    });
    server.on('connect', (_incoming, socket) => {
      this.#refuse(socket, { status: 400, reason: 'CONNECT is not supported' });
    });
    server.on('clientError', (error, socket) => this.#receiveError(error, socket));
  }

  #open(socket: Socket): void {
    const overCapacity = this.#connections.size >= this.#options.connectionsMax;
    const secure = this.#options.tls !== undefined;
    this.#connections.set(socket, new Connection(socket, secure, overCapacity));
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** `expectation`: whether a 100-continue is owed, or why the Expect header is refused. */
  #receive(
    incoming: ExchangeIncoming,
    outgoing: ExchangeOutgoing,
    expectation: boolean | ProtocolError,
  ): void {
    const connection = this.#connections.get(incoming.socket);
    if (connection === undefined || connection.closing) return;
    const framing = typeof expectation === 'object' ? expectation : inspectRequest(incoming);
    const exchange = new NodeExchange(this, connection, outgoing, {
      framing: connection.overCapacity ? OVER_CAPACITY : framing,
      continueOwed: expectation === true,
    });
    if (connection.active === undefined) {
      this.#handOver(connection, exchange);
      return;
    }
    connection.waiting.push(exchange);
    connection.socket.pause();
  }

  #handOver(connection: Connection, exchange: NodeExchange): void {
    connection.active = exchange;
    this.openRequests += 1;
    const { refusal } = exchange;
    if (refusal === undefined) {
      this.#handler(exchange, exchange);
      return;
    }
    const { headers, body } = this.#options.renderProtocolError(refusal);
    connection.closing = true;
    const length = String(Buffer.byteLength(body));
    exchange.writeHead(refusal.status, [...headers, 'Content-Length', length]);
    exchange.end(body);
  }

  #receiveError(error: Error & { code?: string }, socket: Duplex): void {
    const { code } = error;
    const connection = this.#connections.get(socket);
    // The client ended its half behind a whole request: nobody waits for the answer to that one.
    const hasLeft =
      code === 'HPE_INVALID_EOF_STATE' && connection?.active?.bodyIncomplete === false;
    // Without a connection it was no HTTP yet: a TLS handshake has failed.
    if (connection === undefined || hasLeft || code === 'ECONNRESET' || code === 'EPIPE') {
      socket.destroy();
      return;
    }
    this.#refuse(socket, mapServerError(error));
  }

  #refuse(socket: Duplex, error: ProtocolError): void {
    const connection = this.#connections.get(socket);
    const active = connection?.active;
    if (active === undefined) {
      if (connection?.closing === true) socket.destroy();
      else answerOnSocket(socket, error, this.#options.renderProtocolError);
      return;
    }
    // Bytes behind a whole request: its answer leaves in peace, and the connection ends with it.
    active.connection.closing = true;
    if (active.bodyIncomplete) active.failBody(error);
  }

  #sweep(): void {
    this.tick += 1;
    const idleMs = this.#options.clientIdleTimeoutMs ?? CLIENT_IDLE_TIMEOUT_MS;
    for (const exchange of this.#watched) {
      exchange.sweep(idleMs / SWEEP_INTERVAL_MS, LINGER_TIMEOUT_MS / SWEEP_INTERVAL_MS);
    }
  }

  #closeIdle(): void {
    for (const connection of this.#connections.values()) {
      if (connection.active === undefined && !connection.closing) connection.socket.destroySoon();
    }
  }

  #destroyAll(): void {
    for (const connection of this.#connections.values()) connection.socket.destroy();
  }
}

const OVER_CAPACITY: ProtocolError = { status: 503, reason: 'too many connections' };

function createServer(
  options: ListenerOptions,
): Server<typeof ExchangeIncoming, typeof ExchangeOutgoing> {
  const serverOptions = {
    IncomingMessage: ExchangeIncoming,
    ServerResponse: ExchangeOutgoing,
    insecureHTTPParser: false,
    // Ours is answered through renderProtocolError; Node's own answer has no body.
    requireHostHeader: false,
    maxHeaderSize: options.headerBytesMax,
    headersTimeout: options.headersTimeoutMs,
    // Long uploads are legitimate: silence is bounded by the sweep, not the whole duration.
    requestTimeout: 0,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(SWEEP_INTERVAL_MS, options.headersTimeoutMs),
    noDelay: true,
    highWaterMark: SOCKET_BUFFER_BYTES,
  };
  if (options.tls === undefined) return createPlainServer(serverOptions);
  return createTlsServer({
    ...serverOptions,
    cert: options.tls.cert,
    key: options.tls.key,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.headersTimeoutMs,
  });
}
