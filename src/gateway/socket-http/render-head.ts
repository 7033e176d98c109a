import { STATUS_CODES } from 'node:http';

import type { RawHeaders } from '../listener.ts';
import { type FieldKind, fieldNameOf } from './field-names.ts';
import { FIELD_LINE_PATTERN, parseContentLength } from './head-fields.ts';

/** Whatever its names and values are made of, a head must end where it ends. */
const FIELD_LINES = new RegExp(`^(?:${FIELD_LINE_PATTERN})*$`);

/** The fields of a head of ours as text, and what they say of its framing. */
export class RenderedFields {
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
 * Connection is not written: it is the transport's own.
 *
 * @param withoutLength leave Content-Length out too.
 * @returns a string: why no such head may be sent.
 */
export function renderFields(headers: RawHeaders, withoutLength: boolean): RenderedFields | string {
  const fields = new RenderedFields();
  let lines = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    const { kind } = fieldNameOf(name);
    if (kind !== 'plain' && !fields.note(kind, name, value)) continue;
    if (withoutLength && kind === 'content-length') continue;
    fields.text += `${name}: ${value}\r\n`;
    lines += 1;
  }
  if (fields.problem !== undefined) return fields.problem;
  if (FIELD_LINES.test(fields.text) && countLines(fields.text) === lines) return fields;
  return 'a header name or value has a character that no head may have';
}

/** A value that smuggles a whole line in makes one more than there are fields. */
function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1)) lines += 1;
  return lines;
}

const statusLines = new Map<number, string>();

/** `HTTP/1.1 200 OK` and its CRLF. */
export function statusLineOf(status: number): string {
  const known = statusLines.get(status);
  if (known !== undefined) return known;
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`${status} is no HTTP status`);
  }
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  statusLines.set(status, line);
  return line;
}
