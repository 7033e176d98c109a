import type { RawHeaders } from '../listener.ts';
import { codingOf } from './decode-answer.ts';
import { readHeader } from './outgoing.ts';

/** The line that ends an event of a stream (WHATWG HTML 9.2.6), as servers write it. */
const ENDS = ['\n\n', '\r\n\r\n'] as const;
const TAIL_LENGTH = 4;

const EVENTS = 'text/event-stream';

/** Whether the answer is a stream of events. RFC 9110 8.3.1: the name of a media type is case-insensitive. */
export function hasEvents(headers: RawHeaders): boolean {
  return readHeader(headers, 'content-type')?.slice(0, EVENTS.length).toLowerCase() === EVENTS;
}

/** Whether events can be told apart in the answer, and one of ours can follow them. */
export function isEventStream(headers: RawHeaders): boolean {
  return (
    hasEvents(headers) &&
    codingOf(headers) === undefined &&
    readHeader(headers, 'content-length') === undefined
  );
}

/** Where a stream of events may be ended without tearing one that its client would then read. */
export class EventEdges {
  /** The last bytes that were written, wherever their chunks ended: as many as the longest end has. */
  #tail = '';

  /** Whether all events that have begun are whole. */
  get isAtEdge(): boolean {
    return this.#tail === '' || ENDS.some((end) => this.#tail.endsWith(end));
  }

  /** Bytes of the stream, written as they came. */
  pass(chunk: Buffer): void {
    const last = chunk.subarray(-TAIL_LENGTH).toString('latin1');
    this.#tail = last.length === TAIL_LENGTH ? last : (this.#tail + last).slice(-TAIL_LENGTH);
  }

  /** Of `most` bytes of the next chunk, those that end with an event; all of them where that cannot be helped. */
  lastEdge(chunk: Buffer, most: number): number {
    const text = this.#tail + chunk.subarray(0, most).toString('latin1');
    let last = 0;
    for (const end of ENDS) {
      const begin = text.lastIndexOf(end);
      if (begin >= 0) last = Math.max(last, begin + end.length - this.#tail.length);
    }
    return last > 0 || this.isAtEdge ? last : most;
  }
}
