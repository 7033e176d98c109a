import type { BodySink, InboundRequest } from '../listener.ts';
import type { Outbox } from './outbox.ts';

/** What an upload needs of the connection it goes out on. */
export interface UploadTarget {
  readonly outbox: Outbox;
  /** The upstream does not take what was written. */
  readonly blocked: boolean;
  /** Bytes were added: they leave with the end of this turn, or now when there are many. */
  flushUpload(): void;
  /** The last byte was added. */
  endUpload(): void;
  /** The body broke off, or was not as long as declared. */
  breakUpload(message: string): void;
}

/** A body on its way from the client to the upstream: as fast as the upstream takes it, never held. */
export class Upload implements BodySink {
  ended = false;
  readonly #target: UploadTarget;
  readonly #body: InboundRequest;
  /** Bytes still owed, -1: chunked. */
  #left: number;
  #paused = false;
  #stopped = false;

  constructor(target: UploadTarget, body: InboundRequest, length: number) {
    this.#target = target;
    this.#body = body;
    this.#left = length;
  }

  /** The upstream takes bytes again. */
  drain(): void {
    if (!this.#paused || this.#stopped) return;
    this.#paused = false;
    this.#body.resumeBody();
  }

  /** Nobody wants the rest. */
  stop(): void {
    if (this.#stopped || this.ended) return;
    this.#stopped = true;
    this.#body.pauseBody();
  }

  onChunk(chunk: Buffer): void {
    if (this.#stopped || chunk.length === 0) return;
    const { outbox } = this.#target;
    if (this.#left < 0) {
      outbox.addText(`${chunk.length.toString(16)}\r\n`);
      outbox.addBytes(chunk);
      outbox.addText('\r\n');
    } else if (chunk.length <= this.#left) {
      this.#left -= chunk.length;
      outbox.addBytes(chunk);
    } else {
      this.#break('the request body is longer than declared');
      return;
    }
    this.#target.flushUpload();
    if (!this.#target.blocked || this.#paused) return;
    this.#paused = true;
    this.#body.pauseBody();
  }

  onEnd(): void {
    if (this.#stopped) return;
    if (this.#left > 0) {
      this.#break('the request body is shorter than declared');
      return;
    }
    this.ended = true;
    if (this.#left < 0) this.#target.outbox.addText('0\r\n\r\n');
    this.#target.endUpload();
  }

  onError(error: Error): void {
    if (!this.#stopped) this.#break(error.message);
  }

  /** Whoever broke it off may be in the middle of saying why: the call fails when that is said. */
  #break(message: string): void {
    this.#stopped = true;
    queueMicrotask(() => this.#target.breakUpload(message));
  }
}
