import type { AccountRow, AccountTable } from '../ledger/tables.ts';
import { StoreError } from '../store-error.ts';
import type { AccountNumbers } from '../store.ts';
import type { Database, Transaction } from './database.ts';
import { Outdated } from './postgres-error.ts';
import { Statement } from './statement.ts';

const COLUMNS =
  'id, tenant_id, kind, unit, allowance, reserved, spent, window_ends_at, label, sliding_ms, usage, free_at';
const PRUNE_BATCH = 500;
const OF_TENANT = 'tenant_id = $1 AND (window_ends_at IS NULL OR window_ends_at > $2::bigint)';

const SELECT = new Statement<AccountRow>(
  `SELECT ${COLUMNS} FROM accounts WHERE id = ANY($1::text[])`,
);
const SELECT_TENANT = new Statement<AccountRow>(
  `SELECT ${COLUMNS} FROM accounts WHERE ${OF_TENANT} ORDER BY id`,
);
// Whoever locks several accounts does so in the order of their ids: two that want the same never wait for each other.
const LOCK = new Statement<AccountRow>(
  `SELECT ${COLUMNS} FROM accounts WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE`,
);
const LOCK_LEASED = new Statement<AccountRow>(
  `SELECT ${COLUMNS} FROM accounts WHERE id IN (
     SELECT account_id FROM leases
     WHERE owner = $1 AND ($2::bigint[] IS NULL OR idx = ANY($2::bigint[])))
   ORDER BY id FOR UPDATE`,
);
const LOCK_TENANT = new Statement<AccountRow>(
  `SELECT ${COLUMNS} FROM accounts WHERE ${OF_TENANT} ORDER BY id FOR UPDATE`,
);
const ADD = new Statement<never>(
  `INSERT INTO accounts (${COLUMNS})
   SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
     $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::bigint[]) AS added (${COLUMNS})
   ORDER BY id ON CONFLICT DO NOTHING`,
);
const SAVE = new Statement<never>(
  `UPDATE accounts SET allowance = changed.allowance, reserved = changed.reserved, spent = changed.spent,
     window_ends_at = changed.window_ends_at, label = changed.label, sliding_ms = changed.sliding_ms,
     usage = changed.usage, free_at = changed.free_at
   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
     $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::bigint[]) AS changed (${COLUMNS})
   WHERE accounts.id = changed.id`,
);
const HAS_NO_LEASE = 'NOT EXISTS (SELECT 1 FROM leases WHERE leases.account_id = accounts.id)';
const LOCK_ENDED = new Statement<{ readonly id: string }>(
  `SELECT id FROM accounts WHERE (window_ends_at < $1::bigint OR free_at < $1::bigint) AND ${HAS_NO_LEASE}
   ORDER BY id LIMIT ${PRUNE_BATCH} FOR UPDATE`,
);
const REMOVE = new Statement<{ readonly id: string }>(
  `DELETE FROM accounts WHERE id = ANY($1::text[]) AND ${HAS_NO_LEASE} RETURNING id`,
);

/**
 * Accounts that a transaction has locked. Whoever has the lock of an account may change it, its grants and its leases,
 * and nobody else may.
 */
export class PostgresAccounts implements AccountTable {
  readonly #rows = new Map<string, AccountRow>();
  readonly #changed = new Set<string>();

  /** Without a lock, to look at only. */
  async read(transaction: Transaction, ids: readonly string[]): Promise<void> {
    this.#keep(await transaction.query(SELECT, ids));
  }

