import { METHODS } from 'node:http';

import type { ProtocolError, RawHeaders, SameFields } from '../listener.ts';
import { explainFields, type HeadFields, parseContentLength, readFields } from './head-fields.ts';
import { FIELD_LINE_PATTERN } from './patterns.ts';

/** More fields than this is 431: it keeps every later pass over the headers short. */
export const HEADER_FIELDS_MAX = 200;

/** Body length of a request whose body is chunked. */
export const CHUNKED = -1;

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  /** The client speaks HTTP/1.0: no chunks, and the connection closes unless it asked otherwise. */
  readonly isOld: boolean;
}

export interface RequestHead extends RequestLine {
  readonly headers: RawHeaders;
  /** See `InboundRequest.sameFields`. */
  readonly sameFields: SameFields | undefined;
  /** Bytes, 0 = no body, CHUNKED. */
  readonly bodyLength: number;
  readonly keepAlive: boolean;
  /** It has an Expect field, and that asks for a 100. */
  readonly expects: boolean;
}

// RFC 3986: nothing above 127, no fragment.
const TARGET = '\\/[!"$-~]*';
const LINE = `[A-Z-]+ ${TARGET} HTTP\\/1\\.[01]`;
const REQUEST_HEAD = new RegExp(`^${LINE}\\r\\n(?:${FIELD_LINE_PATTERN})*$`);
const REQUEST_LINE = new RegExp(`^${LINE}$`);
const TARGET_ALONE = new RegExp(`^${TARGET}$`);
/** RFC 3986 3.2.2 and 3.2.3: what a host and a port are made of. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/** CONNECT asks for a tunnel, which this is not. */
const SERVED_METHODS: ReadonlySet<string> = new Set(
  METHODS.filter((method) => method !== 'CONNECT'),
);

/** @param text request line and field lines, each with its CRLF, without the empty line. Latin1. */
export function parseRequestHead(text: string): RequestHead | ProtocolError {
  if (!REQUEST_HEAD.test(text)) return refuse(explainHead(text));
  const lineEnd = text.indexOf('\r');
  const line = splitRequestLine(text, lineEnd);
  const { method, target, isOld } = line;
  if (!SERVED_METHODS.has(method)) return refuse(explainMethod(method));
  const fields = readFields(text, lineEnd + 2);
  const bodyLength = readFraming(fields, isOld);
  if (typeof bodyLength === 'object') return bodyLength;
  return {
    method,
    target,
    isOld,
    headers: fields.headers,
    sameFields: undefined,
    bodyLength,
    keepAlive: isOld ? fields.persist && !fields.close : !fields.close,
    expects: fields.expect !== undefined,
  };
}

/** @param text without its CRLF. Undefined: no line that is served. */
export function parseRequestLine(text: string): RequestLine | undefined {
  if (!REQUEST_LINE.test(text)) return undefined;
  const line = splitRequestLine(text, text.length);
  return SERVED_METHODS.has(line.method) ? line : undefined;
}

/** RFC 9110 10.1.1: an older client would not understand it. */
export function owesContinue({ expects, isOld, bodyLength }: RequestHead): boolean {
  return expects && !isOld && bodyLength !== 0;
}

function splitRequestLine(text: string, lineEnd: number): RequestLine {
  const space = text.indexOf(' ');
  return {
    method: text.slice(0, space),
    target: text.slice(space + 1, lineEnd - ' HTTP/1.1'.length),
    isOld: text.charCodeAt(lineEnd - 1) === 0x30,
  };
}

/** RFC 9112 sections 3.2, 6.1 and 6.3, RFC 9110 7.8 and 10.1.1. */
function readFraming(fields: HeadFields, isOld: boolean): number | ProtocolError {
  if (fields.headers.length > HEADER_FIELDS_MAX * 2) {
    return { status: 431, reason: `more than ${HEADER_FIELDS_MAX} header fields` };
  }
  const problem =
    explainHost(fields, isOld) ?? explainTransferEncoding(fields, isOld) ?? explainOptions(fields);
  if (problem !== undefined) return refuse(problem);
  if (fields.transferEncodings > 0) return CHUNKED;
  if (fields.contentLengths === 0) return 0;
  if (fields.contentLengths > 1) return refuse('Duplicate Content-Length');
  const length = parseContentLength(fields.contentLength);
  if (Number.isNaN(length)) return refuse('Content-Length is not a number of bytes');
  if (length !== Number.POSITIVE_INFINITY) return length;
  return { status: 413, reason: 'Content-Length is beyond any body' };
}

function explainHost({ hosts, host }: HeadFields, isOld: boolean): string | undefined {
  if (hosts > 1) return 'two Host headers';
  // HTTP/1.0 knows no Host header, and health checkers still speak it.
  if (hosts === 0) return isOld ? undefined : 'missing Host header';
  return HOST.test(host) ? undefined : 'Invalid header value: Host is not a host and port';
}

function explainTransferEncoding(fields: HeadFields, isOld: boolean): string | undefined {
  if (fields.transferEncodings === 0) return undefined;
  if (isOld) return 'HTTP/1.0 with Transfer-Encoding';
  if (fields.contentLengths > 0) return "Transfer-Encoding can't be present with Content-Length";
  if (fields.transferEncodings > 1) return 'Invalid `Transfer-Encoding`: it came twice';
  if (fields.transferEncoding.toLowerCase() === 'chunked') return undefined;
  return 'Invalid `Transfer-Encoding`: Transfer-Encoding other than chunked';
}

function explainOptions({ expect, upgrade }: HeadFields): string | undefined {
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return 'the only expectation supported is 100-continue';
  }
  if (upgrade === undefined) return undefined;
  return `Upgrade to ${upgrade.slice(0, 40)} is not supported`;
}

const NOT_THREE_PARTS = 'Invalid request line: not three parts that are one blank apart';

/** What is wrong with a request line, as far as it has come; undefined when nothing is. */
export function explainRequestLine(line: string): string | undefined {
  if (line.includes('\n')) return 'Expected CRLF after the request line';
  const [method = '', target = '', version, more] = line.split(' ');
  if (!SERVED_METHODS.has(method)) return explainMethod(method);
  if (target === '') return NOT_THREE_PARTS;
  if (!TARGET_ALONE.test(target)) return explainTarget(target);
  if (version === undefined) return 'HTTP version 0.9 is not supported';
  if (more !== undefined) return NOT_THREE_PARTS;
  if (version === 'HTTP/1.1' || version === 'HTTP/1.0') return undefined;
  if (/^HTTP\/\d\.\d$/.test(version)) return `HTTP version ${version.slice(5)} is not supported`;
  return 'Expected HTTP/1.1 and CRLF at the end of the request line';
}

function explainHead(text: string): string {
  const lineEnd = text.indexOf('\r\n');
  return (
    explainRequestLine(text.slice(0, lineEnd)) ??
    explainFields(text.slice(lineEnd + 2)) ??
    'Invalid header'
  );
}

function explainMethod(method: string): string {
  return method === 'CONNECT' ? 'CONNECT is not supported' : 'Invalid method encountered';
}

function explainTarget(target: string): string {
  if (target === '*') return 'the request target * (asterisk-form) is not supported';
  if (target.charCodeAt(0) !== 0x2f) {
    return 'the request target must be a path (origin-form), not a full URL';
  }
  if (target.includes('#')) return 'the request target contains a fragment (#)';
  return 'the request target contains a character that no URL has';
}

function refuse(reason: string): ProtocolError {
  return { status: 400, reason };
}
