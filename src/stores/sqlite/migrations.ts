import { assertKnownSchema, type SchemaChange } from '../schema-version.ts';
import type { Database } from './database.ts';

/**
 * The schema, as numbered steps that are never edited once released. Portable SQL: ids and times (epoch ms) are
 * ours, no triggers, no sequences. Amounts are int8 ledger units.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE owners (
     id text PRIMARY KEY,
     state text NOT NULL CHECK (state IN ('live', 'closed', 'reclaimed')),
     last_seq bigint NOT NULL,
     settlements bigint NOT NULL,
     seen_at bigint NOT NULL,
     seen_change bigint NOT NULL
   );
   CREATE INDEX owners_live ON owners (id) WHERE state = 'live';

   CREATE TABLE accounts (
     id text PRIMARY KEY,
     tenant_id text NOT NULL,
     kind text NOT NULL CHECK (kind IN ('balance', 'quota')),
     unit text NOT NULL,
     allowance bigint NOT NULL CHECK (allowance >= 0),
     reserved bigint NOT NULL CHECK (reserved >= 0),
     spent bigint NOT NULL CHECK (spent >= 0),
     window_ends_at bigint,
     label text,
     CHECK (kind = 'quota' OR reserved + spent <= allowance)
   );
   CREATE INDEX accounts_tenant ON accounts (tenant_id);
   CREATE INDEX accounts_window ON accounts (window_ends_at) WHERE window_ends_at IS NOT NULL;

   CREATE TABLE leases (
     owner text NOT NULL,
     idx bigint NOT NULL,
     account_id text NOT NULL,
     granted bigint NOT NULL,
     settled bigint NOT NULL,
     recalled smallint NOT NULL,
     PRIMARY KEY (owner, idx),
     CHECK (0 <= settled AND settled <= granted)
   );
   CREATE INDEX leases_account ON leases (account_id);
   CREATE INDEX leases_recalled ON leases (owner) WHERE recalled = 1;

   CREATE TABLE grants (
     id text PRIMARY KEY,
     tenant_id text NOT NULL,
     asset text NOT NULL,
     amount bigint NOT NULL CHECK (amount > 0),
     category text NOT NULL CHECK (category IN ('included', 'promotional', 'paid')),
     priority bigint NOT NULL,
     effective_at bigint NOT NULL,
     expires_at bigint,
     source text NOT NULL,
     state text NOT NULL CHECK (state IN ('pending', 'active', 'done')),
     remaining bigint NOT NULL CHECK (remaining >= 0),
     consumed bigint NOT NULL CHECK (consumed >= 0),
     expired bigint NOT NULL CHECK (expired >= 0),
     created_at bigint NOT NULL,
     idempotency_key text NOT NULL UNIQUE,
     fingerprint text NOT NULL,
     CHECK (amount = remaining + consumed + expired)
   );
   CREATE INDEX grants_tenant ON grants (tenant_id, asset, state);

   CREATE TABLE transactions (
     id text PRIMARY KEY,
     kind text NOT NULL CHECK (kind IN ('funding', 'usage', 'expiry', 'overrun')),
     reference text NOT NULL,
     at bigint NOT NULL
   );
   CREATE TABLE entries (
     transaction_id text NOT NULL,
     leg bigint NOT NULL,
     ledger_account text NOT NULL,
     asset text NOT NULL,
     amount bigint NOT NULL CHECK (amount <> 0),
     grant_id text,
     PRIMARY KEY (transaction_id, leg)
   );

   CREATE TABLE rates (
     bucket_id text PRIMARY KEY,
     debt bigint NOT NULL,
     at bigint NOT NULL,
     period_ms bigint NOT NULL,
     full_at bigint NOT NULL
   );

   CREATE TABLE tenants (
     id text PRIMARY KEY,
     name text NOT NULL,
     plan_id text NOT NULL,
     created_at bigint NOT NULL
   );
   CREATE TABLE api_keys (
     id text PRIMARY KEY,
     tenant_id text NOT NULL,
     name text NOT NULL,
     hash text NOT NULL UNIQUE,
     environment text NOT NULL CHECK (environment IN ('live', 'test')),
     hint text NOT NULL,
     budget_nano bigint,
     expires_at bigint,
     revoked_at bigint,
     created_at bigint NOT NULL
   );
   CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

   CREATE TABLE changes (
     seq bigint PRIMARY KEY,
     kind text NOT NULL,
     id text NOT NULL
   );
   CREATE TABLE secrets (
     name text PRIMARY KEY,
     value text NOT NULL
   );
   CREATE TABLE idempotency (
     key text PRIMARY KEY,
     fingerprint text NOT NULL,
     answer text NOT NULL
   )`,
  // `parent_id` repeats what the terms say, so that those below a tenant are found.
  `ALTER TABLE tenants ADD COLUMN terms text NOT NULL DEFAULT '{}';
   ALTER TABLE tenants ADD COLUMN parent_id text;
   CREATE INDEX tenants_parent ON tenants (parent_id, id) WHERE parent_id IS NOT NULL;
   ALTER TABLE api_keys ADD COLUMN terms text NOT NULL DEFAULT '{}'`,
  // Of accounts that slide: the length, what was spent by sub-window as [[ends at, units], ...], and when all of
  // it is free again. Their `spent` stays 0: it is another number each moment.
  `ALTER TABLE accounts ADD COLUMN sliding_ms bigint CHECK (sliding_ms > 0);
   ALTER TABLE accounts ADD COLUMN usage text;
   ALTER TABLE accounts ADD COLUMN free_at bigint;
   CREATE INDEX accounts_free ON accounts (free_at) WHERE free_at IS NOT NULL`,
  // Slices written off, jobs, and a kind of transaction more: SQLite changes no check, so the table is made anew.
  `ALTER TABLE owners ADD COLUMN machine text;
   CREATE TABLE transactions_new (
     id text PRIMARY KEY,
     kind text NOT NULL CHECK (kind IN ('funding', 'usage', 'expiry', 'overrun', 'write_off')),
     reference text NOT NULL,
     at bigint NOT NULL
   );
   INSERT INTO transactions_new (id, kind, reference, at) SELECT id, kind, reference, at FROM transactions;
   DROP TABLE transactions;
   ALTER TABLE transactions_new RENAME TO transactions;

   CREATE TABLE write_offs (
     owner text PRIMARY KEY,
     at bigint NOT NULL,
     read_at bigint
   );
   CREATE INDEX write_offs_unread ON write_offs (owner) WHERE read_at IS NULL;
   CREATE TABLE write_off_slices (
     owner text NOT NULL,
     idx bigint NOT NULL,
     tenant_id text NOT NULL,
     kind text NOT NULL CHECK (kind IN ('balance', 'quota')),
     unit text NOT NULL,
     amount bigint NOT NULL CHECK (amount > 0),
     charged bigint NOT NULL CHECK (0 <= charged AND charged <= amount),
     PRIMARY KEY (owner, idx)
   );

   CREATE TABLE jobs (
     name text PRIMARY KEY,
     fence bigint NOT NULL,
     beat bigint NOT NULL,
     holder text,
     taken_at bigint NOT NULL,
     started_at bigint,
     ended_at bigint,
     outcome text CHECK (outcome IN ('done', 'failed')),
     findings bigint,
     detail text
   )`,
];

/** Brings the schema up to date. Any number of processes may do so at once: one works, the others find it done. */
export function migrate(
  database: Database,
  migrations: readonly string[] = MIGRATIONS,
): SchemaChange {
  return database.write(() => {
    database.execute('CREATE TABLE IF NOT EXISTS migrations (id bigint PRIMARY KEY)');
    const from = readNewest(database);
    assertKnownSchema(from, migrations.length);
    const record = database.prepare('INSERT INTO migrations (id) VALUES (?)');
    for (const [index, sql] of migrations.entries()) {
      if (index < from) continue;
      database.execute(sql);
      record.run(index + 1);
    }
    return { from, to: migrations.length };
  });
}

/** Steps that were made; 0 = none yet. Changes nothing. */
export function readSchema(database: Database): number {
  const table = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'migrations'";
  return database.prepare(table).get() === undefined ? 0 : readNewest(database);
}

function readNewest(database: Database): number {
  const select = database.prepare<{ id: number }>(
    'SELECT COALESCE(MAX(id), 0) AS id FROM migrations',
  );
  return select.get()?.id ?? 0;
}
