import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { SqliteChanges } from './changes.ts';
import { assertKnownSchema } from '../schema-version.ts';
import { StoreError } from '../store-error.ts';
import { Database } from './database.ts';
import { MIGRATIONS, readSchema } from './migrations.ts';
import { assertWhole, LEDGER_FILE } from './operations.ts';
import { SqliteOwners } from './owners.ts';

const BUSY_TIMEOUT_MS = 5000;

/** The ledger as it was at one moment; its writers have gone on since. Closed by whoever took it. */
export interface LedgerSnapshot {
  /** Writes it into a new file, through SQLite's backup API. */
  copyTo(path: string): Promise<void>;
  close(): void;
}

/**
 * Takes the ledger of a data directory as it is while `whileStill` runs: no process can settle, open, close or grow
 * anything meanwhile, so that what it sees of the journals fits this ledger. It is told the owners that live, and has
 * to be quick. Undefined = there is no ledger. Throws StoreError: `incompatible` for one of another version.
 */
export function takeSnapshot(
  directory: string,
  whileStill: (liveOwners: readonly string[]) => void,
): LedgerSnapshot | undefined {
  assertWhole(directory);
  const path = join(directory, LEDGER_FILE);
  if (!existsSync(path)) return undefined;
  const options = { path, durability: 'full' as const, busyTimeoutMs: BUSY_TIMEOUT_MS };
  const [writer, reader] = [new Database(options), new Database(options)];
  const close = (): void => {
    reader.execute('ROLLBACK');
    reader.close();
  };
  try {
    reader.execute('BEGIN');
    writer.write(() => {
      // The reader's moment is that of its first read: behind the last commit, before the next.
      assertSameSchema(readSchema(reader));
      whileStill(new SqliteOwners(reader, new SqliteChanges(reader)).live());
    });
    return { copyTo: (target) => reader.copyTo(target), close };
  } catch (error) {
    close();
    throw error;
  } finally {
    writer.close();
  }
}

function assertSameSchema(made: number): void {
  assertKnownSchema(made, MIGRATIONS.length);
  if (made === MIGRATIONS.length) return;
  throw new StoreError(
    'incompatible',
    `the database has schema version ${made} and this program makes ${MIGRATIONS.length} of it: use the version of Tollkeeper that wrote it, or tollkeeper migrate first`,
  );
}

/** A consistent copy of a file that no two tables of other files have to agree with: one day of the request log. */
export async function copyDatabase(path: string, target: string): Promise<void> {
  const database = new Database({ path, durability: 'normal', busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    await database.copyTo(target);
  } finally {
    database.close();
  }
}

/**
 * What SQLite finds wrong with a file that nobody else uses; undefined = nothing. Everything is in that one file
 * afterwards, so that it can be moved and hashed.
 */
export function findDamage(path: string): string | undefined {
  try {
    const database = new Database({ path, durability: 'full', busyTimeoutMs: 0 });
    try {
      const check = database.prepare<{ integrity_check: string }>('PRAGMA integrity_check(1)');
      const found = check.get()?.integrity_check;
      database.execute('PRAGMA journal_mode = DELETE');
      return found === 'ok' ? undefined : (found ?? 'it cannot be checked');
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Makes one file of a ledger that nobody has open; one that SQLite cannot read stays as it is. False = somebody has. */
export function closeLedger(directory: string): boolean {
  const path = join(directory, LEDGER_FILE);
  if (!existsSync(path)) return true;
  try {
    const database = new Database({ path, durability: 'full', busyTimeoutMs: 0 });
    try {
      database.execute('PRAGMA journal_mode = DELETE');
    } finally {
      database.close();
    }
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) return true;
    if (error.code === 'unavailable') return false;
    throw error;
  }
}
