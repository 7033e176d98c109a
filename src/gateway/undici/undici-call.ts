import { type Dispatcher, errors } from 'undici';

import type { UpstreamCall, UpstreamFailure, UpstreamReceiver } from '../upstream.ts';
import type { InboundBody } from './inbound-body.ts';
import { mapUndiciError } from './upstream-failure.ts';

/**
 * One call. It is its own undici handler, in the older of undici's two handler shapes: the newer one is
 * an adapter around this one in undici 7 and parses the head into an object we have no use for.
 */
export class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #receiver: UpstreamReceiver;
  #origin: { calls: number } | undefined;
  readonly #headersTimeoutMs: number;
  readonly #body: Buffer | InboundBody | null;
  /** When the first interim answer came behind the whole request. */
  #interimSinceMs: number | undefined = undefined;
  #abort: ((error?: Error) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  /** undici starts writing right after `onConnect`, and never calls it again for the same call. */
  #sent = false;
  #ended = false;
  #aborted = false;

  constructor(
    receiver: UpstreamReceiver,
    origin: { calls: number } | undefined,
    headersTimeoutMs: number,
    body: Buffer | InboundBody | null,
  ) {
    this.#receiver = receiver;
    this.#origin = origin;
    this.#headersTimeoutMs = headersTimeoutMs;
    this.#body = body;
  }

  resume(): void {
    this.#resume?.();
  }

  abort(): void {
    if (this.#ended) return;
    this.#aborted = true;
    if (this.#abort !== undefined) {
      this.#abort();
      return;
    }
    // Still queued or connecting: undici cannot take it back, so it is dropped when its turn comes.
    this.#fail({ kind: 'aborted', sent: false, message: 'aborted before it was sent' });
  }

  /** Ends a call that undici never saw. */
  refuse(message: string): void {
    this.#fail({ kind: 'connect', sent: false, message });
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.#ended) {
      abort();
      return;
    }
    this.#abort = abort;
    this.#sent = true;
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void): boolean {
    // Interim answers (103 and the like) are between the upstream and us.
    if (status < 200) {
      this.#boundInterim();
      return true;
    }
    this.#resume = resume;
    const headers: string[] = Array.from({ length: rawHeaders.length });
    for (let index = 0; index < rawHeaders.length; index += 1) {
      headers[index] = rawHeaders[index]?.toString('latin1') ?? '';
    }
    this.#receiver.onHead(status, headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    // Its parser goes on with nothing: that is no reason to wait once more.
    return chunk.length === 0 || this.#receiver.onChunk(chunk);
  }

  onComplete(): void {
    this.#release();
    if (this.#ended) return;
    this.#ended = true;
    this.#receiver.onEnd();
  }

  onError(error: Error): void {
    this.#release();
    const failure = mapUndiciError(error, this.#sent);
    this.#fail(this.#aborted ? { ...failure, kind: 'aborted' } : failure);
  }

  /** For undici each of them begins the wait for the head anew. */
  #boundInterim(): void {
    if (this.#body !== null && 'readableEnded' in this.#body && !this.#body.readableEnded) return;
    const nowMs = performance.now();
    this.#interimSinceMs ??= nowMs;
    if (nowMs - this.#interimSinceMs <= this.#headersTimeoutMs) return;
    this.#abort?.(new errors.HeadersTimeoutError());
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#receiver.onFailure(failure);
  }

  #release(): void {
    if (this.#origin !== undefined) this.#origin.calls -= 1;
    this.#origin = undefined;
  }
}
