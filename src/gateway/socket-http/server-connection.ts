import type { Socket } from 'node:net';

import type { ListenerOptions, ProtocolError, RequestHandler } from '../listener.ts';
import { requestStage } from '../round.ts';
import { beginTurn, endTurn } from '../turn.ts';
import { renderAnswerHead } from './answer-head.ts';
import { explainLineFeeds, HEAD_END } from './head-end.ts';
import { explainFields } from './head-fields.ts';
import { Inbox } from './inbox.ts';
import { KnownFields } from './known-fields.ts';
import { Outbox } from './outbox.ts';
import { renderFields } from './render-head.ts';
import { explainRequestLine, parseRequestHead, type RequestHead } from './request-head.ts';
import { ServerExchange } from './server-exchange.ts';
import { keepBytes } from './shared-reads.ts';
import { NEVER, type Ticker, type Timed } from './ticker.ts';

/** While a connection closes, what the client still sends is read so that it can see the answer. */
export const LINGER_BYTES_MAX = 64 * 1024 * 1024;
const LINGER_TIMEOUT_MS = 5_000;
const CLIENT_IDLE_TIMEOUT_MS = 60_000;

const CR = 0x0d;
const LF = 0x0a;
/** Behind a request that is not answered yet so much is read, or else nobody would hear that its client has left. */
const AHEAD_BYTES_MAX = 16 * 1024;
/** What has been read cannot be used yet. */
const WAIT = -1;
const IPV4_MAPPED = '::ffff:';

const OVER_CAPACITY: ProtocolError = { status: 503, reason: 'too many connections' };

/** What a connection needs of its listener. */
export interface ConnectionHost {
  readonly options: ListenerOptions;
  readonly handler: RequestHandler;
  readonly ticker: Ticker;
  readonly draining: boolean;
  /** Of all its connections; each keeps its own count in it. */
  openRequests: number;
  /** `Date: ...` after the end of the line before it. */
  readonly dateLine: string;
  /** What ends the head of an answer after which the connection stays. */
  readonly keepAliveLines: string;
}

/**
 * `idle`: between requests. `head`: waiting for the rest of a head, or for the first. `exchange`: a request is being
 * read or answered. `closing`: nothing more is understood, what arrives is thrown away.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'closing';

/** One client connection. A request is parsed when the one before it has been answered; what waits till then is bounded. */
export class ServerConnection implements Timed {
  readonly socket: Socket;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly remoteAddress: string;
  readonly secure: boolean;
  deadline: number;
  /** No further request is read on it. */
  closing = false;
  readonly #host: ConnectionHost;
  readonly #knownFields = new KnownFields();
  /** Accepted beyond `connectionsMax`, only to be told so. */
  readonly #overCapacity: boolean;
  #phase: Phase = 'head';
  #exchange: ServerExchange | undefined = undefined;
  /** Read, and not yet understood or wanted. */
  #rest: Buffer | undefined = undefined;
  /** How much of `#rest` is known not to end a head. */
  #searched = 0;
  /** How much of it, in whole lines, is known to be in order. */
  #checked = 0;
  #consuming = false;
  /** It counts among the open requests of its host. */
  #counted = false;
  #reading = true;
  #discarded = 0;

