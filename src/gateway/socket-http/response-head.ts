import { explainFields, type HeadFields, parseContentLength, readFields } from './head-fields.ts';
import { FIELD_LINE_PATTERN } from './patterns.ts';

/** How the end of an answer's body is found. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'close';

export interface ResponseHead {
  readonly status: number;
  readonly fields: HeadFields;
  readonly framing: BodyFraming;
  /** Bytes, with framing `length`. */
  readonly bodyLength: number;
  /** Whether the upstream lets the connection carry another call. */
  readonly keepAlive: boolean;
}

const STATUS_LINE = 'HTTP\\/1\\.[01] [1-9]\\d\\d(?: [\\t\\x20-\\x7e\\x80-\\xff]*)?';
const RESPONSE_HEAD = new RegExp(`^${STATUS_LINE}\\r\\n(?:${FIELD_LINE_PATTERN})*$`);
const STATUS_LINE_ALONE = new RegExp(`^${STATUS_LINE}$`);
const STATUS_AT = 'HTTP/1.1 '.length;

/**
 * An upstream's answer is untrusted input like any other: whatever two readers could frame in two ways is refused
 * (RFC 9112 section 6.3).
 *
 * @param text status line and field lines, each with its CRLF, without the empty line. Latin1.
 * @param method of the request: the answer to HEAD has no body whatever it says.
 * @returns a string: why it is refused.
 */
export function parseResponseHead(text: string, method: string): ResponseHead | string {
  if (!RESPONSE_HEAD.test(text)) return explainHead(text);
  const status = Number(text.slice(STATUS_AT, STATUS_AT + 3));
  const isOld = text.charCodeAt(STATUS_AT - 2) === 0x30;
  const fields = readFields(text, text.indexOf('\r') + 2);
  const problem = explainFraming(fields, isOld);
  if (problem !== undefined) return problem;
  // RFC 9110 15.2: HTTP/1.0 has none, so nothing says what follows it.
  if (status < 200 && isOld) return 'an interim answer of HTTP/1.0';
  if (status === 101) return 'switched protocols without being asked to';
  const framing = isBodiless(method, status) ? 'none' : framingOf(fields);
  return {
    status,
    fields,
    framing,
    bodyLength: framing === 'length' ? Number(fields.contentLength) : 0,
    keepAlive: framing !== 'close' && !isOld && !fields.close && !owesBody(status, fields),
  };
}

/** RFC 9110 8.6: a 204 declares no body. Who does may send it, and it would be read as the answer to the next call. */
function owesBody(status: number, fields: HeadFields): boolean {
  if (status !== 204) return false;
  return fields.transferEncodings > 0 || Number(fields.contentLength) > 0;
}

/** RFC 9112 6.3: whatever its head says, no body follows. */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status < 200 || status === 204 || status === 304;
}

function framingOf(fields: HeadFields): BodyFraming {
  if (fields.transferEncodings > 0) return 'chunked';
  return fields.contentLengths > 0 ? 'length' : 'close';
}

function explainFraming(fields: HeadFields, isOld: boolean): string | undefined {
  if (fields.contentLengths > 1) return 'Duplicate Content-Length';
  if (fields.contentLengths > 0 && !Number.isFinite(parseContentLength(fields.contentLength))) {
    return 'Content-Length is not a number of bytes';
  }
  if (fields.transferEncodings === 0) return undefined;
  if (isOld) return 'HTTP/1.0 with Transfer-Encoding';
  if (fields.contentLengths > 0) return "Transfer-Encoding can't be present with Content-Length";
  if (fields.transferEncodings > 1) return 'Invalid `Transfer-Encoding`: it came twice';
  if (fields.transferEncoding.toLowerCase() === 'chunked') return undefined;
  return 'Invalid `Transfer-Encoding`: Transfer-Encoding other than chunked';
}

function explainHead(text: string): string {
  const lineEnd = text.indexOf('\r\n');
  if (!STATUS_LINE_ALONE.test(text.slice(0, lineEnd))) return 'Invalid status line';
  return explainFields(text.slice(lineEnd + 2)) ?? 'Invalid header';
}
