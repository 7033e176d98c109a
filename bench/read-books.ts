import { join } from 'node:path';

import { Database } from '../src/stores/sqlite/database.ts';

export interface Books {
  /** Over all accounts that count requests. */
  readonly requestsSpent: number;
  /** Over all accounts, whatever they count: 0 when nothing runs and every slice is back. */
  readonly reserved: number;
  /** Slots for concurrent requests that are taken or set aside. */
  readonly slotsReserved: number;
}

/** Of the SQLite ledger in a data directory, whether or not a gateway is using it. */
export function readBooks(directory: string): Books {
  const path = join(directory, 'ledger.db');
  const database = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
  const sql = `SELECT
    COALESCE(SUM(CASE WHEN unit = 'requests' THEN spent END), 0) AS spent,
    COALESCE(SUM(reserved), 0) AS reserved,
    COALESCE(SUM(CASE WHEN unit = 'concurrent_requests' THEN reserved END), 0) AS slots
    FROM accounts`;
  try {
    const row = database.prepare<{ spent: number; reserved: number; slots: number }>(sql).get();
    if (row === undefined) throw new Error('a sum without a row');
    return { requestsSpent: row.spent, reserved: row.reserved, slotsReserved: row.slots };
  } finally {
    database.close();
  }
}
