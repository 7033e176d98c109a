import type { RawHeaders, SameFields } from '../listener.ts';
import { parseRequestLine, type RequestHead } from './request-head.ts';

const CR = 0x0d;
const ZERO = 0x30;
const NINE = 0x39;
/** So many are an exact number, and more than any body has bytes. */
const DIGITS_MAX = 15;
const LENGTH_LEAD = /\r\ncontent-length:[\t ]*/i;
const NOTHING = Buffer.alloc(0);
/** With a client whose heads differ each time no more than so many are compared. */
export const MISSES_MAX = 4;

/**
 * The fields of the last head of a connection. Most clients send the same with each request, but for Content-Length: those
 * are not read again (DESIGN 9, "header bytes parsed once").
 */
export class KnownFields {
  /** Offset behind the head that was found. */
  end = 0;
  #head: RequestHead | undefined = undefined;
  /** From the end of the request line to the digits of Content-Length; without one, to the end of the head. */
  #before = NOTHING;
  /** From behind those digits to the end of the head. */
  #after = NOTHING;
  /** Where the headers have that length; 0: nowhere. */
  #lengthAt = 0;
  #same: SameFields | undefined = undefined;
  #misses = 0;

  /** The head that begins at `at`, if all of it is there and has these fields. Undefined: it has to be read. */
  find(bytes: Buffer, at: number): RequestHead | undefined {
    const known = this.#head;
    if (known === undefined) return undefined;
    const lineEnd = bytes.indexOf(CR, at);
    if (lineEnd < 0 || !standsAt(this.#before, bytes, lineEnd)) return undefined;
    const digits = lineEnd + this.#before.length;
    const after = this.#lengthAt === 0 ? digits : skipDigits(bytes, digits);
    if (after < 0 || !standsAt(this.#after, bytes, after)) return undefined;
    const line = parseRequestLine(bytes.toString('latin1', at, lineEnd));
    if (line === undefined || line.isOld !== known.isOld) return undefined;
    this.end = after + this.#after.length;
    this.#misses = 0;
    this.#same ??= { forwarded: undefined };
    const length = bytes.toString('latin1', digits, after);
    return {
      method: line.method,
      target: line.target,
      isOld: line.isOld,
      headers: this.#headersWith(known.headers, length),
      sameFields: this.#same,
      bodyLength: this.#lengthAt === 0 ? known.bodyLength : Number(length),
      keepAlive: known.keepAlive,
      expects: known.expects,
    };
  }

  /** Keeps the fields of a head that had to be read. `text`: as `parseRequestHead` took it. */
  keep(head: RequestHead, text: string): void {
    this.#misses += 1;
    this.#same = undefined;
    this.#head = this.#misses > MISSES_MAX ? undefined : head;
    if (this.#head === undefined) return;
    const lineEnd = text.indexOf('\r');
    const fields = Buffer.from(`${text.slice(lineEnd)}\r\n`, 'latin1');
    const lead = LENGTH_LEAD.exec(text);
    this.#lengthAt = lead === null ? 0 : findLength(head.headers);
    const digits = lead === null ? fields.length : lead.index + lead[0].length - lineEnd;
    const behind = lead === null ? digits : skipDigits(fields, digits);
    if (behind < 0) this.#head = undefined;
    this.#before = fields.subarray(0, digits);
    this.#after = fields.subarray(Math.max(0, behind));
  }

  #headersWith(headers: RawHeaders, length: string): RawHeaders {
    if (this.#lengthAt === 0 || headers[this.#lengthAt] === length) return headers;
    return headers.with(this.#lengthAt, length);
  }
}

function standsAt(part: Buffer, bytes: Buffer, at: number): boolean {
  const end = at + part.length;
  return end <= bytes.length && part.compare(bytes, at, end) === 0;
}

/** -1: there are none, or more than a length has. */
function skipDigits(bytes: Buffer, from: number): number {
  let at = from;
  while (isDigit(bytes[at]) && at - from <= DIGITS_MAX) at += 1;
  return at === from || at - from > DIGITS_MAX ? -1 : at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function findLength(headers: RawHeaders): number {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === 'content-length') return index + 1;
  }
  return 0;
}