  constructor(host: ConnectionHost, socket: Socket, overCapacity: boolean) {
    const address = socket.remoteAddress ?? '';
    this.socket = socket;
    this.secure = host.options.tls !== undefined;
    this.inbox = new Inbox(requestStage, (bytes) => this.#receive(bytes));
    this.outbox = new Outbox(socket, this.secure);
    this.remoteAddress = address.startsWith(IPV4_MAPPED)
      ? address.slice(IPV4_MAPPED.length)
      : address;
    this.#host = host;
    this.#overCapacity = overCapacity;
    this.deadline = host.ticker.after(host.options.headersTimeoutMs);
    socket.on('drain', () => this.#exchange?.receiveDrain());
    socket.on('end', () => this.#receiveEnd());
    socket.on('finish', () => this.#receiveFinish());
    // `close` follows, and says all there is to know.
    socket.on('error', ignore);
  }

  get dateLine(): string {
    return this.#host.dateLine;
  }

  get keepAliveLines(): string {
    return this.#host.keepAliveLines;
  }

  get mustClose(): boolean {
    return this.closing || this.#host.draining;
  }

  /** Nothing is asked of it: it may be closed without a word. */
  get idle(): boolean {
    return !this.inbox.isFull && (this.#phase === 'idle' || this.#phase === 'head');
  }

  /** Something moved: whoever is waited for has all its time again. */
  noteProgress(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#phase !== 'exchange') return;
    const waits = exchange.drainAwaited || (exchange.wantsBody && !exchange.answered);
    this.deadline = waits ? this.#host.ticker.after(this.#idleTimeoutMs) : NEVER;
  }

  /** The body is wanted, or the next request is: goes on with what has been read already, then reads more. */
  goOn(): void {
    if (this.#consuming) return;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest === undefined) this.updateFlow();
    else this.#consume(rest);
  }

  updateFlow(): void {
    if (this.#consuming) return;
    const exchange = this.#exchange;
    const wants =
      exchange === undefined || this.#phase === 'closing'
        ? true
        : this.#rest === undefined
          ? !exchange.bodyPaused
          : exchange.bodyComplete && this.#rest.length < AHEAD_BYTES_MAX;
    if (wants === this.#reading) return;
    this.#reading = wants;
    if (wants) this.socket.resume();
    else this.socket.pause();
  }

  /** The answer has been written and the request read: ends the exchange once the client has taken enough of it. */
  settle(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || this.#phase !== 'exchange' || !exchange.written) return;
    if (exchange.closeAfter || this.mustClose) {
      this.#countOut();
      this.#close(!exchange.bodyComplete || this.#rest !== undefined);
      return;
    }
    if (exchange.drainAwaited) return;
    if (!exchange.bodyComplete) {
      this.deadline = this.#host.ticker.after(LINGER_TIMEOUT_MS);
      this.goOn();
      return;
    }
    this.#countOut();
    this.#exchange = undefined;
    this.#phase = 'idle';
    this.#discarded = 0;
    this.deadline = this.#host.ticker.after(this.#host.options.keepAliveTimeoutMs);
    this.goOn();
  }

  /** Answers bytes that are no request, and closes. */
  refuse(error: ProtocolError): void {
    this.closing = true;
    const { headers, body } = this.#host.options.renderProtocolError(error);
    const fields = renderFields(headers, true);
    const bytes = Buffer.from(body);
    const date = fields.hasDate ? '' : this.#host.dateLine;
    const framing = `\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
    this.outbox.addText(renderAnswerHead(error.status, fields, undefined, date + framing));
    this.outbox.addBytes(bytes);
    this.#close(true);
  }

  /** Bytes nobody wants: bounded, in time by the deadline. */
  discard(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded > LINGER_BYTES_MAX) this.destroy();
  }

  /** Closes when what was written has left, in the middle of an answer. */
  breakOff(): void {
    this.#close(false);
  }

  closeIdle(): void {
    this.closing = true;
    this.#phase = 'closing';
    this.socket.destroySoon();
  }

  destroy(): void {
    this.closing = true;
    this.#phase = 'closing';
    this.socket.destroy();
  }

  /** The socket is gone. */
  receiveClose(): void {
    this.inbox.proceed();
    this.#countOut();
    this.deadline = NEVER;
    this.#phase = 'closing';
    this.#rest = undefined;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.receiveClose();
  }

  expire(): void {
    const exchange = this.#exchange;
    if (this.#phase === 'head') {
      this.refuse({ status: 408, reason: 'the request head did not arrive in time' });
    } else if (this.#phase === 'idle') this.closeIdle();
    else if (
      exchange !== undefined &&
      exchange.wantsBody &&
      !exchange.answered &&
      !exchange.drainAwaited
    ) {
      exchange.failBody({ status: 408, reason: 'the request body stopped arriving' });
    } else this.destroy();
  }

  get #idleTimeoutMs(): number {
    return this.#host.options.clientIdleTimeoutMs ?? CLIENT_IDLE_TIMEOUT_MS;
  }

  /** Bytes have been read; they may lie in the buffer that all sockets share. */
  #receive(chunk: Buffer): void {
    const rest = this.#rest;
    this.#rest = undefined;
    beginTurn();
    try {
      this.#consume(rest === undefined ? chunk : Buffer.concat([rest, chunk]));
    } finally {
      endTurn();
    }
  }

  #consume(bytes: Buffer): void {
    this.#consuming = true;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next === WAIT) break;
      at = next;
    }
    this.#consuming = false;
    if (at < bytes.length) this.#rest = keepBytes(bytes, at, bytes.length);
    this.updateFlow();
  }

  /** @returns where it came to, or WAIT. */
  #step(bytes: Buffer, at: number): number {
    if (this.#phase === 'closing') {
      this.discard(bytes.length - at);
      return bytes.length;
    }
    const exchange = this.#exchange;
    if (exchange === undefined) return this.#readHead(bytes, at);
    return exchange.wantsBody ? exchange.feed(bytes, at) : WAIT;
  }

  #readHead(bytes: Buffer, at: number): number {
    if (bytes[at] === CR || bytes[at] === LF) return this.#skipEmptyLine(bytes, at);
    if (this.#phase === 'idle') {
      this.#phase = 'head';
      this.deadline = this.#host.ticker.after(this.#host.options.headersTimeoutMs);
    }
    const known = this.#searched === 0 ? this.#knownFields.find(bytes, at) : undefined;
    if (known !== undefined && this.#knownFields.end - at <= this.#host.options.headerBytesMax) {
      this.#begin(known);
      return this.#knownFields.end;
    }
    const searchFrom = Math.max(at, at + this.#searched - HEAD_END.length + 1);
    const end = bytes.indexOf(HEAD_END, searchFrom);
    const length = (end < 0 ? bytes.length : end + HEAD_END.length) - at;
    if (length > this.#host.options.headerBytesMax) {
      this.refuse({ status: 431, reason: 'the header section is too long' });
      return bytes.length;
    }
    if (end < 0) return this.#awaitHead(bytes, at, searchFrom);
    this.#searched = 0;
    this.#checked = 0;
    const text = bytes.toString('latin1', at, end + 2);
    const head = parseRequestHead(text);
    if (!('status' in head)) this.#knownFields.keep(head, text);
    this.#begin(head);
    return at + length;
  }

  /** RFC 9112 2.2: an empty line before a request is to be ignored. */
  #skipEmptyLine(bytes: Buffer, at: number): number {
    if (bytes[at] === CR && at + 1 === bytes.length) return WAIT;
    if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2;
    this.refuse({ status: 400, reason: 'Expected CRLF at the end of an empty line' });
    return bytes.length;
  }

  /** Looks at what has come of a head, each byte once: what is wrong already is not waited for. */
  #awaitHead(bytes: Buffer, at: number, searchFrom: number): number {
    const problem = explainLineFeeds(bytes, searchFrom) ?? this.#explainBeginning(bytes, at);
    if (problem !== undefined) {
      this.refuse({ status: 400, reason: problem });
      return bytes.length;
    }
    this.#searched = bytes.length - at;
    return WAIT;
  }

  #explainBeginning(bytes: Buffer, at: number): string | undefined {
    const end = bytes.lastIndexOf(CR);
    if (end <= at + this.#checked) return this.#checked > 0 ? undefined : explainStart(bytes[at]);
    const lines = bytes.toString('latin1', at + this.#checked, end);
    const isFirst = this.#checked === 0;
    this.#checked = end - at;
    if (!isFirst) return explainFields(lines);
    const lineEnd = lines.indexOf('\r\n');
    if (lineEnd < 0) return explainRequestLine(lines);
    return explainRequestLine(lines.slice(0, lineEnd)) ?? explainFields(lines.slice(lineEnd));
  }

  #begin(head: RequestHead | ProtocolError): void {
    if ('status' in head) {
      this.refuse(head);
      return;
    }
    if (this.#overCapacity) {
      this.refuse(OVER_CAPACITY);
      return;
    }
    const exchange = new ServerExchange(this, head);
    this.#exchange = exchange;
    this.#counted = true;
    this.#host.openRequests += 1;
    this.#phase = 'exchange';
    this.deadline = NEVER;
    this.#host.handler(exchange, exchange);
  }

  #countOut(): void {
    if (!this.#counted) return;
    this.#counted = false;
    this.#host.openRequests -= 1;
  }

  /** `lingers`: the client may still be sending, and a reset could overtake the answer. */
  #close(lingers: boolean): void {
    this.closing = true;
    this.#phase = 'closing';
    this.#rest = undefined;
    this.deadline = this.#host.ticker.after(this.#idleTimeoutMs);
    this.outbox.flush();
    if (!lingers) this.socket.destroySoon();
    else this.socket.end();
    this.updateFlow();
  }

  /** The other side has ended its half. */
  #receiveEnd(): void {
    this.inbox.proceed();
    const exchange = this.#exchange;
    if (this.#phase === 'head' && this.#rest !== undefined) {
      this.refuse({ status: 400, reason: 'the connection ended inside a request' });
    } else if (this.#phase === 'exchange' && exchange !== undefined && !exchange.answered) {
      if (exchange.bodyComplete) this.socket.destroy();
      else exchange.failBody({ status: 400, reason: 'the connection ended inside a request' });
    } else if (this.#phase === 'exchange') {
      this.closing = true;
      this.settle();
    } else this.socket.destroySoon();
  }

  /** Everything written has left: a closing connection waits a little for the client to end it. */
  #receiveFinish(): void {
    if (this.#phase === 'closing') this.deadline = this.#host.ticker.after(LINGER_TIMEOUT_MS);
  }
}

/** What cannot begin a method; it need not be waited for either. */
function explainStart(byte = 0): string | undefined {
  return byte >= 0x41 && byte <= 0x5a ? undefined : 'Invalid method encountered';
}

function ignore(): void {}
