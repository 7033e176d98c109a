/**
 * A walk over JSON bytes that finds members without building values, for edits by splice (DESIGN 9).
 * The bytes have been through JSON.parse already, so the grammar is not checked again; on anything else
 * the walk still ends, at the last byte.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
const SHORT_STRING_BYTES = 48;
/** Six bytes for each character of a name, were all of them written as \uXXXX: longer names are nobody's. */
const KEY_BYTES_MAX = 2048;

/** Offsets of one member: `start` is its key's quote, `end` is behind its comma, if it has one. */
export interface Member {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

export interface ScannedObject {
  /** Offset behind the opening brace. */
  readonly bodyStart: number;
  readonly isEmpty: boolean;
  /** Members whose names were wanted, in order, each time they occur. */
  readonly members: readonly Member[];
}

/** Finds the wanted members of the object that starts at or behind `from`; nested objects are stepped over. */
export function scanObject(
  json: Buffer,
  from: number,
  wanted: Pick<ReadonlySet<string>, 'has'>,
): ScannedObject {
  const bodyStart = skipSpace(json, from) + 1;
  const members: Member[] = [];
  let start = skipSpace(json, bodyStart);
  const isEmpty = json[start] === CLOSE_BRACE;
  while (json[start] === QUOTE) {
    const keyEnd = skipString(json, start);
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const valueEnd = skipValue(json, valueStart);
    const after = skipSpace(json, valueEnd);
    const hasNext = json[after] === COMMA;
    const end = hasNext ? after + 1 : valueEnd;
    const name = readKey(json, start, keyEnd);
    if (wanted.has(name)) members.push({ name, start, valueStart, valueEnd, end });
    if (!hasNext) break;
    start = skipSpace(json, end);
  }
  return { bodyStart, isEmpty, members };
}

/** How many members the object that starts at or behind `from` has, counted each time one name occurs. */
export function countMembers(json: Buffer, from: number): number {
  let count = 0;
  let at = skipSpace(json, skipSpace(json, from) + 1);
  while (json[at] === QUOTE) {
    count += 1;
    const valueStart = skipSpace(json, skipSpace(json, skipString(json, at)) + 1);
    const after = skipSpace(json, skipValue(json, valueStart));
    if (json[after] !== COMMA) break;
    at = skipSpace(json, after + 1);
  }
  return count;
}

/** Names that differ only in this are one to parsers that ignore case, as Go's does. */
export function foldName(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * A spelling on the way to `path` that parsers read differently: a second member of one name, or one that differs only
 * in case. Undefined = everybody finds the same there.
 */
export function findAmbiguity(json: Buffer, path: readonly string[]): string | undefined {
  let at = skipSpace(json, 0);
  for (const segment of path) {
    if (json[at] === OPEN_BRACKET) {
      at = skipElements(json, at, Number(segment));
      continue;
    }
    if (json[at] !== OPEN_BRACE) return undefined;
    const folded = foldName(segment);
    const { members } = scanObject(json, at, { has: (name) => foldName(name) === folded });
    const [only, second] = members;
    if (only === undefined) return undefined;
    const odd = members.find(({ name }) => name !== segment) ?? second;
    if (odd !== undefined) return odd.name;
    at = only.valueStart;
  }
  return undefined;
}

/** Offset of the element behind `count` others of the array at `from`; the end of the array where it has fewer. */
function skipElements(json: Buffer, from: number, count: number): number {
  let at = skipSpace(json, from + 1);
  for (let skipped = 0; skipped < count; skipped += 1) {
    const after = skipSpace(json, skipValue(json, at));
    if (json[after] !== COMMA) return json.length;
    at = skipSpace(json, after + 1);
  }
  return at;
}

/** Offset behind the value that starts at `from`. */
export function skipValue(json: Buffer, from: number): number {
  const first = json[from];
  if (first === QUOTE) return skipString(json, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipToClose(json, from + 1);
  let at = from;
  while (at < json.length && !endsScalar(json[at] ?? 0)) at += 1;
  return at;
}

/** From inside an object or array: the offset behind the bracket that closes it. Counts, so depth costs no stack. */
export function skipToClose(json: Buffer, from: number): number {
  let at = from;
  for (let depth = 1; depth > 0 && at < json.length;) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = skipString(json, at);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    at += 1;
  }
  return at;
}

/** Offset of the next byte that is not white space. RFC 8259 section 2. */
export function skipSpace(json: Buffer, from: number): number {
  let at = from;
  while (at < json.length && (json[at] ?? 0) <= SPACE) at += 1;
  return at;
}

/**
 * Byte by byte while a string is short, as keys are; a long one from quote to quote, which is many times
 * faster, and on where the quote is escaped.
 */
function skipString(json: Buffer, from: number): number {
  const near = Math.min(from + SHORT_STRING_BYTES, json.length);
  for (let at = from + 1; at < near; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  for (let at = from + 1; ;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) return json.length;
    at = quote + 1;
    if (!isEscaped(json, quote, from)) return at;
  }
}

/** An odd number of backslashes before it, not counting any before the string began. */
function isEscaped(json: Buffer, quote: number, stringStart: number): boolean {
  let at = quote - 1;
  while (at > stringStart && json[at] === BACKSLASH) at -= 1;
  return (quote - 1 - at) % 2 === 1;
}

function endsScalar(byte: number): boolean {
  return byte <= SPACE || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
}

/** A key may be spelled with escapes: `"mod\u0065l"` is `model` to every parser. */
function readKey(json: Buffer, start: number, end: number): string {
  if (end - start > KEY_BYTES_MAX) return '';
  const raw = json.toString('utf8', start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  const key: unknown = JSON.parse(`"${raw}"`);
  return typeof key === 'string' ? key : '';
}
