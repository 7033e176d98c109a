import type { Socket } from 'node:net';

import type { UpstreamFailure } from '../upstream.ts';
import { wasReset } from '../was-reset.ts';
import { answerStage, endingStage } from '../round.ts';
import { beginTurn, endTurn, flushSoon } from '../turn.ts';
import { ChunkedReader } from './chunked-reader.ts';
import { explainLineFeeds, HEAD_END } from './head-end.ts';
import { Inbox } from './inbox.ts';
import { KEEP_ALIVE_TIMEOUT_MS, readIdleMs } from './keep-alive.ts';
import { Outbox } from './outbox.ts';
import { type BodyFraming, parseResponseHead, type ResponseHead } from './response-head.ts';
import { keepBytes } from './shared-reads.ts';
import type { SocketCall } from './socket-call.ts';
import { NEVER, type Ticker, type Timed } from './ticker.ts';
import { Upload } from './upload.ts';

/** Of one answer's head, interim answers included. */
const HEAD_BYTES_MAX = 64 * 1024;
const PENDING_BYTES_MAX = 64 * 1024;

const PROTOCOL = Buffer.from('HTTP/1.');
const WAIT = -1;

/** Where a connection comes from and goes back to. */
export interface ConnectionPool {
  readonly ticker: Ticker;
  /** It can carry another call. */
  takeBack(connection: UpstreamConnection): void;
  /** It is gone. */
  forget(connection: UpstreamConnection): void;
}

type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'gone';

/** What has not come in time. */
const LATE: Readonly<Partial<Record<Phase, string>>> = {
  connecting: 'the connection was not established in time',
  head: 'the head of the answer did not arrive in time',
  body: 'the answer stopped arriving',
};

/** One connection to an upstream: one call after the other, never two at once. */
export class UpstreamConnection implements Timed {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  deadline = NEVER;
  readonly #socket: Socket;
  readonly #pool: ConnectionPool;
  #phase: Phase = 'connecting';
  #call: SocketCall | undefined;
  /** Calls it has carried to their end. */
  #served = 0;
  #upload: Upload | undefined = undefined;
  /** Read, and not yet understood or wanted. */
  #rest: Buffer | undefined = undefined;
  #searched = 0;
  #headBytes = 0;
  #answerBegun = false;
  #framing: BodyFraming = 'none';
  #left = 0;
  #chunks: ChunkedReader | undefined = undefined;
  #keepAlive = false;
  #idleMs = KEEP_ALIVE_TIMEOUT_MS;
  #paused = false;
  #consuming = false;
  #reading = true;
  #flushQueued = false;
  #error: Error | undefined = undefined;
  /** A reset came for the end. */
  #isBroken = false;
  /** How the connection ended while the reader had to think. */
  #broken: string | undefined = undefined;

