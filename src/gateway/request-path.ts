/** A path as routes are matched on, or why it must not be routed at all. */
export type RequestPath =
  | { readonly kind: 'path'; readonly value: string }
  | { readonly kind: 'bad-path'; readonly reason: string };

// Any of these makes a path spell another one; everything else is compared as it came.
const AMBIGUOUS = /%|\/\/|\/\.|\\/;
const ENCODED_SEPARATOR = /%(?:2f|5c)/i;
const ENCODED_CONTROL = /%(?:[01][\da-f]|7f)/i;
const DOT_SEGMENT = /\/\.{1,2}(?:;[^/]*)?(?=\/|$)/;
const REPEATED_SLASHES = /\/{2,}/g;

/**
 * One spelling for all the ways to write a path, so that no spelling reaches an upstream past its price:
 * percent-escapes are decoded and repeated slashes merged. What upstreams are known to read in different
 * ways is refused: dot segments and encoded or backward slashes (RFC 3986 6.2.2, RFC 9110 4.2.3). Only
 * matching uses the result; the upstream gets the caller's bytes.
 */
export function normalizePath(path: string): RequestPath {
  if (!AMBIGUOUS.test(path)) return { kind: 'path', value: path };
  if (path.includes('\\')) return refuse('a backslash');
  if (ENCODED_SEPARATOR.test(path)) return refuse('an encoded slash or backslash');
  if (ENCODED_CONTROL.test(path)) return refuse('an encoded control character');
  const decoded = decode(path);
  if (decoded === undefined) return refuse('a percent-escape that is not UTF-8');
  const merged = decoded.replace(REPEATED_SLASHES, '/');
  if (DOT_SEGMENT.test(merged)) return refuse('a dot segment (`/./` or `/../`)');
  return { kind: 'path', value: merged };
}

function refuse(what: string): RequestPath {
  return { kind: 'bad-path', reason: `the path contains ${what}: send the path it stands for` };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
