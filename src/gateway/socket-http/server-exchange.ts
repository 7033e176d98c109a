import type {
  BodySink,
  InboundRequest,
  InboundResponse,
  ProtocolError,
  RawHeaders,
} from '../listener.ts';
import { flushSoon } from '../turn.ts';
import { renderAnswerHead } from './answer-head.ts';
import { ChunkedReader } from './chunked-reader.ts';
import { renderFields } from './render-head.ts';
import { CHUNKED, owesContinue, type RequestHead } from './request-head.ts';
import type { ServerConnection } from './server-connection.ts';
import { isBodiless } from './response-head.ts';
import { keepBytes } from './shared-reads.ts';

/** A body left unread is discarded up to this size to keep the connection; beyond, the connection closes. */
export const DISCARD_BYTES_MAX = 64 * 1024;
/** Output waits for the end of its turn up to this size. */
const PENDING_BYTES_MAX = 64 * 1024;
/** A long last part leaves in such pieces, so that a slow reader can be told from one that has stopped. */
const PIECE_BYTES = 256 * 1024;

const LAST_CHUNK = '0\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/** One request and its answer. Both port interfaces are one object to save the allocation. */
export class ServerExchange implements InboundRequest, InboundResponse {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly sameFields: RequestHead['sameFields'];
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly contentLength: number;
  headSent = false;
  closed = false;
  onDrain: (() => void) | undefined = undefined;
  onClientGone: (() => void) | undefined = undefined;
  /** Every byte of the request has been read. */
  bodyComplete: boolean;
  /** The pipeline has said all it will. */
  answered = false;
  /** The connection cannot carry another request after this one. */
  closeAfter: boolean;
  /** The client has yet to take what was written. */
  drainAwaited = false;

  readonly #connection: ServerConnection;
  readonly #isOld: boolean;
  readonly #chunks: ChunkedReader | undefined;
  #bodyLeft: number;
  #sink: BodySink | undefined = undefined;
  #bodyStarted = false;
  #bodyPaused = false;
  #delivering = false;
  #continueOwed: boolean;
  /** The head, until it leaves. */
  #head: string | undefined = undefined;
  /** It says how the body is framed, and is whole. */
  #isFramed = false;
  /** The first part of the body, while the head waits. */
  #first: Buffer = NOTHING;
  /** Of the answer's declared length; -1 when none was. */
  #lengthLeft = -1;
  #bodiless = false;
  #chunked = false;
  #flushQueued = false;
  /** What is left of a long last part. */
  #tail: Buffer = NOTHING;

  constructor(connection: ServerConnection, head: RequestHead) {
    this.method = head.method;
    this.target = head.target;
    this.headers = head.headers;
    this.sameFields = head.sameFields;
    this.remoteAddress = connection.remoteAddress;
    this.secure = connection.secure;
    this.contentLength = head.bodyLength;
    this.bodyComplete = head.bodyLength === 0;
    this.closeAfter = !head.keepAlive;
    this.#connection = connection;
    this.#isOld = head.isOld;
    this.#chunks = head.bodyLength === CHUNKED ? new ChunkedReader() : undefined;
    this.#bodyLeft = head.bodyLength;
    this.#continueOwed = owesContinue(head);
  }