  /** Makes those that are missing and locks all. */
  async open(transaction: Transaction, fresh: readonly AccountRow[]): Promise<void> {
    transaction.send(ADD, ...columnsOf(uniqueById(fresh)));
    this.#keep(
      await transaction.query(
        LOCK,
        fresh.map(({ id }) => id),
      ),
    );
  }

  /** Locks the accounts of these leases, or of all the owner has. */
  async lockLeased(
    transaction: Transaction,
    owner: string,
    indexes: readonly number[] | null,
  ): Promise<void> {
    this.#keep(await transaction.query(LOCK_LEASED, owner, indexes));
  }

  /** Locks those whose window has not ended at `now`. */
  async lockTenant(transaction: Transaction, tenantId: string, now: number): Promise<void> {
    this.#keep(await transaction.query(LOCK_TENANT, tenantId, now));
  }

  get all(): readonly AccountRow[] {
    return [...this.#rows.values()];
  }

  get balanceIds(): readonly string[] {
    return this.all.filter(({ kind }) => kind === 'balance').map(({ id }) => id);
  }

  find(id: string): AccountRow | undefined {
    return this.#rows.get(id);
  }

  findAll(ids: readonly string[]): readonly AccountRow[] {
    return ids.flatMap((id) => this.find(id) ?? []);
  }

  findOrAdd({ id }: AccountRow): AccountRow {
    const row = this.#rows.get(id);
    // Between `ADD` and `LOCK` its window was forgotten.
    if (row === undefined) throw new Outdated(`account ${id} was removed`);
    return row;
  }

  adopt(row: AccountRow): void {
    const { allowance, window_ends_at, label, sliding_ms, free_at } = row;
    this.#change(row.id, () => ({ allowance, window_ends_at, label, sliding_ms, free_at }));
  }

  move(id: string, { allowance = 0, reserved = 0, spent = 0 }: Partial<AccountNumbers>): void {
    this.#change(id, (row) => ({
      allowance: row.allowance + allowance,
      reserved: row.reserved + reserved,
      spent: row.spent + spent,
    }));
  }

  record(
    id: string,
    reservedBy: number,
    usage: { readonly text: string; readonly freeAt: number },
  ): void {
    this.#change(id, (row) => ({
      reserved: row.reserved + reservedBy,
      usage: usage.text,
      free_at: usage.freeAt,
    }));
  }

  flush(transaction: Transaction): void {
    const changed = this.all.filter(({ id }) => this.#changed.has(id));
    if (changed.length > 0) transaction.send(SAVE, ...columnsOf(changed));
  }

  #keep(rows: readonly AccountRow[]): void {
    for (const row of rows) this.#rows.set(row.id, row);
  }

  #change(id: string, change: (row: AccountRow) => Partial<AccountRow>): void {
    const row = this.#rows.get(id);
    if (row === undefined) throw new StoreError('invariant', `account ${id} is not locked`);
    this.#rows.set(id, { ...row, ...change(row) });
    this.#changed.add(id);
  }
}

export function listAccounts(
  database: Database,
  tenantId: string,
  now: number,
): Promise<readonly AccountRow[]> {
  return database.query(SELECT_TENANT, tenantId, now);
}

/** One bounded batch of accounts that count nothing any more; returns how many went. */
export function pruneAccounts(database: Database, before: number): Promise<number> {
  return database.write(async (transaction) => {
    const ended = await transaction.query(LOCK_ENDED, before);
    if (ended.length === 0) return 0;
    // A lease that was taken while this waited for a lock shows only now.
    const removed = await transaction.query(
      REMOVE,
      ended.map(({ id }) => id),
    );
    return removed.length;
  });
}

function uniqueById(rows: readonly AccountRow[]): readonly AccountRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

function columnsOf(rows: readonly AccountRow[]) {
  return [
    rows.map(({ id }) => id),
    rows.map(({ tenant_id }) => tenant_id),
    rows.map(({ kind }) => kind),
    rows.map(({ unit }) => unit),
    rows.map(({ allowance }) => allowance),
    rows.map(({ reserved }) => reserved),
    rows.map(({ spent }) => spent),
    rows.map(({ window_ends_at }) => window_ends_at),
    rows.map(({ label }) => label),
    rows.map(({ sliding_ms }) => sliding_ms),
    rows.map(({ usage }) => usage),
    rows.map(({ free_at }) => free_at),
  ];
}
