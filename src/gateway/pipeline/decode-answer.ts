import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

import type { Route } from '../../domain/catalog.ts';
import type { RawHeaders } from '../listener.ts';
import { readHeader } from './outgoing.ts';

/** A whole answer is read before it is charged and written; no chat answer comes near this. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** 2,048 inputs of 1,536 numbers each, written out, are two thirds of it: OpenAI's most at once. */
const EMBEDDINGS_BYTES_MAX = 64 * 1024 * 1024;

export function answerBytesMax({ kind }: Pick<Route, 'kind'>): number {
  return kind === 'embeddings' ? EMBEDDINGS_BYTES_MAX : ANSWER_BYTES_MAX;
}

/** What the body is compressed by, in one spelling of its name (RFC 9110 8.4.1); undefined = it is as it was written. */
export function codingOf(headers: RawHeaders): string | undefined {
  const told = readHeader(headers, 'content-encoding');
  if (told === undefined) return undefined;
  // A list, in which some name that nothing was done.
  const codings = told
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0) return undefined;
  return codings.join(',').replace(/^x-gzip$/, 'gzip');
}

/** The bytes as the model wrote them, at most four times the bound; undefined when they cannot be read. */
export function decode(body: Buffer, headers: RawHeaders): Buffer | undefined {
  const coding = codingOf(headers);
  const options = { maxOutputLength: ANSWER_BYTES_MAX * 4 };
  try {
    if (coding === undefined) return body;
    if (coding === 'gzip') return gunzipSync(body, options);
    if (coding === 'deflate') return inflateSync(body, options);
    if (coding === 'br') return brotliDecompressSync(body, options);
    return undefined;
  } catch {
    return undefined;
  }
}
