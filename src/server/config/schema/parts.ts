import { isIP } from 'node:net';
import { z } from 'zod';

import { parseMoment } from '../../../platform/parse-moment.ts';
import { ok, parseByteSize, parseDuration, parseQuantity, wrong } from '../human-units.ts';
import type { Parsed } from '../human-units.ts';

/** Text that means something else: parsed once, here, into what it means. */
export function textAs<T>(parse: (text: string) => Parsed<T>) {
  const error = ({ input }: { readonly input?: unknown }): string | undefined => {
    // `10` where `10s` is meant is told what is meant, and not only that it is no text.
    const result = typeof input === 'number' ? parse(String(input)) : undefined;
    return result?.kind === 'wrong' ? result.problem : undefined;
  };
  return z.string({ error }).transform((text, context): T => {
    const result = parse(text.trim());
    if (result.kind === 'ok') return result.value;
    context.issues.push({ code: 'custom', message: result.problem, input: text });
    return z.NEVER;
  });
}

/** Tells a mistake and stops there: what is wrong in itself is not compared with what is around it. */
export function report(
  context: z.RefinementCtx,
  path: readonly (string | number)[],
  message: string,
): void {
  context.addIssue({ code: 'custom', path: [...path], message, continue: false });
}

/** A list with a bound; not there = empty. */
export function listOf<Item extends z.ZodType>(item: Item, max: number) {
  return z.array(item).max(max).prefault([]);
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A whole number, or text such as "50k", "1M" or what `${PORT}` gave. */
export function wholeNumber(bounds: Bounds) {
  const text = textAs((written) => parseBounded(written, bounds));
  return z.union([z.int().min(bounds.min).max(bounds.max), text], {
    error: `expected a whole number from ${bounds.min} to ${bounds.max}`,
  });
}

function parseBounded(text: string, { min, max }: Bounds): Parsed<number> {
  const quantity = parseQuantity(text);
  if (quantity === undefined || quantity < BigInt(min) || quantity > BigInt(max)) {
    return wrong(`expected a whole number from ${min} to ${max}, got "${text}"`);
  }
  return ok(Number(quantity));
}

/** True or false, also as text: that is what `${FLAG}` gives. */
export const flag = z.union(
  [z.boolean(), z.enum(['true', 'false']).transform((written) => written === 'true')],
  { error: 'expected true or false' },
);

/** Milliseconds. */
export function duration({ min, max }: { readonly min: string; readonly max: string }) {
  const [minMs, maxMs] = [durationMs(min), durationMs(max)];
  return textAs((text) => {
    const parsed = parseDuration(text);
    if (parsed.kind === 'wrong' || (parsed.value >= minMs && parsed.value <= maxMs)) return parsed;
    return wrong(`must be between ${min} and ${max}, got "${text}"`);
  });
}

function durationMs(text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === 'wrong') throw new Error(`a bound of the schema is wrong: ${parsed.problem}`);
  return parsed.value;
}

/** Bytes. */
export function byteSize({ min, max }: Bounds) {
  return textAs((text) => {
    const parsed = parseByteSize(text);
    if (parsed.kind === 'wrong' || (parsed.value >= min && parsed.value <= max)) return parsed;
    return wrong(`must be between ${min} and ${max} bytes, got "${text}"`);
  });
}

/** The schema's own words for a value that is wrong; one that is not there is simply required. */
export function expects(sentence: string) {
  return {
    error: (issue: { readonly input?: unknown }) =>
      issue.input === undefined ? 'is required' : sentence,
  };
}

export const MIB = 1024 * 1024;

/** Epoch ms from `2026-12-31` or `2026-12-31T12:00:00Z`: in UTC, whatever machine reads the file. */
export const moment = textAs((text) => {
  const isUtc = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/.test(text);
  const at = isUtc ? parseMoment(text) : undefined;
  if (at !== undefined) return ok(at);
  return wrong(
    `expected a day such as 2026-12-31 or a time such as 2026-12-31T12:00:00Z, got "${text}"`,
  );
});

/** Names of upstreams, plans and the like: they end up in ids, headers and metrics. */
export const idName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
  error: 'is not a name: use lower-case letters, digits, "-" and "_", at most 64 of them',
});

/** A part of a name that a call fills in: `{course}`, a named group of the route's regular expression. */
const GROUP = '\\{[A-Za-z_][A-Za-z0-9_]*\\}';
const featureText = new RegExp(`^([a-z0-9]|${GROUP})([a-z0-9_.-]|${GROUP}){0,127}$`);
const NOT_A_FEATURE =
  'is not a name: use lower-case letters, digits and . _ -, at most 128 of them';

