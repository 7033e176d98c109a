import type { ProtocolError } from '../listener.ts';
import type { BodySink, InboundRequest, InboundResponse, RawHeaders } from '../listener.ts';
import type { Connection, ExchangeIncoming, ExchangeOutgoing } from './connection.ts';

/** A body left unread is discarded up to this size to keep the connection; beyond, the connection closes. */
export const DISCARD_BYTES_MAX = 64 * 1024;
/** While a connection closes, what the client still sends is read so that it can see the answer. */
export const LINGER_BYTES_MAX = 64 * 1024 * 1024;

/** What an exchange needs of its listener. */
export interface ExchangeHost {
  readonly draining: boolean;
  /** Asks for `sweep` once a second until `unwatch`. */
  watch(exchange: NodeExchange): void;
  unwatch(exchange: NodeExchange): void;
  /** Seconds since start, by the sweeper: cheap enough to note per chunk. */
  readonly tick: number;
  /** The answer has left, or the client has. */
  release(exchange: NodeExchange): void;
  answerProtocolError(connection: Connection, error: ProtocolError): void;
}

/** One request and its answer over node:http. Both port interfaces are one object to save the allocation. */
export class NodeExchange implements InboundRequest, InboundResponse {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly contentLength: number;
  readonly connection: Connection;
  /** Why it is answered with a protocol error instead of being handed over. */
  readonly refusal: ProtocolError | undefined;
  headSent = false;
  closed = false;
  onDrain: (() => void) | undefined = undefined;
  onClientGone: (() => void) | undefined = undefined;

  readonly #host: ExchangeHost;
  readonly #incoming: ExchangeIncoming;
  readonly #outgoing: ExchangeOutgoing;
  #sink: BodySink | undefined = undefined;
  #bodyStarted = false;
  #bodyEnded = false;
  #bodyPaused = false;
  #continueOwed: boolean;
  #answered = false;
  #closeAfter = false;
  #drainAwaited = false;
  #drainListening = false;
  #discardedBytes = 0;
  #progressTick = 0;

  constructor(
    host: ExchangeHost,
    connection: Connection,
    outgoing: ExchangeOutgoing,
    inspected: { readonly framing: number | ProtocolError; readonly continueOwed: boolean },
  ) {
    const incoming = outgoing.req;
    const { framing } = inspected;
    this.method = incoming.method ?? '';
    this.target = incoming.url ?? '';
    this.headers = incoming.rawHeaders;
    this.remoteAddress = connection.remoteAddress;
    this.secure = connection.secure;
    this.contentLength = typeof framing === 'number' ? framing : -1;
    this.refusal = typeof framing === 'number' ? undefined : framing;
    this.connection = connection;
    this.#host = host;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#continueOwed = inspected.continueOwed;
    incoming.exchange = this;
    outgoing.exchange = this;
    outgoing.on('close', onOutgoingClose);
  }

