import type { Socket } from 'node:net';

import { leavesTogether } from '../round.ts';
import { type Flushable, flushSoon } from '../turn.ts';

/** Output up to this size is put together in one buffer and leaves in one write; more goes as a vector. */
const COPY_BYTES_MAX = 32 * 1024;
/** So much may wait for the output of the other requests of its stage. */
const TOGETHER_BYTES_MAX = 16 * 1024;

/** Shared by all plain sockets: whatever the kernel takes at once is free again when `write` returns. */
let scratch = Buffer.allocUnsafeSlow(COPY_BYTES_MAX);

const NO_BYTES = Buffer.alloc(0);

/** The bytes on their way to one socket: what one turn of the event loop produces leaves in one write. */
export class Outbox implements Flushable {
  /** Bytes added and not yet flushed. */
  pending = 0;
  /** Bytes given to the socket without an error at once: 0 means that nothing can have reached the other side. */
  handedOver = 0;
  readonly #socket: Socket;
  readonly #mayReuse: boolean;
  // Nearly always there is a text and then some bytes: those need no list.
  #text = '';
  #bytes: Buffer = NO_BYTES;
  #more: (Buffer | string)[] | undefined = undefined;

  /** `secure`: a TLS socket keeps what it is given for longer than a call. */
  constructor(socket: Socket, secure: boolean) {
    this.#socket = socket;
    this.#mayReuse = !secure;
  }

  /** Latin1 only. */
  addText(text: string): void {
    this.pending += text.length;
    if (this.#more !== undefined) this.#more.push(text);
    else if (this.#bytes.length > 0) this.#more = [text];
    else this.#text += text;
  }

  addBytes(bytes: Buffer): void {
    this.pending += bytes.length;
    if (this.#more !== undefined) this.#more.push(bytes);
    else if (this.#bytes.length > 0) this.#more = [bytes];
    else this.#bytes = bytes;
  }

  /** All that is to leave is here: it leaves at once, or with that of other requests. @returns whether it has left. */
  leave(): boolean {
    if (leavesTogether() && this.pending < TOGETHER_BYTES_MAX) {
      flushSoon(this);
      return false;
    }
    this.flush();
    return true;
  }

  flush(): void {
    const { pending } = this;
    if (pending === 0) return;
    const socket = this.#socket;
    if (!socket.destroyed && socket.writable) {
      if (pending <= COPY_BYTES_MAX) this.#writeJoined(pending);
      else this.#writeVector();
      if (socket.errored === null) this.handedOver += pending;
    }
    this.pending = 0;
    this.#text = '';
    this.#bytes = NO_BYTES;
    this.#more = undefined;
  }

  #writeJoined(length: number): void {
    const target = this.#mayReuse ? scratch : Buffer.allocUnsafe(length);
    let at = target.write(this.#text, 'latin1');
    target.set(this.#bytes, at);
    at += this.#bytes.length;
    for (const piece of this.#more ?? []) {
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
    if (this.#text !== '') this.#socket.write(this.#text, 'latin1');
    if (this.#bytes.length > 0) this.#socket.write(this.#bytes);
    for (const piece of this.#more ?? []) {
      if (typeof piece === 'string') this.#socket.write(piece, 'latin1');
      else this.#socket.write(piece);
    }
    this.#socket.uncork();
  }
}
