import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { SchemaChange } from '../schema-version.ts';
import { makeDirectory } from '../../platform/make-directory.ts';
import { Database } from './database.ts';
import { migrate, MIGRATIONS, readSchema } from './migrations.ts';
import { assertWhole, LEDGER_FILE } from './operations.ts';

const BUSY_TIMEOUT_MS = 5000;

/** Steps this program knows. */
export const SCHEMA_KNOWN = MIGRATIONS.length;

/** Brings the ledger of a data directory up to date, and makes both where they are missing. Throws StoreError. */
export function migrateDirectory(directory: string): SchemaChange {
  makeDirectory(directory);
  return withLedger(directory, migrate);
}

/** Steps that were made; 0 = there is no ledger. Makes nothing. Throws StoreError. */
export function inspectDirectory(directory: string): number {
  return existsSync(join(directory, LEDGER_FILE)) ? withLedger(directory, readSchema) : 0;
}

function withLedger<Result>(directory: string, body: (database: Database) => Result): Result {
  assertWhole(directory);
  const database = new Database({
    path: join(directory, LEDGER_FILE),
    durability: 'full',
    busyTimeoutMs: BUSY_TIMEOUT_MS,
  });
  try {
    return body(database);
  } finally {
    database.close();
  }
}
