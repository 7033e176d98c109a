import { isIP } from 'node:net';

import type { AddressSet } from './address-set.ts';
import type { InboundRequest, RawHeaders } from './listener.ts';
import { ownString } from './own-string.ts';

const FORWARDED_FOR = 'x-forwarded-for';

/**
 * Who called: the peer, or, where the peer is a trusted proxy, the last address in X-Forwarded-For that is
 * none. What stands before it was written by the caller and proves nothing. IPv4 has one spelling.
 */
export function findClientAddress(
  request: Pick<InboundRequest, 'remoteAddress' | 'headers'>,
  isTrusted: AddressSet,
): string {
  const { remoteAddress, headers } = request;
  if (!isTrusted(remoteAddress)) return plainAddress(remoteAddress);
  let found = remoteAddress;
  for (const hop of forwardedHops(headers)) {
    const address = readHop(hop);
    if (address === undefined) break;
    found = address;
    if (!isTrusted(address)) break;
  }
  return plainAddress(found === remoteAddress ? found : ownString(found));
}

/** Whether the address is this machine's own. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** The hops of all X-Forwarded-For headers, nearest first. */
function forwardedHops(headers: RawHeaders): readonly string[] {
  const hops: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length !== FORWARDED_FOR.length || name.toLowerCase() !== FORWARDED_FOR) continue;
    for (const hop of (headers[index + 1] ?? '').split(',')) hops.push(hop);
  }
  return hops.toReversed();
}

/** `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; undefined = no address. */
function readHop(text: string): string | undefined {
  const hop = text.trim();
  if (isIP(hop) !== 0) return hop;
  const bare = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop);
  const address = bare?.[1] ?? bare?.[2] ?? '';
  return isIP(address) === 0 ? undefined : address;
}

/** A dual-stack socket writes IPv4 peers as `::ffff:203.0.113.7`. */
function plainAddress(address: string): string {
  const mapped = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : '';
  return isIP(mapped) === 4 ? mapped : address;
}