/** What a plan includes: `js_rendering`. */
export const featureName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,127}$/, { error: NOT_A_FEATURE });
/** What a route asks for: `js_rendering`, `proxy-{country}`. */
export const neededName = z.string().regex(featureText, { error: NOT_A_FEATURE });
/** What a purchase grants: `course-7`, or `course-*` for all that begin so. */
export const grantedName = z.string().regex(/^([a-z0-9][a-z0-9_.-]{0,126})\*?$/, {
  error: `${NOT_A_FEATURE}, and "*" at the end for all that begin so`,
});

/** What callers send as `model`: `gpt-4.1`, `openai/gpt-4.1`. */
export const modelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/, {
  error: 'is not a model name: use letters, digits and . _ : / @ -, at most 128 of them',
});

export const title = z
  .string()
  .min(1)
  .max(100)
  .refine((text) => !/\p{Cc}/u.test(text), { error: 'must not contain control characters' });

/** RFC 9110 5.1: a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
/** Framing and connection are the transport's business (RFC 9110 7.6.1); editing them smuggles requests. */
const TRANSPORT_HEADERS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Lower case. */
export const headerName = textAs((text) => {
  const name = text.toLowerCase();
  if (!HEADER_NAME.test(name)) return wrong(`"${text}" is not a header name`);
  if (TRANSPORT_HEADERS.has(name))
    return wrong(`"${name}" belongs to the transport and cannot be set`);
  return ok(name);
});

/** RFC 9110 5.5 without the obsolete bytes: visible ASCII, spaces and tabs. */
export const headerValue = z
  .string()
  .max(8192)
  .regex(/^[\t\u0020-\u007e]*$/, {
    error: 'must be printable ASCII, without line ends: a secret file with more than one line?',
  });

export const headerValues = z.record(headerName, headerValue);

const HEADERS_MAX = 64;
export const headerEdits = z
  .strictObject({
    set: headerValues.prefault({}).describe('Headers to set, replacing what was there.'),
    remove: listOf(headerName, HEADERS_MAX).describe('Header names to remove.'),
  })
  .prefault({});

const hostName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, {
  error: 'is not a host name: lower case, without scheme, port or path',
});

/** A host of an API: `api.example.com`, or `*.example.com` for everything below it. */
export const hostPattern = textAs((text) =>
  hostName.safeParse(text.replace(/^\*\./, '')).success
    ? ok(text)
    : wrong(
        `expected a host such as api.example.com or *.example.com, lower case and without port, got "${text}"`,
      ),
);

/** What a socket may listen on. */
export const listenHost = textAs((text) =>
  isIP(text) !== 0 || hostName.safeParse(text).success
    ? ok(text)
    : wrong(`expected an address such as 127.0.0.1, 0.0.0.0 or ::, got "${text}"`),
);

export const addressRange = textAs((text) => {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  const prefixRight = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  if (isIP(address) !== 0 && prefixRight && rest.length === 0) return ok(text);
  return wrong(`expected an address or a range such as 10.0.0.0/8, got "${text}"`);
});

/** `http://host:port` and nothing after it. */
export const origin = textAs((text) => {
  const url = readHttpUrl(text);
  if (url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '')
    return ok(url.origin);
  return wrong(
    `expected an origin such as "https://api.example.com", without a path, got "${text}"`,
  );
});

/** `http://host:port/base`, or one of the built-in servers; without a slash at the end. */
export const targetUrl = textAs((text) => {
  if (text === 'builtin:echo' || text === 'builtin:demo') return ok(text);
  if (text.startsWith('builtin:'))
    return wrong(`"${text}" does not exist: there are builtin:echo and builtin:demo`);
  if (hasUserInfo(text)) {
    return wrong('must not contain a user or password: those go into headers, under "credentials"');
  }
  const url = readHttpUrl(text);
  if (url === undefined || url.search !== '' || url.hash !== '') {
    return wrong(
      `expected a URL such as "http://127.0.0.1:9000" or "https://api.example.com/v1", got "${text}"`,
    );
  }
  return ok(url.href.replace(/\/+$/, ''));
});

function readHttpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** A password in a URL ends up in logs: credentials have their own place, where they are redacted. */
function hasUserInfo(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.username !== '' || url.password !== '';
}

export const durability = z.enum(['journal', 'journal-fsync', 'commit-before-serve']);
