import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, statSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { LEDGER_FILE } from '../stores/sqlite/operations.ts';
import { DAY_FILE } from '../stores/sqlite/request-log.ts';
import { DEMO_KEY_FILE } from './demo-customer.ts';
import { type Refusal, refuse } from './store-refusal.ts';

/** What a backup says of itself. Written last: a directory without one is not a whole backup. */
const MANIFEST_FILE = 'manifest.json';
/** One that is read differently has another number. */
const FORMAT = 1;
const FILES_MAX = 10_000;
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;

const FILE = z.strictObject({
  name: z.string().refine(isBackedUp),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const MANIFEST = z.object({
  format: z.literal(FORMAT),
  /** The moment the ledger is of, as ISO 8601. */
  made_at: z.iso.datetime(),
  /** Version that made it. */
  tollkeeper: z.string(),
  /** Steps of the ledger's schema. */
  schema: z.int().min(1),
  files: z.array(FILE).max(FILES_MAX).refine(hasOneLedger),
});

export type BackupManifest = z.infer<typeof MANIFEST>;
export type BackupFile = z.infer<typeof FILE>;

/** Whether a file of a data directory belongs into a backup. No name leads out of the directory. */
export function isBackedUp(name: string): boolean {
  return name === LEDGER_FILE || name === DEMO_KEY_FILE || DAY_FILE.test(name);
}

function hasOneLedger(files: readonly { readonly name: string }[]): boolean {
  const names = new Set(files.map(({ name }) => name));
  return names.size === files.length && names.has(LEDGER_FILE);
}

export async function describeFile(directory: string, name: string): Promise<BackupFile> {
  const path = join(directory, name);
  return { name, bytes: statSync(path).size, sha256: await hashFile(path) };
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export function writeManifest(directory: string, manifest: Omit<BackupManifest, 'format'>): void {
  const path = join(directory, MANIFEST_FILE);
  const text = JSON.stringify({ format: FORMAT, ...manifest }, undefined, 2);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  flush(path);
}

/** A file or directory is on the disk when this returns, and not only on its way. */
export function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export async function readManifest(
  directory: string,
): Promise<
  | { readonly kind: 'read'; readonly manifest: BackupManifest }
  | Refusal<'NO_BACKUP' | 'BACKUP_DAMAGED'>
> {
  const path = join(directory, MANIFEST_FILE);
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) {
    return refuse('NO_BACKUP', `${directory} holds no whole backup: there is no ${MANIFEST_FILE}`);
  }
  if (size > MANIFEST_BYTES_MAX) return damaged(path, 'it is too large');
  const text = await readFile(path, 'utf8');
  const parsed = parseJson(text);
  const read = MANIFEST.safeParse(parsed);
  if (read.success) return { kind: 'read', manifest: read.data };
  const format = z.object({ format: z.int().min(FORMAT + 1) }).safeParse(parsed);
  if (format.success) {
    const problem = `its format is ${format.data.format} and this program knows ${FORMAT}`;
    return refuse('NO_BACKUP', `${path}: ${problem}: use the newer version of Tollkeeper`);
  }
  const issue = read.error.issues[0];
  return damaged(path, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
}

function damaged(path: string, problem: string): Refusal<'BACKUP_DAMAGED'> {
  return refuse('BACKUP_DAMAGED', `${path} is damaged (${problem}): take another backup`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
