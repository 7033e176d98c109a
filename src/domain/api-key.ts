/**
 * An API key reads `tk_live_` or `tk_test_`, 30 base62 characters (176 random bits), and 6 that are the CRC-32
 * of all before them. The prefix lets secret scanners find leaked keys; the checksum tells a mistyped key from
 * an unknown one without asking a store (KEY-01; the layout GitHub described for its tokens in 2021).
 */
export type KeyEnvironment = 'live' | 'test';

export const API_KEY_RANDOM_BYTES = 22;

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 30;
const CHECKSUM_LENGTH = 6;
const SHAPE = /^tk_(live|test)_[0-9A-Za-z]{36}$/;

/** The key for 22 random bytes. The caller shows it once and keeps only its hash. */
export function formatApiKey(environment: KeyEnvironment, randomBytes: Uint8Array): string {
  if (randomBytes.length !== API_KEY_RANDOM_BYTES) {
    throw new RangeError(
      `an API key takes ${API_KEY_RANDOM_BYTES} random bytes, not ${randomBytes.length}`,
    );
  }
  const unsigned = `tk_${environment}_${formatBase62(randomBytes, SECRET_LENGTH)}`;
  return unsigned + checksumOf(unsigned);
}

/** Undefined when the text cannot be a key of ours: wrong prefix, length, character or checksum. */
export function parseApiKey(text: string): { readonly environment: KeyEnvironment } | undefined {
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const unsigned = text.slice(0, -CHECKSUM_LENGTH);
  if (checksumOf(unsigned) !== text.slice(-CHECKSUM_LENGTH)) return undefined;
  return { environment: match[1] === 'live' ? 'live' : 'test' };
}

/** What is wrong with a text that cannot be a key of ours, as a clause; undefined when it could be one. */
export function findKeyMistake(text: string): string | undefined {
  if (parseApiKey(text) !== undefined) return undefined;
  return /^tk_(?:live|test)_/.test(text)
    ? 'The checksum of the API key does not match, so it was mistyped or cut off'
    : 'Keys of this gateway begin with tk_live_ or tk_test_, and what was sent does not';
}

/** What people see of a key after its creation: `tk_test_...aB3d`. */
export function apiKeyHint(key: string): string {
  return `${key.slice(0, 8)}...${key.slice(-4)}`;
}

function checksumOf(text: string): string {
  const crc = crc32OfAscii(text);
  return formatBase62(Uint8Array.of(crc >>> 24, crc >>> 16, crc >>> 8, crc), CHECKSUM_LENGTH);
}

/** Long division of a big-endian number by 62, so that no digit depends on how large a number may be. */
function formatBase62(bytes: Uint8Array, length: number): string {
  const rest = Uint8Array.from(bytes);
  let text = '';
  while (text.length < length) {
    let remainder = 0;
    for (const [index, byte] of rest.entries()) {
      const dividend = remainder * 256 + byte;
      rest[index] = Math.trunc(dividend / 62);
      remainder = dividend % 62;
    }
    text = BASE62.charAt(remainder) + text;
  }
  return text;
}

/** Bit by bit: 38 characters, once for each key not seen before; `platform/` has the fast one for bulk. */
function crc32OfAscii(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return (crc ^ 0xffffffff) >>> 0;
}
