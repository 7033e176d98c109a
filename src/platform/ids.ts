import { randomFillSync } from 'node:crypto';

/**
 * Ids are a prefix and a UUIDv7 (RFC 9562 5.7) as 32 lower-case hex digits: `req_019a...`. Sorting the text
 * sorts by creation time, the first 48 bits are that time in epoch milliseconds, and the 16 bytes behind
 * the prefix are what journals and indexes store.
 */
export type IdPrefix = 'req' | 'ten' | 'key' | 'grt' | 'pur';

/** 4 for the prefix and its underscore, 32 hex digits. */
export const ID_LENGTH = 36;

const RANDOM_BYTES = 4096;
const RANDOM_PER_ID = 8;
const COUNTER_MAX = 0xfff;
const VERSION_AND_VARIANT = /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/;
const DIGITS = new TextEncoder().encode('0123456789abcdef');

/** The two hex digits of every byte, so that no string is built per digit. */
const HEX = new Uint8Array(512);
for (let byte = 0; byte < 256; byte += 1) {
  HEX[2 * byte] = DIGITS[byte >> 4] ?? 0;
  HEX[2 * byte + 1] = DIGITS[byte & 15] ?? 0;
}

const random = Buffer.alloc(RANDOM_BYTES);
const text = Buffer.alloc(ID_LENGTH);
let randomAt = RANDOM_BYTES;
let lastTime = -1;
let counter = 0;

/**
 * A new id. Strictly increasing within this thread even when `now` (epoch ms) stands still or goes back:
 * the 12 bits of rand_a count within a millisecond, and a full counter borrows the next one (RFC 9562 6.2).
 */
export function createId(prefix: IdPrefix, now: number): string {
  if (now > lastTime) startMillisecond(now);
  else if (counter === COUNTER_MAX) startMillisecond(lastTime + 1);
  else counter += 1;
  if (randomAt + RANDOM_PER_ID > RANDOM_BYTES) refill();
  text[0] = prefix.charCodeAt(0);
  text[1] = prefix.charCodeAt(1);
  text[2] = prefix.charCodeAt(2);
  text[17] = HEX[2 * (counter >> 8) + 1] ?? 0;
  writeHex(18, counter & 0xff);
  writeHex(20, ((random[randomAt] ?? 0) & 0x3f) | 0x80);
  for (let index = 1; index < RANDOM_PER_ID; index += 1) {
    writeHex(20 + 2 * index, random[randomAt + index] ?? 0);
  }
  randomAt += RANDOM_PER_ID;
  return text.toString('latin1');
}

/** The id of one request: what `X-Request-Id` carries (GW-22). */
export function requestId(now: number): string {
  return createId('req', now);
}

/** Whether `value` is an id of ours with this prefix, so that a lookup for anything else need not be tried. */
export function isId(prefix: IdPrefix, value: string): boolean {
  return (
    value.length === ID_LENGTH &&
    value.startsWith(`${prefix}_`) &&
    VERSION_AND_VARIANT.test(value.slice(4))
  );
}

/** Epoch ms at which a request id was made; undefined when it is not a request id. */
export function requestTime(id: string): number | undefined {
  return isId('req', id) ? Number.parseInt(id.slice(4, 16), 16) : undefined;
}

/** The 16 bytes of a request id, written at `offset` of a journal record. */
export function writeRequestId(id: string, target: Buffer, offset: number): void {
  if (target.write(id.slice(4), offset, 16, 'hex') !== 16)
    throw new Error(`not a request id: ${id}`);
}

/** The request id whose 16 bytes stand at `offset`. */
export function readRequestId(source: Buffer, offset: number): string {
  return `req_${source.toString('hex', offset, offset + 16)}`;
}

function startMillisecond(time: number): void {
  lastTime = time;
  counter = 0;
  text.write(`_${time.toString(16).padStart(12, '0')}7`, 3, 'latin1');
}

/** One system call for 512 ids: a call for each would cost more than the rest of the id. */
function refill(): void {
  randomFillSync(random);
  randomAt = 0;
}

function writeHex(at: number, byte: number): void {
  text[at] = HEX[2 * byte] ?? 0;
  text[at + 1] = HEX[2 * byte + 1] ?? 0;
}
