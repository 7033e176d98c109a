import { explainFields } from './head-fields.ts';
import { TOKEN_PATTERN } from './patterns.ts';

/** Bytes of all chunk extensions of one body together, as Node's own parser bounds them. */
export const EXTENSION_BYTES_MAX = 16 * 1024;
/** Bytes of the trailer section, which is dropped. */
export const TRAILER_BYTES_MAX = 16 * 1024;
/** Hexadecimal digits of a chunk size: what is longer is no size (8 PiB and above), or only zeros. */
const SIZE_DIGITS_MAX = 13;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

const QUOTED =
  '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
/** RFC 9112 7.1.1 without its "bad" whitespace. */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN_PATTERN}(?:=(?:${TOKEN_PATTERN}|${QUOTED}))?)+$`);

/** RFC 9110 6.5.1: no trailer. What reads it as a part of the head would see another message. */
const FRAMING = /^(?:content-length|transfer-encoding):/i;

type Step =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'trailer-lf'
  | 'done'
  | 'failed';

/**
 * Finds the payload in a chunked body (RFC 9112 section 7.1), wherever reads cut it. The owner takes payload while
 * `dataLeft` > 0 and calls `advance` for everything between.
 */
export class ChunkedReader {
  /** Payload bytes of the current chunk that are still to come. */
  dataLeft = 0;
  /** Why the framing is refused, and the status that says so. */
  problem = '';
  status: 400 | 413 | 431 = 400;
  #step: Step = 'size';
  #size = 0;
  #digits = 0;
  #line = '';
  #extensionBytes = 0;
  #trailerBytes = 0;

  get done(): boolean {
    return this.#step === 'done';
  }

  get failed(): boolean {
    return this.#step === 'failed';
  }

  /** The owner has taken so many bytes of payload. */
  take(bytes: number): void {
    this.dataLeft -= bytes;
    if (this.dataLeft === 0) this.#step = 'data-cr';
  }

  /** Reads framing from `from` on; stops before payload, at the end of the bytes or of the body, or at a fault. */
  advance(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && this.dataLeft === 0) {
      if (this.#step === 'done' || this.#step === 'failed') break;
      this.#read(bytes[at] ?? 0);
      at += 1;
    }
    return at;
  }

  #read(byte: number): void {
    switch (this.#step) {
      case 'size':
        this.#readSize(byte);
        return;
      case 'extension':
        this.#readExtension(byte);
        return;
      case 'data-cr':
        if (byte === CR) this.#step = 'data-lf';
        else this.#fail('Missing expected CR after chunk data');
        return;
      case 'trailer':
        this.#readTrailer(byte);
        return;
      case 'size-lf':
      case 'data-lf':
      case 'trailer-lf':
        this.#readLineFeed(byte, this.#step);
        return;
      case 'data':
      case 'done':
      case 'failed':
        return;
    }
  }

  #readLineFeed(byte: number, step: 'size-lf' | 'data-lf' | 'trailer-lf'): void {
    if (byte !== LF) this.#fail('Missing expected LF in the chunk framing');
    else if (step === 'size-lf') this.#beginChunk();
    else if (step === 'data-lf') this.#step = 'size';
    else this.#endTrailerLine();
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      if (this.#digits > SIZE_DIGITS_MAX) this.#fail('the chunk size is too large');
      return;
    }
    if (this.#digits === 0 || (byte !== CR && byte !== SEMICOLON)) {
      const what = byte === LF ? 'Missing expected CR after chunk size' : 'Invalid chunk size';
      this.#fail(what);
      return;
    }
    if (byte === CR) this.#step = 'size-lf';
    else {
      this.#step = 'extension';
      this.#line = ';';
    }
  }

  #readExtension(byte: number): void {
    if (byte === CR) {
      if (EXTENSIONS.test(this.#line)) this.#step = 'size-lf';
      else this.#fail('Invalid chunk extension');
      return;
    }
    if (byte === LF) {
      this.#fail('Missing expected CR after chunk extension');
      return;
    }
    this.#line += String.fromCharCode(byte);
    this.#extensionBytes += 1;
    if (this.#extensionBytes <= EXTENSION_BYTES_MAX) return;
    this.status = 413;
    this.#fail('the chunk extensions are too long');
  }

  #beginChunk(): void {
    this.#line = '';
    if (this.#size === 0) this.#step = 'trailer';
    else this.#step = 'data';
    this.dataLeft = this.#size;
    this.#size = 0;
    this.#digits = 0;
  }

  #readTrailer(byte: number): void {
    if (byte === CR) {
      this.#step = 'trailer-lf';
      return;
    }
    if (byte === LF) {
      this.#fail('Missing expected CR after the last chunk or a trailer');
      return;
    }
    this.#line += String.fromCharCode(byte);
    this.#trailerBytes += 1;
    if (this.#trailerBytes <= TRAILER_BYTES_MAX) return;
    this.status = 431;
    this.#fail('the trailers are too long');
  }

  /** Trailers are dropped (RFC 9110 6.5.1 lets us), but not what is none. */
  #endTrailerLine(): void {
    if (this.#line === '') {
      this.#step = 'done';
      return;
    }
    const problem =
      explainFields(this.#line) ??
      (FRAMING.test(this.#line) ? 'a field that frames a message' : undefined);
    this.#line = '';
    if (problem === undefined) this.#step = 'trailer';
    else this.#fail(`${problem} in the trailers of the chunked body`);
  }

  #fail(problem: string): void {
    this.problem = problem;
    this.#step = 'failed';
    this.#line = '';
  }
}

/** Value of a hexadecimal digit, -1 for any other byte. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
