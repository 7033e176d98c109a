import type { Fault } from '../../domain/facts.ts';
import type { BodySink } from '../listener.ts';
import type { Exchange } from './exchange.ts';
import { joinChunks } from './join-chunks.ts';

/**
 * Reads a whole request body of at most `bytesMax`. `fail` is called without a fault when the client
 * simply went away. Exactly one of the two is called, once.
 */
export function collectBody(
  exchange: Exchange,
  bytesMax: number | undefined,
  done: (body: Buffer) => void,
  fail: (fault: Fault | undefined) => void,
): void {
  const { request } = exchange;
  const limit = bytesMax ?? Number.POSITIVE_INFINITY;
  if (request.contentLength > limit) {
    fail(bodyTooLarge(limit));
    return;
  }
  exchange.bodyStarted = true;
  request.readBody(new BodyCollector({ exchange, limit, done, fail }));
}

interface Collection {
  readonly exchange: Exchange;
  readonly limit: number;
  readonly done: (body: Buffer) => void;
  readonly fail: (fault: Fault | undefined) => void;
}

class BodyCollector implements BodySink {
  readonly #collection: Collection;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  constructor(collection: Collection) {
    this.#collection = collection;
  }

  onChunk(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#collection.limit) {
      this.#chunks.push(chunk);
      return;
    }
    this.#over = true;
    this.#chunks = [];
    this.#collection.exchange.bodyStarted = false;
    this.#collection.fail(bodyTooLarge(this.#collection.limit));
  }

  onEnd(): void {
    if (this.#over) return;
    this.#collection.done(joinChunks(this.#chunks));
  }

  onError(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    const gone = this.#collection.exchange.response.closed;
    this.#collection.fail(
      gone ? undefined : { code: 'MALFORMED_REQUEST', problem: error.message, pointer: undefined },
    );
  }
}

/** What a body over the route's bound is refused with. */
export function bodyTooLarge(bytesMax: number): Fault {
  return {
    code: 'BODY_TOO_LARGE',
    problem: `the body is larger than the ${bytesMax} bytes this route takes`,
    pointer: undefined,
  };
}
