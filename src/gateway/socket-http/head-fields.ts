import { type FieldName, fieldNameOf } from './field-names.ts';
import { FIELD_VALUE_PATTERN, TOKEN_PATTERN } from './patterns.ts';

const TOKEN_ALONE = new RegExp(`^${TOKEN_PATTERN}$`);
const VALUE_ALONE = new RegExp(`^${FIELD_VALUE_PATTERN}$`);

const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/** The fields of one head, as they came, and what those say that frame the message. */
export class HeadFields {
  /** Names and values in turn; values share the memory of the head. */
  readonly headers: string[] = [];
  hosts = 0;
  host = '';
  contentLengths = 0;
  contentLength = '';
  transferEncodings = 0;
  transferEncoding = '';
  /** A Connection field says `close`. */
  close = false;
  /** A Connection field says `keep-alive`. */
  persist = false;
  keepAlive = '';
  /** All Expect fields together. */
  expect: string | undefined = undefined;
  /** An offer that must not be ignored. */
  upgrade: string | undefined = undefined;
}

/** Before the first field. */
const BEGINNING = fieldNameOf('-');

/** @param text field lines of which each is known to match FIELD_LINE_PATTERN, from index `from` on. */
export function readFields(text: string, from: number): HeadFields {
  const fields = new HeadFields();
  const { headers } = fields;
  let name = BEGINNING;
  let at = from;
  while (at < text.length) {
    name = readName(text, at, name);
    const colon = at + name.text.length;
    const end = text.indexOf('\r', colon);
    const value = sliceTrimmed(text, colon + 1, end);
    headers.push(name.text, value);
    if (name.kind !== 'plain') note(fields, name.kind, value);
    at = end + 2;
  }
  return fields;
}

function readName(text: string, at: number, before: FieldName): FieldName {
  const guess = before.next;
  if (guess !== undefined && text.startsWith(guess.text, at)) {
    if (text.charCodeAt(at + guess.text.length) === COLON) return guess;
  }
  const name = fieldNameOf(text.slice(at, text.indexOf(':', at)));
  if (name.isShared) before.next = name;
  return name;
}

function sliceTrimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function note(fields: HeadFields, kind: string, value: string): void {
  switch (kind) {
    case 'host':
      fields.hosts += 1;
      fields.host = value;
      return;
    case 'content-length':
      fields.contentLengths += 1;
      fields.contentLength = value;
      return;
    case 'transfer-encoding':
      fields.transferEncodings += 1;
      fields.transferEncoding = value;
      return;
    case 'connection':
      noteConnection(fields, value.toLowerCase());
      return;
    case 'keep-alive':
      fields.keepAlive = value;
      return;
    case 'expect':
      fields.expect = fields.expect === undefined ? value : `${fields.expect}, ${value}`;
      return;
    case 'upgrade':
      // Java's client offers h2c with every request; RFC 9110 7.8 lets a server ignore it.
      if (value.toLowerCase() !== 'h2c') fields.upgrade = value;
      return;
  }
}

function noteConnection(fields: HeadFields, value: string): void {
  if (value === 'keep-alive') {
    fields.persist = true;
    return;
  }
  for (const option of value.split(',')) {
    const name = option.trim();
    if (name === 'close') fields.close = true;
    else if (name === 'keep-alive') fields.persist = true;
  }
}

/** Body length that a Content-Length value declares; NaN when it is not a length, Infinity beyond exact numbers. */
export function parseContentLength(value: string): number {
  if (!/^\d+$/.test(value)) return Number.NaN;
  const length = Number(value);
  return Number.isSafeInteger(length) ? length : Number.POSITIVE_INFINITY;
}

/** What is wrong with field lines that do not match; undefined when nothing is. For the slow way only. */
export function explainFields(text: string): string | undefined {
  for (const line of text.split('\r\n')) {
    const problem = explainLine(line);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function explainLine(line: string): string | undefined {
  if (line === '') return undefined;
  if (line.includes('\n')) return 'Missing expected CR before a line feed';
  if (line.includes('\r')) return 'Missing expected LF after a carriage return';
  if (isBlank(line.charCodeAt(0))) return 'Invalid header: unexpected whitespace at its beginning';
  const colon = line.indexOf(':');
  if (colon < 0) return 'Invalid header: no colon';
  if (!TOKEN_ALONE.test(line.slice(0, colon))) return 'Invalid header name';
  if (!VALUE_ALONE.test(line.slice(colon + 1))) return 'Invalid header value: a control character';
  return undefined;
}
