import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeDirectory } from '../../platform/make-directory.ts';
import { sha256Hex } from '../../platform/sha256.ts';

export const ADMIN_TOKEN_FILE = 'admin.token';
const TOKEN = /^tka_[A-Za-z0-9_-]{43}$/;

export interface AdminToken {
  readonly path: string;
  readonly token: string;
}

/**
 * The admin token of a data directory, made on the first start: 256 random bits in `admin.token`, readable by its
 * owner only (DESIGN 10: no default password). Throws when the file cannot be read or holds something else.
 */
export function ensureAdminToken(directory: string): AdminToken {
  makeDirectory(directory);
  const path = join(directory, ADMIN_TOKEN_FILE);
  const existing = readToken(path);
  if (existing !== undefined) return { path, token: existing };
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `tka_${randomBytes(32).toString('base64url')}\n`, {
    mode: 0o600,
    flush: true,
  });
  try {
    // A link appears whole or not at all, and fails if another process was first.
    linkSync(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  const token = readToken(path);
  if (token === undefined) throw new Error(`${path} vanished while it was made`);
  return { path, token };
}

/** Whether `given` is the token, in a time that does not depend on where they differ. */
export function isSameToken(given: string, token: string): boolean {
  return timingSafeEqual(Buffer.from(sha256Hex(given)), Buffer.from(sha256Hex(token)));
}

function readToken(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (!TOKEN.test(text)) {
    throw new Error(
      `${path} does not hold an admin token: delete it, and the next start makes a new one`,
    );
  }
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return text;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
