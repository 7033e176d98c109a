import type { Route } from '../../domain/catalog.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import type { RawHeaders } from '../listener.ts';
import { readHeader } from './outgoing.ts';

/** Longer names are counted by their digest: what callers write becomes part of account ids. */
const NAME_LENGTH_MAX = 128;

const LONE_SURROGATES = /\p{Surrogate}/gu;

/**
 * The end user behind a call, as the caller names it: in the header of the route, else in the OpenAI member
 * `user`. Undefined = none is named.
 */
export function findEndUser(
  headers: RawHeaders,
  route: Pick<Route, 'endUserHeader'>,
  body?: unknown,
): string | undefined {
  const name = readHeader(headers, route.endUserHeader) ?? userMember(body);
  if (name === undefined || name === '') return undefined;
  if (name.length > NAME_LENGTH_MAX) return `sha256:${sha256Hex(name)}`;
  // Half of a surrogate pair cannot be part of an id.
  return name.replace(LONE_SURROGATES, '\uFFFD');
}

function userMember(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('user' in body)) return undefined;
  return typeof body.user === 'string' ? body.user : undefined;
}
