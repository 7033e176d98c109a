import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { COPY_BATCH_ROWS, type CopyQuery, type CopyRow, type CopySource } from '../store-copy.ts';
import type { Violation } from '../store.ts';
import { Audit } from './audit.ts';
import { SqliteChanges } from './changes.ts';
import { Database } from './database.ts';
import { migrate } from './migrations.ts';
import { assertWhole, LEDGER_FILE } from './operations.ts';
import { SqliteOwners } from './owners.ts';

const BUSY_TIMEOUT_MS = 500;

/**
 * The embedded store in this directory, to read from; undefined when there is none. Its schema is brought up to date,
 * and its writers wait until it is closed. Throws StoreError: `unavailable` when somebody writes, `incompatible` when a
 * newer version wrote it.
 */
export function openCopySource(directory: string): CopySource | undefined {
  assertWhole(directory);
  const path = join(directory, LEDGER_FILE);
  if (!existsSync(path)) return undefined;
  const database = new Database({ path, durability: 'full', busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    migrate(database);
    // Never committed: nothing is written, and nobody else writes either.
    database.execute('BEGIN IMMEDIATE');
    return new SqliteCopySource(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteCopySource implements CopySource {
  readonly #database: Database;
  readonly #audit: Audit;
  readonly #changes: SqliteChanges;
  readonly #owners: SqliteOwners;

  constructor(database: Database) {
    this.#database = database;
    this.#audit = new Audit(database);
    this.#changes = new SqliteChanges(database);
    this.#owners = new SqliteOwners(database, this.#changes);
  }

  liveOwners(): readonly string[] {
    return this.#owners.live();
  }

  audit(): readonly Violation[] {
    return this.#audit.find();
  }

  newestChange(): number {
    return this.#changes.newest();
  }

  *select({ sql }: CopyQuery): Generator<readonly CopyRow[]> {
    const statement = this.#database.prepare<Readonly<Record<string, string | null>>>(sql);
    for (const rows of statement.batches(COPY_BATCH_ROWS)) {
      yield rows.map((row) => Object.values(row));
    }
  }

  close(): void {
    // A connection that is closed with statements in use would keep its transaction until they are collected.
    this.#database.execute('ROLLBACK');
    this.#database.close();
  }
}
