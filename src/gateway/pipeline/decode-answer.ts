import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** A whole answer is read before it is charged and written; no chat answer comes near this. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** The bytes as the model wrote them, at most four times the bound; undefined when they cannot be read. */
export function decode(body: Buffer, encoding: string | undefined): Buffer | undefined {
  const options = { maxOutputLength: ANSWER_BYTES_MAX * 4 };
  try {
    if (encoding === undefined || encoding === 'identity') return body;
    if (encoding === 'gzip') return gunzipSync(body, options);
    if (encoding === 'deflate') return inflateSync(body, options);
    if (encoding === 'br') return brotliDecompressSync(body, options);
    return undefined;
  } catch {
    return undefined;
  }
}
