import { Readable } from 'node:stream';

import type { BodySink, InboundRequest } from '../listener.ts';

const BUFFER_BYTES = 64 * 1024;

/** The client's side of the call broke: not the upstream's fault, and nothing to try elsewhere. */
export class ClientBodyError extends Error {}

/** The caller's body as the stream undici wants: pulled chunk by chunk, never more than BUFFER_BYTES ahead. */
export class InboundBody extends Readable implements BodySink {
  readonly #request: InboundRequest;
  #started = false;
  #paused = false;

  constructor(request: InboundRequest) {
    super({ highWaterMark: BUFFER_BYTES });
    this.#request = request;
    // undici stops listening once the answer is complete; a client that breaks off then must not be a crash.
    this.on('error', ignore);
  }

  override _read(): void {
    if (!this.#started) {
      this.#started = true;
      this.#request.readBody(this);
    } else if (this.#paused) {
      this.#paused = false;
      this.#request.resumeBody();
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#started && !this.readableEnded) this.#pause();
    callback(error);
  }

  onChunk(chunk: Buffer): void {
    if (!this.push(chunk)) this.#pause();
  }

  onEnd(): void {
    this.push(null);
  }

  onError(error: Error): void {
    this.destroy(new ClientBodyError(error.message));
  }

  #pause(): void {
    this.#paused = true;
    this.#request.pauseBody();
  }
}

function ignore(): void {}
