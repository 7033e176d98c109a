import { createHash } from 'node:crypto';
import { formatPath, isMapping, mapScalars } from './config-path.ts';
import type { ConfigPath } from './config-path.ts';

export const REDACTED = '***';

/** Keys whose values are secret wherever they stand; `tokens` and `cached_input` are not among them. */
const SECRET_KEY =
  /^(credentials|authorization|proxy-authorization|cookie|set-cookie|(.*[_-])?(api[_-]?key|secret|password|passphrase|private[_-]?key|token))$/i;

/** User and password of a URL, up to the last @ before its path. */
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)[^/\s]*@/i;

/**
 * `tree` with `***` for what came from the environment or a file, for what stands under a secret's name, and for
 * the password in a URL.
 */
export function redactTree(tree: unknown, secretPaths: ReadonlySet<string>): unknown {
  return mapScalars(tree, (value, path) => {
    if (isSecret(path, secretPaths)) return REDACTED;
    return typeof value === 'string' ? value.replace(USER_INFO, `$1${REDACTED}@`) : value;
  });
}

/** A connection string, which has a password in it. */
const DATABASE_URL = 'store.url';

export function isSecret(path: ConfigPath, secretPaths: ReadonlySet<string>): boolean {
  const text = formatPath(path);
  return (
    text === DATABASE_URL ||
    secretPaths.has(text) ||
    path.some((part) => typeof part === 'string' && SECRET_KEY.test(part))
  );
}

/** One hash a path of two levels, so that two configurations can be compared without keeping their secrets. */
export function fingerprintTree(tree: unknown): ReadonlyMap<string, string> {
  const fingerprints = new Map<string, string>();
  for (const [key, value] of Object.entries(isMapping(tree) ? tree : {})) {
    if (!isMapping(value)) {
      fingerprints.set(key, hashValue(value));
      continue;
    }
    for (const [name, member] of Object.entries(value)) {
      fingerprints.set(formatPath([key, name]), hashValue(member));
    }
  }
  return fingerprints;
}

function hashValue(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex');
}
