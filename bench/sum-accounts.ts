import { join } from 'node:path';

import { Database } from '../src/stores/sqlite/database.ts';

/** What all accounts of one unit have spent or have reserved, in the ledger of a data directory. */
export function sumAccounts(directory: string, unit: string, what: 'spent' | 'reserved'): number {
  const path = join(directory, 'ledger.db');
  const database = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
  try {
    const sql = `SELECT COALESCE(SUM(${what}), 0) AS total FROM accounts WHERE unit = ?`;
    return database.prepare<{ total: number }>(sql).get(unit)?.total ?? 0;
  } finally {
    database.close();
  }
}
