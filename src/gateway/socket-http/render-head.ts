import { STATUS_CODES } from 'node:http';

import type { RawHeaders } from '../listener.ts';
import { type FieldKind, fieldNameOf } from './field-names.ts';
import { parseContentLength } from './head-fields.ts';
import { FIELD_VALUE_PATTERN, TOKEN_PATTERN } from './patterns.ts';

/** The fields of a head of ours as text, and what they say of its framing. */
export class RenderedFields {
  /** Each field after the end of the line before it; the last line is not ended. */
  text = '';
  /** Of the Content-Length field, -1 without one. */
  contentLength = -1;
  hosts = 0;
  hasDate = false;
  /** `Connection: close` was asked for. */
  close = false;
  /** Why no such head may be sent. */
  problem: string | undefined = undefined;

  /** Notes a field the transport looks at. @returns whether it is written as it came. */
  note(kind: FieldKind, name: string, value: string): boolean {
    if (kind === 'connection') {
      this.close ||= value.toLowerCase() === 'close';
      return false;
    }
    if (kind === 'content-length') this.#noteLength(value);
    else if (kind === 'host') this.#noteHost();
    else if (kind === 'date') this.hasDate = true;
    else if (kind === 'malformed') this.problem = 'a header name is not valid';
    else this.problem = `the header ${name} is the transport's own`;
    return true;
  }

  #noteLength(value: string): void {
    if (this.contentLength >= 0) this.problem = 'two Content-Length headers';
    this.contentLength = parseContentLength(value);
    if (!Number.isFinite(this.contentLength)) this.problem = 'Content-Length is no length';
  }

  #noteHost(): void {
    this.hosts += 1;
    if (this.hosts > 1) this.problem = 'two Host headers';
  }
}

/**
 * Connection is not written: it is the transport's own. The values are not checked whole, only that none ends its line:
 * whoever sends the head puts it to a pattern.
 *
 * @param withoutLength leave Content-Length out too.
 */
export function renderFields(headers: RawHeaders, withoutLength: boolean): RenderedFields {
  const fields = new RenderedFields();
  let text = '';
  for (let index = 0; index < headers.length; index += 2) {
    const name = fieldNameOf(headers[index] ?? '');
    const value = headers[index + 1] ?? '';
    if (value.indexOf('\r') >= 0) fields.problem = `the value of ${name.text} has a line end`;
    if (name.kind !== 'plain') {
      if (!fields.note(name.kind, name.text, value)) continue;
      if (withoutLength && name.kind === 'content-length') continue;
    }
    text += name.lead + value;
  }
  fields.text = text;
  return fields;
}

const statusLines = new Map<number, string>();

/** `HTTP/1.1 200 OK`, without its CRLF. */
export function statusLineOf(status: number): string {
  const known = statusLines.get(status);
  if (known !== undefined) return known;
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`${status} is no HTTP status`);
  }
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`;
  statusLines.set(status, line);
  return line;
}

/**
 * A list that more heads than one have, as text that stands between the fields of each: it is put to a pattern here, so
 * that the head around it need be put to one without it.
 */
export function renderShared(headers: RawHeaders): RenderedFields {
  const fields = renderFields(headers, false);
  if (!FIELDS_ALONE.test(fields.text))
    fields.problem ??= 'a header has a character that none may have';
  return fields;
}

/** Of no headers. */
export const NO_FIELDS = renderFields([], false);

const LINES = `(?:\\r\\n${TOKEN_PATTERN}:${FIELD_VALUE_PATTERN})*`;
const FIELDS = `${LINES}(?:\\r\\n\\r\\n)?$`;
const FIELDS_ALONE = new RegExp(`^${LINES}$`);
const REQUEST_HEAD = new RegExp(`^[A-Z-]+ /[!"$-~\\x80-\\xff]* HTTP/1\\.1${FIELDS}`);
const RESPONSE_HEAD = new RegExp(`^HTTP/1\\.1 \\d{3} [ -~]*${FIELDS}`);

/** Whether it is a request head through and through, in Latin 1. */
export function isSoundRequest(head: string): boolean {
  return REQUEST_HEAD.test(head);
}

/** Whether it is the head of an answer through and through, in Latin 1; its end may still be to come. */
export function isSoundResponse(head: string): boolean {
  return RESPONSE_HEAD.test(head);
}
