import type { RawHeaders } from '../listener.ts';
import { readHeader } from './outgoing.ts';

/** Longer ones, and those with anything but visible ASCII in them, are left out: they end up in logs and answers. */
const WRITTEN = /^[\x21-\x7e]{1,128}$/;

/**
 * What the caller calls this request (DESIGN 2): `X-Client-Request-Id`, else its own `X-Request-Id`. It is logged and told
 * back, so that both sides can find it; nothing goes by it, because anybody can send the same one twice.
 */
export function readClientRequestId(headers: RawHeaders): string | undefined {
  const id = readHeader(headers, 'x-client-request-id') ?? readHeader(headers, 'x-request-id');
  return id !== undefined && WRITTEN.test(id) ? id : undefined;
}