  readBody(sink: BodySink): void {
    if (this.#bodyStarted) throw new Error('readBody may be called only once');
    this.#bodyStarted = true;
    if (this.contentLength === 0) {
      this.#bodyEnded = true;
      sink.onEnd();
      return;
    }
    this.#sink = sink;
    if (this.closed) {
      this.#failSink(new Error('the client closed the connection'));
      return;
    }
    if (this.#continueOwed) {
      this.#continueOwed = false;
      this.#outgoing.writeContinue();
    }
    this.#incoming.on('data', onIncomingData);
    this.#incoming.on('end', onIncomingEnd);
    this.#watch();
  }

  pauseBody(): void {
    this.#bodyPaused = true;
    this.#incoming.pause();
  }

  resumeBody(): void {
    this.#bodyPaused = false;
    this.#progressTick = this.#host.tick;
    this.#incoming.resume();
  }

  writeHead(status: number, headers: RawHeaders, shared: RawHeaders = []): void {
    if (this.headSent || this.closed) return;
    this.headSent = true;
    const outgoing = this.#outgoing;
    if (this.#host.draining || this.connection.closing || this.#leavesBodyUnread()) {
      this.#closeAfter = true;
      this.connection.closing = true;
      outgoing.shouldKeepAlive = false;
    }
    outgoing.writeHead(status, [...headers, ...shared]);
    // A head without a first byte (a stream that has yet to speak) leaves on its own at the end of this tick.
    process.nextTick(flushHead, this);
  }

  write(chunk: Buffer | string): boolean {
    // A producer that pauses for a client that is gone stops there; `true` would let it run on for ever.
    if (this.closed) return false;
    if (this.#outgoing.write(chunk)) return true;
    if (!this.#drainListening) {
      this.#drainListening = true;
      this.#outgoing.on('drain', onOutgoingDrain);
    }
    this.#drainAwaited = true;
    this.#watch();
    return false;
  }

  end(chunk?: Buffer | string): void {
    if (this.#answered || this.closed) return;
    this.#answered = true;
    if (!this.#bodyEnded) this.#discardBody();
    if (chunk === undefined) this.#outgoing.end();
    else this.#outgoing.end(chunk);
  }

  destroy(): void {
    if (this.closed) return;
    this.#leaveWritten();
    this.#answered = true;
    this.closed = true;
    this.connection.closing = true;
    this.#failSink(new Error('the answer was broken off'));
    this.connection.socket.destroy();
  }

  /** Bytes that are not HTTP arrived inside this request's body: its sink and its client are told. */
  failBody(error: ProtocolError): void {
    this.#failSink(new Error(error.reason));
    if (this.closed) return;
    this.connection.closing = true;
    if (this.#answered) return;
    if (this.headSent) {
      this.#leaveWritten();
      this.connection.socket.destroy();
      return;
    }
    // From here on the socket is not the pipeline's: what it still writes is dropped.
    this.headSent = true;
    this.closed = true;
    this.#host.answerProtocolError(this.connection, error);
  }

  /** Whether bytes that arrive now belong to this request. */
  get bodyIncomplete(): boolean {
    return !this.#incoming.complete;
  }

  flushHead(): void {
    if (!this.#answered && !this.closed) this.#outgoing.flushHeaders();
  }

  receiveChunk(chunk: Buffer): void {
    if (this.#sink !== undefined) {
      this.#progressTick = this.#host.tick;
      this.#sink.onChunk(chunk);
      return;
    }
    // Discarding is no progress: it is bounded in bytes and in time as a whole.
    this.#discardedBytes += chunk.length;
    if (this.#discardedBytes > LINGER_BYTES_MAX) this.connection.socket.destroy();
  }

  receiveEnd(): void {
    this.#bodyEnded = true;
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink !== undefined) sink.onEnd();
    else if (this.#closeAfter) this.#finishLinger();
  }

  receiveDrain(): void {
    this.#drainAwaited = false;
    this.#progressTick = this.#host.tick;
    this.onDrain?.();
  }

  /** The answer has been handed to the kernel, or the connection broke. */
  receiveClose(): void {
    if (!this.#answered && !this.closed) {
      this.closed = true;
      this.#failSink(new Error('the client closed the connection'));
      this.onClientGone?.();
    } else if (!this.#outgoing.writableFinished) {
      // The pipeline had finished, or failBody had: only an owner still waiting must hear of it.
      if (!this.#answered) this.onClientGone?.();
      this.closed = true;
    }
    // A body that is still arriving after its answer is watched until it ends or takes too long.
    if (this.#incoming.complete || this.connection.socket.destroyed) this.#host.unwatch(this);
    else this.#watch();
    this.#host.release(this);
  }

  /** Called each second while watched. */
  sweep(idleTicksMax: number, lingerTicksMax: number): void {
    const silentTicks = this.#host.tick - this.#progressTick;
    if (this.#answered && this.#outgoing.writableFinished) {
      if (this.#incoming.complete) this.#host.unwatch(this);
      else if (silentTicks > lingerTicksMax || this.connection.socket.destroyed) {
        this.#host.unwatch(this);
        this.connection.socket.destroy();
      }
      return;
    }
    if (silentTicks <= idleTicksMax) return;
    if (this.#drainAwaited) this.connection.socket.destroy();
    else if (this.#bodyStarted && !this.#bodyEnded && !this.#bodyPaused) {
      this.failBody({ status: 408, reason: 'the request body stopped arriving' });
    }
  }

  /** What was written may have been charged: the kernel gets it before the connection breaks. */
  #leaveWritten(): void {
    if (this.headSent) this.flushHead();
    const { socket } = this.connection;
    while (socket.writableCorked > 0) socket.uncork();
  }

  #watch(): void {
    this.#progressTick = this.#host.tick;
    this.#host.watch(this);
  }

  #failSink(error: Error): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(error);
  }

  /** True when keeping the connection would mean swallowing a long body nobody wanted. */
  #leavesBodyUnread(): boolean {
    if (this.contentLength === 0 || this.#bodyEnded || this.#incoming.complete) return false;
    return this.#continueOwed || this.contentLength < 0 || this.contentLength > DISCARD_BYTES_MAX;
  }

  #discardBody(): void {
    this.#sink = undefined;
    if (this.#incoming.complete || !this.#closeAfter) {
      // Short, or here already: Node discards what was never started, the rest must be set going.
      if (this.#bodyStarted) this.#incoming.resume();
      return;
    }
    const { socket } = this.connection;
    // Node closes a socket right after an answer with `Connection: close`. Closing with unread bytes makes the
    // kernel send a reset, which can overtake the answer: so only our half closes until the client stops.
    socket.destroySoon = () => {
      socket.end();
    };
    if (!this.#bodyStarted) {
      this.#bodyStarted = true;
      this.#incoming.on('data', onIncomingData);
      this.#incoming.on('end', onIncomingEnd);
    }
    this.#incoming.resume();
    this.#watch();
  }

  #finishLinger(): void {
    const { socket } = this.connection;
    if (!Object.hasOwn(socket, 'destroySoon')) return;
    Reflect.deleteProperty(socket, 'destroySoon');
    if (this.#outgoing.writableFinished) socket.destroySoon();
  }
}

function flushHead(exchange: NodeExchange): void {
  exchange.flushHead();
}
function onIncomingData(this: ExchangeIncoming, chunk: Buffer): void {
  this.exchange?.receiveChunk(chunk);
}
function onIncomingEnd(this: ExchangeIncoming): void {
  this.exchange?.receiveEnd();
}
function onOutgoingDrain(this: ExchangeOutgoing): void {
  this.exchange?.receiveDrain();
}
function onOutgoingClose(this: ExchangeOutgoing): void {
  this.exchange?.receiveClose();
}
