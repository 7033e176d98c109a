import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { type ReadTarget, readsInto } from './shared-reads.ts';
import type { CallHost, SocketCall } from './socket-call.ts';
import type { Ticker } from './ticker.ts';
import { type ConnectionPool, UpstreamConnection } from './upstream-connection.ts';

const SOCKET_BUFFER_BYTES = 64 * 1024;
/** A model may think for minutes; the kernel asks whether its machine is still there. */
const KEEP_ALIVE_PROBE_MS = 60_000;

export interface OriginPoolOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  readonly connectionsMax: number;
  /** Calls that run or wait; more are refused. */
  readonly callsMax: number;
  readonly ticker: Ticker;
}

/** The connections to one origin. The one used last is used first, so that a quiet hour closes the others. */
export class OriginPool implements CallHost, ConnectionPool {
  readonly ticker: Ticker;
  /** For the Host header. */
  readonly authority: string;
  readonly #options: OriginPoolOptions;
  readonly #host: string;
  readonly #port: number;
  readonly #secure: boolean;
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  readonly #waiting: SocketCall[] = [];
  #calls = 0;
  #whenEmpty: (() => void) | undefined = undefined;

  constructor(options: OriginPoolOptions) {
    const url = new URL(options.origin);
    this.#options = options;
    this.ticker = options.ticker;
    this.authority = url.host;
    this.#secure = url.protocol === 'https:';
    this.#host = url.hostname.replace(/^\[|\]$/g, '');
    this.#port = Number(url.port || (this.#secure ? 443 : 80));
  }

  get isFull(): boolean {
    return this.#calls >= this.#options.callsMax;
  }

  get isIdle(): boolean {
    return this.#calls === 0;
  }

  send(call: SocketCall): void {
    this.#calls += 1;
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.usable) continue;
      idle.carry(call);
      return;
    }
    this.#connectOrWait(call);
  }

  sendAgain(call: SocketCall): void {
    this.#connectOrWait(call);
  }

  release(call: SocketCall): void {
    this.#calls -= 1;
    if (call.waiting) this.#waiting.splice(this.#waiting.indexOf(call), 1);
  }

  takeBack(connection: UpstreamConnection): void {
    // It has ended, and is about to say so: who waits then gets one of its own.
    if (!connection.usable) return;
    const next = this.#nextWaiting();
    if (next === undefined) this.#idle.push(connection);
    else connection.carry(next);
  }

  forget(connection: UpstreamConnection): void {
    this.ticker.unwatch(connection);
    this.#open.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    const next = this.#nextWaiting();
    if (next !== undefined) this.#connect(next);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }

  /** Breaks every connection and fails every call. Resolves when all sockets are closed. */
  async close(): Promise<void> {
    for (let call = this.#nextWaiting(); call !== undefined; call = this.#nextWaiting()) {
      call.fail('aborted', 'the client was closed');
    }
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const connection of this.#open) connection.expel('the client was closed');
    await empty;
  }

  #connectOrWait(call: SocketCall): void {
    if (this.#open.size < this.#options.connectionsMax) this.#connect(call);
    else {
      call.waiting = true;
      this.#waiting.push(call);
    }
  }

  #nextWaiting(): SocketCall | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) next.waiting = false;
    return next;
  }

  #connect(call: SocketCall): void {
    const target: ReadTarget = { receive: ignore };
    const socket = this.#openSocket(target);
    const connection = new UpstreamConnection(this, socket, this.#secure, call);
    target.receive = (bytes) => connection.inbox.receive(bytes);
    this.#open.add(connection);
    this.ticker.watch(connection);
  }

  #openSocket(target: ReadTarget): Socket {
    const address = {
      host: this.#host,
      port: this.#port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
      highWaterMark: SOCKET_BUFFER_BYTES,
    };
    if (!this.#secure) return connectPlain({ ...address, onread: readsInto(target) });
    const named = isIP(this.#host) === 0 ? { servername: this.#host } : {};
    const socket = connectTls({ ...address, ...named, ALPNProtocols: ['http/1.1'] });
    return socket.on('data', (bytes: Buffer) => target.receive(bytes));
  }
}

function ignore(): void {}
