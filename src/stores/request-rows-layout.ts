/**
 * How a batch of log rows lies in bytes. A head, then the texts of the batch, then its rows.
 *
 * - Head: the form in the first byte, then at the places of `HEAD` big-endian 32-bit numbers and two ids.
 * - A text: its length in bytes (see `writeLength`), then JSON in UTF-8.
 * - A row: its length, the 16 bytes of its id, one byte that says how its facts are kept, and values: its time as
 *   milliseconds after that of its id, tenant, key, status, code, code it would have been refused with, facts.
 * - A value: a number in base 128, least digit first, the high bit set on all but the last. An even 2n is the number n;
 *   1 is null, and a further odd 2n+1 is the nth text.
 */
export const BATCH_FORM = 1;
/** Of a whole batch: what the store takes at once, so that calls about money come between two batches. */
export const BATCH_BYTES_MAX = 128 * 1024;

export const HEAD = {
  form: 0,
  rows: 4,
  /** Rows with a code. */
  refused: 8,
  /** Rows with a code they would have been refused with. */
  observed: 12,
  texts: 16,
  textBytes: 20,
  leastId: 24,
  greatestId: 40,
  end: 56,
} as const;

export const LENGTH_BYTES = 3;
export const ID_BYTES = 16;
/** Values of a record of facts (`joinRecord`), or one text that is whatever it is. */
export const FACTS_AS_VALUES = 0;
export const FACTS_AS_TEXT = 1;

/** The value of a hex digit by its character code. */
const NIBBLES = new Uint8Array(128);
for (let digit = 0; digit < 16; digit += 1) {
  NIBBLES[digit.toString(16).charCodeAt(0)] = digit;
}
/** Of `req_`. */
const PREFIX_LENGTH = 4;

/** By hand: a call out of JavaScript for 16 bytes takes longer than they do. */
export function writeId(id: string, target: Uint8Array, at: number): void {
  for (let index = 0; index < ID_BYTES; index += 1) {
    const place = PREFIX_LENGTH + 2 * index;
    const high = NIBBLES[id.charCodeAt(place)] ?? 0;
    target[at + index] = (high << 4) | (NIBBLES[id.charCodeAt(place + 1)] ?? 0);
  }
}

export function readId(source: Buffer, at: number): string {
  return `req_${source.toString('hex', at, at + ID_BYTES)}`;
}

/** Epoch ms at which the id was made: its first 48 bits. */
export function readIdTime(source: Uint8Array, at: number): number {
  const high = ((source[at] ?? 0) << 8) | (source[at + 1] ?? 0);
  const middle = ((source[at + 2] ?? 0) << 8) | (source[at + 3] ?? 0);
  const low = ((source[at + 4] ?? 0) << 8) | (source[at + 5] ?? 0);
  return high * 2 ** 32 + middle * 2 ** 16 + low;
}

export function writeLength(length: number, target: Uint8Array, at: number): void {
  target[at] = length & 0xff;
  target[at + 1] = (length >> 8) & 0xff;
  target[at + 2] = length >> 16;
}

export function readLength(source: Uint8Array, at: number): number {
  return (source[at] ?? 0) | ((source[at + 1] ?? 0) << 8) | ((source[at + 2] ?? 0) << 16);
}
