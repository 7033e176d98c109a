import type { SchemaChange } from '../schema-version.ts';
import { Database } from './database.ts';
import { migrate } from './migrations.ts';

/** Brings the schema of a database up to date. Throws StoreError when it does not answer or is of a newer version. */
export async function migrateServer(url: string): Promise<SchemaChange> {
  const database = new Database({ url, connections: 1 });
  try {
    return await migrate(database);
  } finally {
    await database.close();
  }
}