  readBody(sink: BodySink): void {
    if (this.#bodyStarted) throw new Error('readBody may be called only once');
    this.#bodyStarted = true;
    if (this.contentLength === 0) {
      sink.onEnd();
      return;
    }
    this.#sink = sink;
    if (this.closed) {
      this.#failSink('the client closed the connection');
      return;
    }
    if (this.#continueOwed) {
      this.#continueOwed = false;
      this.#connection.outbox.addText('HTTP/1.1 100 Continue\r\n\r\n');
      this.#connection.outbox.flush();
    }
    this.#connection.noteProgress();
    this.#connection.goOn();
  }

  pauseBody(): void {
    this.#bodyPaused = true;
    this.#connection.noteProgress();
    this.#connection.updateFlow();
  }

  resumeBody(): void {
    this.#bodyPaused = false;
    if (this.#delivering || this.closed) return;
    this.#connection.noteProgress();
    if (this.#bodyLeft === 0 && this.#sink !== undefined) this.#completeBody();
    this.#connection.goOn();
  }

  writeHead(status: number, headers: RawHeaders, shared?: RawHeaders): void {
    if (this.headSent || this.closed) return;
    // RFC 9110 8.6: a 204 declares no length.
    const fields = renderFields(headers, status === 204);
    this.#bodiless = isBodiless(this.method, status);
    this.#isFramed = this.#bodiless || fields.contentLength >= 0;
    this.closeAfter ||= fields.close || this.#connection.mustClose || this.#leavesBodyUnread();
    const date = fields.hasDate ? '' : this.#connection.dateLine;
    const end = this.#isFramed ? date + this.#endOfHead : date;
    this.#head = renderAnswerHead(status, fields, shared, end);
    this.headSent = true;
    if (!this.#bodiless) this.#lengthLeft = fields.contentLength;
    this.#flushLater();
  }

  write(chunk: Buffer | string): boolean {
    // A producer that pauses for a client that is gone stops there; `true` would let it run on for ever.
    if (this.closed || this.answered) return false;
    if (!this.headSent) this.writeHead(200, []);
    this.#add(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return this.#report();
  }

  end(chunk?: Buffer | string): void {
    if (this.answered || this.closed) return;
    if (!this.headSent) this.writeHead(200, []);
    this.answered = true;
    const last = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk ?? NOTHING);
    if (this.#head !== undefined) this.#settleFraming(this.#first.length + last.length);
    if (last.length > PIECE_BYTES && last.length === this.#lengthLeft) {
      this.#lengthLeft = 0;
      this.#tail = last;
      this.#writeTail();
      return;
    }
    this.#add(last);
    this.#finish();
  }

  /** What was written may have been charged: it still leaves, and nothing behind it. */
  destroy(): void {
    if (this.closed) return;
    this.#settleFraming(-1);
    this.answered = true;
    this.closed = true;
    this.#failSink('the answer was broken off');
    this.#connection.breakOff();
  }

  /** Bytes of the body have arrived: takes what its sink wants. @returns where it stopped. */
  feed(bytes: Buffer, from: number): number {
    if (this.#chunks === undefined) return this.#feedLength(bytes, from);
    return this.#feedChunks(this.#chunks, bytes, from);
  }

  /** All of the answer has been given to the socket. */
  get written(): boolean {
    return this.answered && this.#tail.length === 0;
  }

  /** Whether body bytes can be taken now. */
  get wantsBody(): boolean {
    if (this.bodyComplete) return false;
    return this.answered || (this.#sink !== undefined && !this.#bodyPaused);
  }

  get bodyPaused(): boolean {
    return this.#bodyPaused && !this.answered;
  }

  /** What the body was to be framed by is broken, or it stopped coming: its sink and its client are told. */
  failBody(error: ProtocolError): void {
    this.closeAfter = true;
    this.#connection.closing = true;
    this.#failSink(error.reason);
    if (this.closed || this.answered) return;
    if (this.headSent) {
      this.flush();
      this.#connection.destroy();
      return;
    }
    // From here on the socket is not the pipeline's: what it still writes is dropped.
    this.headSent = true;
    this.closed = true;
    this.#connection.refuse(error);
  }

  flush(): void {
    this.#flushQueued = false;
    if (this.closed || this.answered) return;
    this.#settleFraming(-1);
    this.#connection.outbox.flush();
    this.#noteDrain();
  }

  receiveDrain(): void {
    this.drainAwaited = false;
    this.#connection.noteProgress();
    if (this.#tail.length > 0) this.#writeTail();
    else if (this.answered) this.#connection.settle();
    else this.onDrain?.();
  }

  /** The connection is gone. */
  receiveClose(): void {
    const { answered } = this;
    this.closed = true;
    this.answered = true;
    this.#failSink('the client closed the connection');
    if (!answered) this.onClientGone?.();
  }

  #feedLength(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + this.#bodyLeft);
    this.#bodyLeft -= to - from;
    this.#deliver(bytes, from, to);
    if (this.#bodyLeft === 0 && this.wantsBody) this.#completeBody();
    return to;
  }

  #feedChunks(chunks: ChunkedReader, bytes: Buffer, from: number): number {
    const at = chunks.advance(bytes, from);
    if (chunks.failed) {
      this.failBody({ status: chunks.status, reason: chunks.problem });
      return bytes.length;
    }
    if (chunks.done) {
      this.#completeBody();
      return at;
    }
    const to = Math.min(bytes.length, at + chunks.dataLeft);
    if (to > at) {
      chunks.take(to - at);
      this.#deliver(bytes, at, to);
    }
    return to;
  }

  #deliver(bytes: Buffer, from: number, to: number): void {
    const sink = this.#sink;
    if (sink === undefined) {
      this.#connection.discard(to - from);
      return;
    }
    this.#connection.noteProgress();
    this.#delivering = true;
    sink.onChunk(keepBytes(bytes, from, to));
    this.#delivering = false;
  }

  #completeBody(): void {
    this.bodyComplete = true;
    const sink = this.#sink;
    this.#sink = undefined;
    this.#connection.noteProgress();
    sink?.onEnd();
    if (this.answered) this.#connection.settle();
  }

  #failSink(reason: string): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(new Error(reason));
  }

  /** True when keeping the connection would mean swallowing a long body nobody wanted. */
  #leavesBodyUnread(): boolean {
    if (this.bodyComplete) return false;
    return this.#continueOwed || this.contentLength < 0 || this.contentLength > DISCARD_BYTES_MAX;
  }

  /** Ends the head with how its body is framed. `bodyBytes`: of the whole body, -1 when more may follow. */
  #settleFraming(bodyBytes: number): void {
    if (this.#head === undefined) return;
    const { outbox } = this.#connection;
    outbox.addText(this.#head);
    this.#head = undefined;
    if (!this.#isFramed) {
      outbox.addText(this.#frameBody(bodyBytes));
      outbox.addText(this.#endOfHead);
    }
    const first = this.#first;
    this.#first = NOTHING;
    this.#add(first);
  }

  #frameBody(bodyBytes: number): string {
    if (bodyBytes >= 0) {
      this.#lengthLeft = bodyBytes;
      return `\r\nContent-Length: ${bodyBytes}`;
    }
    if (this.#isOld) {
      this.closeAfter = true;
      return '';
    }
    this.#chunked = true;
    return '\r\nTransfer-Encoding: chunked';
  }

  get #endOfHead(): string {
    return this.closeAfter ? '\r\nConnection: close\r\n\r\n' : this.#connection.keepAliveLines;
  }

  #add(chunk: Buffer): void {
    if (chunk.length === 0 || this.#bodiless || this.closed) return;
    if (this.#head !== undefined) {
      if (this.#first.length === 0) {
        this.#first = chunk;
        return;
      }
      this.#settleFraming(-1);
    }
    if (this.#lengthLeft >= 0) {
      // More than was declared would be read as the beginning of another answer.
      if (chunk.length > this.#lengthLeft) {
        this.destroy();
        return;
      }
      this.#lengthLeft -= chunk.length;
    }
    this.#frame(chunk);
  }

  #frame(chunk: Buffer): void {
    const { outbox } = this.#connection;
    if (this.#chunked) outbox.addText(`${chunk.length.toString(16)}\r\n`);
    outbox.addBytes(chunk);
    if (this.#chunked) outbox.addText('\r\n');
  }

  #report(): boolean {
    if (this.closed) return false;
    const isMuch = this.#connection.outbox.pending + this.#first.length >= PENDING_BYTES_MAX;
    if (isMuch) this.flush();
    else this.#flushLater();
    return !this.drainAwaited;
  }

  #flushLater(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    flushSoon(this);
  }

  #finish(): void {
    // Less than was declared cannot be told from an answer that broke off, so it breaks off.
    if (this.#lengthLeft > 0) {
      this.destroy();
      return;
    }
    if (this.closed) return;
    if (this.#chunked) this.#connection.outbox.addText(LAST_CHUNK);
    if (this.#connection.outbox.leave()) this.#noteDrain();
    if (!this.bodyComplete) this.#sink = undefined;
    this.#connection.settle();
  }

  #writeTail(): void {
    while (this.#tail.length > 0 && !this.drainAwaited && !this.closed) {
      this.#connection.outbox.addBytes(this.#tail.subarray(0, PIECE_BYTES));
      this.#tail = this.#tail.subarray(PIECE_BYTES);
      this.#connection.outbox.flush();
      this.#noteDrain();
    }
    if (this.#tail.length === 0) this.#finish();
  }

  #noteDrain(): void {
    if (this.drainAwaited || !this.#connection.socket.writableNeedDrain) return;
    this.drainAwaited = true;
    this.#connection.noteProgress();
  }
}
