import type { RawHeaders } from '../listener.ts';
import { readHeader } from './outgoing.ts';

/** `Authorization: Bearer KEY`, `X-Api-Key: KEY` (Anthropic's clients), or `X-Goog-Api-Key: KEY` (Google's). */
export function readCredential(headers: RawHeaders): string | undefined {
  const authorization = readHeader(headers, 'authorization');
  if (authorization === undefined) {
    return readHeader(headers, 'x-api-key') ?? readHeader(headers, 'x-goog-api-key');
  }
  // RFC 9110 11.1: the scheme's name is case-insensitive.
  // `Bearer $KEY` of a variable that was never set is the scheme alone: a key that is empty, not one that is unknown.
  return /^bearer(?: |$)/i.test(authorization) ? authorization.slice(7).trim() : authorization;
}
