import { crc32 as nativeCrc32 } from 'node:zlib';

/** Below this, making the view that the native function takes costs more than the sum itself. */
const SHORT_BYTES_MAX = 256;
const POLYNOMIAL = 0xedb88320;

/** Four tables of 256: what a byte does to the sum when none, one, two or three more bytes follow it in its word. */
const TABLES = buildTables();

/** CRC-32 (IEEE 802.3, as gzip has it) of `bytes` from `start` to before `end`, as an unsigned number. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start > SHORT_BYTES_MAX) return nativeCrc32(bytes.subarray(start, end));
  let sum = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    sum ^= byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8);
    sum ^= (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    sum =
      entry(768 + (sum & 255)) ^
      entry(512 + ((sum >>> 8) & 255)) ^
      entry(256 + ((sum >>> 16) & 255)) ^
      entry(sum >>> 24);
  }
  for (; at < end; at += 1) sum = (sum >>> 8) ^ entry((sum ^ byteAt(bytes, at)) & 255);
  return ~sum >>> 0;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function entry(index: number): number {
  return TABLES[index] ?? 0;
}

function buildTables(): Int32Array {
  const tables = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (POLYNOMIAL & -(sum & 1));
    tables[byte] = sum;
  }
  for (let index = 256; index < tables.length; index += 1) {
    const before = tables[index - 256] ?? 0;
    tables[index] = (before >>> 8) ^ (tables[before & 255] ?? 0);
  }
  return tables;
}