  /** @param call the one it is opened for. */
  constructor(pool: ConnectionPool, socket: Socket, secure: boolean, call: SocketCall) {
    this.#pool = pool;
    this.#socket = socket;
    this.inbox = new Inbox(answerStage, (bytes) => this.#receive(bytes));
    this.outbox = new Outbox(socket, secure);
    this.#call = call;
    call.connection = this;
    this.deadline = pool.ticker.after(call.timeouts.connectTimeoutMs);
    socket.once(secure ? 'secureConnect' : 'connect', () => this.#begin());
    socket.on('drain', () => this.#upload?.drain());
    socket.on('end', () => {
      this.inbox.proceed();
      this.#isBroken = this.#framing === 'close' && wasReset(socket);
      this.#receiveEnd('the upstream closed the connection');
    });
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.once('close', () => this.#receiveClose());
  }

  get blocked(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Whether it can be given a call now. What was read already would become the answer to it. */
  get usable(): boolean {
    if (this.#phase !== 'idle' || this.inbox.isFull) return false;
    return this.#socket.writable && !this.#socket.readableEnded;
  }

  carry(call: SocketCall): void {
    this.#call = call;
    call.connection = this;
    this.#phase = 'head';
    this.#headBytes = 0;
    this.#answerBegun = false;
    const { head, body, bodyLength } = call.request;
    this.outbox.handedOver = 0;
    this.outbox.addText(head);
    if (body === undefined || Buffer.isBuffer(body)) {
      if (body !== undefined) this.outbox.addBytes(body);
      this.flushUpload();
      return;
    }
    const upload = new Upload(this, body, bodyLength);
    this.#upload = upload;
    call.sent = true;
    this.#noteProgress();
    this.flushUpload();
    body.readBody(upload);
  }

  resume(): void {
    this.#paused = false;
    if (this.#consuming || this.#phase === 'gone') return;
    this.#noteProgress();
    const isWhole = this.#phase === 'body' && this.#framing === 'length' && this.#left === 0;
    if (isWhole) this.#finish(true);
    else this.#goOn();
    if (this.#broken !== undefined) this.#receiveEnd(this.#broken);
  }

  /** Its call is no longer wanted, nor is the connection. */
  abandon(): void {
    this.#call = undefined;
    this.destroy();
  }

  /** Its pool closes. */
  expel(message: string): void {
    this.#fail('aborted', message);
  }

  destroy(): void {
    this.#phase = 'gone';
    this.deadline = NEVER;
    this.#upload?.stop();
    this.#upload = undefined;
    this.#socket.destroy();
  }

  expire(): void {
    const late = LATE[this.#phase];
    if (late === undefined) this.destroy();
    else this.#fail('timeout', late);
  }

  flush(): void {
    this.#flushQueued = false;
    this.outbox.flush();
    if (this.#call !== undefined && this.outbox.handedOver > 0) this.#call.sent = true;
  }

  flushUpload(): void {
    if (this.outbox.pending >= PENDING_BYTES_MAX) this.flush();
    else if (!this.#flushQueued) {
      this.#flushQueued = true;
      flushSoon(this);
    }
    this.#noteProgress();
  }

  endUpload(): void {
    this.flush();
    this.#noteProgress();
  }

  breakUpload(message: string): void {
    this.#fail('client-body', message);
  }

  #begin(): void {
    const call = this.#call;
    this.#phase = 'idle';
    this.deadline = NEVER;
    if (call !== undefined) this.carry(call);
  }

  #noteProgress(): void {
    const call = this.#call;
    if (call === undefined) return;
    const { ticker } = this.#pool;
    if (this.#phase === 'head') {
      // While the client is still sending, it is the client that is waited for, unless the upstream does not read.
      const waits = this.#upload === undefined || this.#upload.ended || this.blocked;
      this.deadline = waits ? ticker.after(call.timeouts.headersTimeoutMs) : NEVER;
    } else if (this.#phase === 'body') {
      this.deadline = this.#paused ? NEVER : ticker.after(call.timeouts.idleTimeoutMs);
    }
  }

  /** Bytes have been read; they may lie in the buffer that all sockets share. */
  #receive(chunk: Buffer): void {
    if (this.#phase === 'idle' || this.#phase === 'connecting') {
      // Nobody asked: whatever it is, it must not become the answer to the next call.
      this.#fail('protocol', 'the upstream spoke before it was asked');
      return;
    }
    const rest = this.#rest;
    this.#rest = undefined;
    beginTurn();
    try {
      this.#consume(rest === undefined ? chunk : Buffer.concat([rest, chunk]));
    } finally {
      endTurn();
    }
  }

  #goOn(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest === undefined) this.#updateFlow();
    else this.#consume(rest);
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
    if (at < bytes.length && this.#phase !== 'gone') {
      this.#rest = keepBytes(bytes, at, bytes.length);
    }
    this.#updateFlow();
  }

  #step(bytes: Buffer, at: number): number {
    if (this.#phase === 'head') return this.#readHead(bytes, at);
    if (this.#phase === 'body') return this.#paused ? WAIT : this.#feed(bytes, at);
    return bytes.length;
  }

  #updateFlow(): void {
    if (this.#phase === 'gone' || this.#paused !== this.#reading) return;
    this.#reading = !this.#paused;
    if (this.#reading) this.#socket.resume();
    else this.#socket.pause();
  }

  #readHead(bytes: Buffer, at: number): number {
    this.#answerBegun = true;
    const searchFrom = Math.max(at, at + this.#searched - HEAD_END.length + 1);
    const end = bytes.indexOf(HEAD_END, searchFrom);
    const length = (end < 0 ? bytes.length : end + HEAD_END.length) - at;
    if (this.#headBytes + length > HEAD_BYTES_MAX) {
      this.#fail('protocol', 'the head of the answer is too long');
      return bytes.length;
    }
    if (end < 0) return this.#awaitHead(bytes, at, searchFrom);
    this.#searched = 0;
    this.#headBytes += length;
    const method = this.#call?.request.method ?? '';
    const head = parseResponseHead(bytes.toString('latin1', at, end + 2), method);
    if (typeof head === 'string') this.#fail('protocol', head);
    // Interim answers (103 and the like) are between the upstream and us.
    else if (head.status >= 200) this.#beginBody(head, at + length === bytes.length);
    return at + length;
  }

  #awaitHead(bytes: Buffer, at: number, searchFrom: number): number {
    const known = Math.min(PROTOCOL.length, bytes.length - at);
    const problem =
      bytes.compare(PROTOCOL, 0, known, at, at + known) === 0
        ? explainLineFeeds(bytes, searchFrom)
        : 'the answer is not HTTP/1';
    if (problem !== undefined) {
      this.#fail('protocol', problem);
      return bytes.length;
    }
    this.#searched = bytes.length - at;
    return WAIT;
  }

  #beginBody(head: ResponseHead, isLast: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#phase = 'body';
    this.#paused = false;
    this.#framing = head.framing;
    this.#left = head.bodyLength;
    this.#chunks = head.framing === 'chunked' ? new ChunkedReader() : undefined;
    this.#keepAlive = head.keepAlive;
    if (head.fields.keepAlive !== '') this.#idleMs = readIdleMs(head.fields.keepAlive);
    this.#noteProgress();
    call.receiver.onHead(head.status, head.fields.headers);
    const isWhole = head.framing === 'none' || (head.framing === 'length' && this.#left === 0);
    if (isWhole && this.#call === call) this.#finish(isLast);
  }

  #feed(bytes: Buffer, at: number): number {
    if (this.#chunks !== undefined) return this.#feedChunks(this.#chunks, bytes, at);
    const untilClose = this.#framing === 'close';
    const to = untilClose ? bytes.length : Math.min(bytes.length, at + this.#left);
    if (!untilClose) this.#left -= to - at;
    this.#deliver(keepBytes(bytes, at, to));
    if (!untilClose && this.#left === 0 && !this.#paused) this.#finish(to === bytes.length);
    return to;
  }

  #feedChunks(chunks: ChunkedReader, bytes: Buffer, from: number): number {
    const at = chunks.advance(bytes, from);
    if (chunks.failed) {
      this.#fail('protocol', chunks.problem);
      return bytes.length;
    }
    if (chunks.done) {
      this.#finish(at === bytes.length);
      return at;
    }
    const to = Math.min(bytes.length, at + chunks.dataLeft);
    if (to > at) {
      chunks.take(to - at);
      this.#deliver(keepBytes(bytes, at, to));
    }
    return to;
  }

  #deliver(chunk: Buffer): void {
    const call = this.#call;
    if (call === undefined) return;
    if (!call.receiver.onChunk(chunk)) this.#paused = true;
    this.#noteProgress();
  }

  /** The answer is whole. `isLast`: no byte has come behind it. */
  #finish(isLast: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    const uploaded = this.#upload === undefined || this.#upload.ended;
    const hasMore = !isLast || this.#rest !== undefined || this.inbox.isFull;
    this.#call = undefined;
    this.#chunks = undefined;
    this.#served += 1;
    if (!this.#keepAlive || !uploaded || hasMore || this.#idleMs <= 0) {
      this.destroy();
      call.proceed();
      return;
    }
    this.#upload = undefined;
    this.#phase = 'idle';
    this.#updateFlow();
    this.deadline = this.#pool.ticker.after(this.#idleMs);
    call.connection = undefined;
    this.#pool.takeBack(this);
    endingStage.add(call);
  }

  #fail(kind: UpstreamFailure['kind'], message: string): void {
    const call = this.#call;
    this.#call = undefined;
    this.destroy();
    call?.fail(kind, message);
  }

  #receiveClose(): void {
    this.#receiveEnd(this.#error?.message ?? 'the connection was closed');
    this.#pool.forget(this);
  }

  /** Nothing more comes. What came before may still have to be taken, and may be all there is. */
  #receiveEnd(message: string): void {
    this.inbox.proceed();
    const isBody = this.#phase === 'body';
    const isEnd = this.#socket.readableEnded && !this.#isBroken;
    if (isBody && this.#paused) this.#broken ??= message;
    else if (isBody && this.#framing === 'close' && isEnd) this.#finish(true);
    else this.#lose(message);
  }

  #lose(message: string): void {
    const call = this.#call;
    const wasConnecting = this.#phase === 'connecting';
    this.#call = undefined;
    this.destroy();
    if (call === undefined) return;
    if (wasConnecting) call.fail('connect', message);
    else if (this.#answerBegun) call.fail('reset', message);
    else call.lose('reset', message, this.#served > 0);
  }
}
