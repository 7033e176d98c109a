import { crc32 as nativeCrc32 } from 'node:zlib';

/**
 * CRC-32 (IEEE 802.3, as gzip has it) of `bytes` from `start` to before `end`, as an unsigned number. The native
 * one: on a journal group of 200 bytes it takes half the time of a table in JavaScript, below 80 bytes no less.
 */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return nativeCrc32(bytes.subarray(start, end));
}
