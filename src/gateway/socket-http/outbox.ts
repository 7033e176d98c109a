import type { Socket } from 'node:net';

/** Output up to this size is put together in one buffer and leaves in one write; more goes as a vector. */
const COPY_BYTES_MAX = 32 * 1024;

/** Shared by all plain sockets: whatever the kernel takes at once is free again when `write` returns. */
let scratch = Buffer.allocUnsafeSlow(COPY_BYTES_MAX);

/** The bytes on their way to one socket: what one turn of the event loop produces leaves in one write. */
export class Outbox {
  /** Bytes added and not yet flushed. */
  pending = 0;
  /** Bytes given to the socket without an error at once: 0 means that nothing can have reached the other side. */
  handedOver = 0;
  readonly #socket: Socket;
  readonly #mayReuse: boolean;
  readonly #pieces: (Buffer | string)[] = [];
  #text = '';

  /** `secure`: a TLS socket keeps what it is given for longer than a call. */
  constructor(socket: Socket, secure: boolean) {
    this.#socket = socket;
    this.#mayReuse = !secure;
  }

  /** Latin1 only. */
  addText(text: string): void {
    this.#text += text;
    this.pending += text.length;
  }

  addBytes(bytes: Buffer): void {
    if (this.#text !== '') {
      this.#pieces.push(this.#text);
      this.#text = '';
    }
    this.#pieces.push(bytes);
    this.pending += bytes.length;
  }

  flush(): void {
    const { pending } = this;
    if (pending === 0) return;
    if (this.#text !== '') {
      this.#pieces.push(this.#text);
      this.#text = '';
    }
    const socket = this.#socket;
    if (!socket.destroyed && socket.writable) {
      if (pending <= COPY_BYTES_MAX) this.#writeJoined(pending);
      else this.#writeVector();
      if (socket.errored === null) this.handedOver += pending;
    }
    this.#pieces.length = 0;
    this.pending = 0;
  }

  #writeJoined(length: number): void {
    const target = this.#mayReuse ? scratch : Buffer.allocUnsafe(length);
    let at = 0;
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') at += target.write(piece, at, 'latin1');
      else {
        target.set(piece, at);
        at += piece.length;
      }
    }
    this.#socket.write(at === target.length ? target : target.subarray(0, at));
    // The kernel did not take all of it: the rest still lies in this buffer.
    if (this.#mayReuse && this.#socket.writableLength > 0) {
      scratch = Buffer.allocUnsafeSlow(COPY_BYTES_MAX);
    }
  }

  #writeVector(): void {
    this.#socket.cork();
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') this.#socket.write(piece, 'latin1');
      else this.#socket.write(piece);
    }
    this.#socket.uncork();
  }
}

/** Something with output that need not leave before the others of this turn. */
export interface Flushable {
  flush(): void;
}

const waiting: Flushable[] = [];

/** Calls `flush` when the current callback of the event loop has ended. */
export function flushSoon(item: Flushable): void {
  if (waiting.length === 0) process.nextTick(flushWaiting);
  waiting.push(item);
}

function flushWaiting(): void {
  for (const item of waiting) item.flush();
  waiting.length = 0;
}
