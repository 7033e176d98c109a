const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const EMPTY = Buffer.alloc(0);
const PENDING_PARTS_MAX = 1024;

/**
 * Cuts a server-sent stream into events at blank lines, wherever the chunks end, with LF, CRLF and CR as
 * line ends (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 * Passes on the very bytes of the events that are kept. Holds back at most one incomplete event.
 */
export class EventSplitter {
  /** An event is longer than `eventBytesMax`: nothing more is passed on. */
  overflowed = false;
  readonly #eventBytesMax: number;
  /** Gets one event with its blank line; says whether to pass it on. */
  readonly #keepEvent: (event: Buffer) => boolean;
  /** The incomplete event. */
  readonly #pending: Buffer[] = [];
  #pendingBytes = 0;
  #lineIsEmpty = true;
  /** A line feed right behind a carriage return is part of the same line end. */
  #afterReturn = false;
  #keptLast = true;

  constructor(eventBytesMax: number, keepEvent: (event: Buffer) => boolean) {
    this.#eventBytesMax = eventBytesMax;
    this.#keepEvent = keepEvent;
  }

  /** Takes the next bytes, returns those of the events complete by now. */
  push(chunk: Buffer): Buffer {
    const kept: Buffer[] = [];
    let eventStart = this.#takeLateLineFeed(chunk);
    // Where the run of kept bytes of this chunk begins; it ends at `eventStart`.
    let runStart = this.#keptLast ? 0 : eventStart;
    for (let end = this.#findBlankLine(chunk, eventStart); end !== -1;) {
      const wasPending = this.#pendingBytes > 0;
      const event = this.#completeEvent(chunk.subarray(eventStart, end));
      if (this.overflowed) break;
      this.#keptLast = this.#keepEvent(event);
      if (this.#keptLast && wasPending) kept.push(event);
      if (!this.#keptLast && runStart < eventStart) kept.push(chunk.subarray(runStart, eventStart));
      if (!this.#keptLast || wasPending) runStart = end;
      eventStart = end;
      end = this.#findBlankLine(chunk, eventStart);
    }
    if (runStart < eventStart) kept.push(chunk.subarray(runStart, eventStart));
    this.#holdBack(chunk.subarray(eventStart));
    return join(kept);
  }

  /** The end of the stream: what is held back, taken for an event though its blank line is missing. */
  flush(): Buffer {
    if (this.#pendingBytes === 0 || this.overflowed) return EMPTY;
    const event = this.#completeEvent(EMPTY);
    return this.#keepEvent(event) ? event : EMPTY;
  }

  /** The last event ended with the carriage return at the end of the last chunk, and its line feed comes now. */
  #takeLateLineFeed(chunk: Buffer): number {
    if (!this.#afterReturn || this.#pendingBytes > 0 || chunk[0] !== LINE_FEED) return 0;
    this.#afterReturn = false;
    return 1;
  }

  /** Offset behind the next blank line, or -1 when the chunk ends first. */
  #findBlankLine(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) {
        this.#lineIsEmpty = false;
        this.#afterReturn = false;
        continue;
      }
      const isSecondHalf = byte === LINE_FEED && this.#afterReturn;
      this.#afterReturn = byte === CARRIAGE_RETURN;
      if (isSecondHalf) continue;
      if (this.#lineIsEmpty) return this.#endAfter(chunk, at);
      this.#lineIsEmpty = true;
    }
    return -1;
  }

  /** Takes the line feed behind a carriage return along, if it is there already. */
  #endAfter(chunk: Buffer, at: number): number {
    if (!this.#afterReturn || chunk[at + 1] !== LINE_FEED) return at + 1;
    this.#afterReturn = false;
    return at + 2;
  }

  #completeEvent(rest: Buffer): Buffer {
    if (this.#pendingBytes + rest.length > this.#eventBytesMax) this.overflowed = true;
    if (this.#pendingBytes === 0) return rest;
    const event = Buffer.concat([...this.#pending, rest]);
    this.#pending.length = 0;
    this.#pendingBytes = 0;
    return event;
  }

  #holdBack(rest: Buffer): void {
    if (rest.length === 0 || this.overflowed) return;
    this.#pendingBytes += rest.length;
    this.overflowed = this.#pendingBytes > this.#eventBytesMax;
    if (this.overflowed) this.#pending.length = 0;
    else this.#pending.push(rest);
    // A Buffer costs a hundred bytes beside its own: a megabyte in single bytes must not become a hundred.
    if (this.#pending.length === PENDING_PARTS_MAX) {
      this.#pending.splice(0, PENDING_PARTS_MAX, Buffer.concat(this.#pending));
    }
  }
}

function join(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  if (first === undefined) return EMPTY;
  return parts.length === 1 ? first : Buffer.concat(parts);
}
