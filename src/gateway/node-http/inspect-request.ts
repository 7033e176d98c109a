import type { IncomingMessage } from 'node:http';

import type { ProtocolError, RawHeaders } from '../listener.ts';

/** More fields than this is 431: it keeps every later pass over the headers short. */
export const HEADER_FIELDS_MAX = 200;

/**
 * The checks llhttp leaves to its caller (RFC 9112 sections 3.2, 6.1 and 7; RFC 9110 7.8).
 * Content-Length beside Transfer-Encoding, a repeated or malformed Content-Length and bare CR or LF
 * never arrive here: the parser has refused them already.
 *
 * @returns the body's length (0 = none, -1 = chunked), or what is wrong with the request.
 */
export function inspectRequest(incoming: IncomingMessage): number | ProtocolError {
  const target = incoming.url ?? '';
  if (target.charCodeAt(0) !== SLASH) return explainTarget(target);
  if (target.includes('#')) return refuse('the request target contains a fragment (#)');
  if (incoming.httpVersionMajor !== 1) {
    return refuse(`HTTP version ${incoming.httpVersion} is not supported`);
  }
  return inspectHeaders(incoming.rawHeaders, incoming.httpVersionMinor);
}

const SLASH = 0x2f;

/** Of `upgrade`, `content-length` and `transfer-encoding`. */
const FRAMING_NAME_LENGTHS = new Set([7, 14, 17]);

function inspectHeaders(headers: RawHeaders, versionMinor: number): number | ProtocolError {
  if (headers.length > HEADER_FIELDS_MAX * 2) {
    return { status: 431, reason: `more than ${HEADER_FIELDS_MAX} header fields` };
  }
  let hosts = 0;
  let bodyLength = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    // Few names have these lengths, so the costly comparison is rare.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    if (!FRAMING_NAME_LENGTHS.has(name.length)) continue;
    const framing = inspectFraming(name.toLowerCase(), headers[index + 1] ?? '', versionMinor);
    if (typeof framing === 'object') return framing;
    if (framing !== undefined) bodyLength = framing;
  }
  return inspectHosts(hosts, versionMinor) ?? bodyLength;
}

function inspectHosts(hosts: number, versionMinor: number): ProtocolError | undefined {
  if (hosts > 1) return refuse('two Host headers');
  // HTTP/1.0 knows no Host header, and health checkers still speak it.
  if (hosts === 0 && versionMinor > 0) return refuse('missing Host header');
  return undefined;
}

/** @returns the body length this field declares, undefined if it says nothing about it. */
function inspectFraming(
  name: string,
  value: string,
  versionMinor: number,
): number | ProtocolError | undefined {
  switch (name) {
    case 'upgrade':
      if (isUpgradeIgnorable(value)) return undefined;
      return refuse(`Upgrade to ${value.slice(0, 40)} is not supported`);
    case 'content-length':
      if (Number.isSafeInteger(Number(value))) return Number(value);
      return { status: 413, reason: 'Content-Length is beyond any body' };
    case 'transfer-encoding':
      if (versionMinor === 0) return refuse('HTTP/1.0 with Transfer-Encoding');
      if (value.toLowerCase() !== 'chunked') return refuse('Transfer-Encoding other than chunked');
      return -1;
    default:
      return undefined;
  }
}

/** Java's client offers h2c with every request; RFC 9110 7.8 lets a server ignore it. */
function isUpgradeIgnorable(value: string): boolean {
  return value.toLowerCase() === 'h2c';
}

function explainTarget(target: string): ProtocolError {
  if (target === '*') return refuse('the request target * (asterisk-form) is not supported');
  return refuse('the request target must be a path (origin-form), not a full URL');
}

function refuse(reason: string): ProtocolError {
  return { status: 400, reason };
}
