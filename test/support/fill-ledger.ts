import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { Database } from '../../src/stores/sqlite/database.ts';
import { migrate } from '../../src/stores/sqlite/migrations.ts';

export interface LedgerSize {
  readonly keys: number;
  /** At least two for every ten keys: what their tenant was funded with. */
  readonly entries: number;
}

const KEYS_PER_TENANT = 10;
const COUNT_FROM_ZERO =
  'WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)';

/**
 * A SQLite store as years would leave it, made by bulk statements: tenants of ten keys with a grant of 1000 USD each and
 * usage spread over them, in books that add up.
 */
export function fillLedger(directory: string, { keys, entries }: LedgerSize): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'ledger.db');
  const database = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
  const tenants = Math.ceil(keys / KEYS_PER_TENANT);
  const run = (sql: string, ...values: number[]): void => {
    database.prepare(sql).run(...values);
  };
  const post = (count: number, transaction: string, legs: readonly string[]): void => {
    const insert = 'INSERT INTO transactions (id, kind, reference, at)';
    run(`${insert} ${COUNT_FROM_ZERO} SELECT ${transaction} FROM n`, count);
    for (const leg of legs) {
      const columns = 'transaction_id, leg, ledger_account, asset, amount, grant_id';
      run(`INSERT INTO entries (${columns}) ${COUNT_FROM_ZERO} SELECT ${leg} FROM n`, count);
    }
  };
  try {
    migrate(database);
    database.write(() => {
      run(
        `INSERT INTO tenants (id, name, plan_id, created_at)
         ${COUNT_FROM_ZERO} SELECT 'ten_' || i, 'Customer ' || i, 'free', i FROM n`,
        tenants,
      );
      run(
        `INSERT INTO api_keys (id, tenant_id, name, hash, environment, hint, created_at)
         ${COUNT_FROM_ZERO} SELECT 'key_' || i, 'ten_' || (i / ${KEYS_PER_TENANT}), 'key', lower(hex(randomblob(32))),
           'live', 'tk_live_' || i, i FROM n`,
        keys,
      );
      run(
        `INSERT INTO grants (id, tenant_id, asset, amount, category, priority, effective_at, source, state, remaining,
           consumed, expired, created_at, idempotency_key, fingerprint)
         ${COUNT_FROM_ZERO} SELECT 'gra_' || i, 'ten_' || i, 'USD', 1000000000000, 'paid', 50, 0, 'test', 'active',
           1000000000000, 0, 0, i, 'fund-' || i, 'print' FROM n`,
        tenants,
      );
      post(tenants, `'funding:gra_' || i, 'funding', 'gra_' || i, i`, [
        `'funding:gra_' || i, 0, 'house:funding', 'USD', -1000000000000, 'gra_' || i`,
        `'funding:gra_' || i, 1, 'tenant:ten_' || i, 'USD', 1000000000000, 'gra_' || i`,
      ]);
      const place = `i % ${tenants}`;
      const units = '1 + (i * 7919) % 100003';
      post(entries / 2 - tenants, `'usage:gw_1:' || i, 'usage', 'gw_1', i`, [
        `'usage:gw_1:' || i, 0, 'tenant:ten_' || (${place}), 'USD', -(${units}), 'gra_' || (${place})`,
        `'usage:gw_1:' || i, 1, 'house:revenue', 'USD', ${units}, 'gra_' || (${place})`,
      ]);
      run(
        `UPDATE grants SET consumed = used.total, remaining = amount - used.total FROM (
           SELECT grant_id, -SUM(amount) AS total FROM entries WHERE amount < 0 AND leg = 0
             AND ledger_account LIKE 'tenant:%' GROUP BY grant_id) used
         WHERE grants.id = used.grant_id`,
      );
      run(
        `INSERT INTO accounts (id, tenant_id, kind, unit, allowance, reserved, spent)
         SELECT 'bal:' || tenant_id || ':USD', tenant_id, 'balance', 'USD', amount, 0, consumed FROM grants`,
      );
    });
  } finally {
    database.close();
  }
}
