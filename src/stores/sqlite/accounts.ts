import type { AccountRow, AccountTable } from '../ledger/tables.ts';
import type { AccountNumbers } from '../store.ts';
import type { Database, Statement } from './database.ts';

const COLUMNS =
  'id, tenant_id, kind, unit, allowance, reserved, spent, window_ends_at, label, sliding_ms, usage, free_at';
const PRUNE_BATCH = 500;

/** The accounts table. Runs inside its caller's transaction. */
export class SqliteAccounts implements AccountTable {
  readonly #select: Statement<AccountRow>;
  readonly #selectListed: Statement<AccountRow>;
  readonly #selectTenant: Statement<AccountRow>;
  readonly #insert: Statement<never>;
  readonly #adopt: Statement<never>;
  readonly #move: Statement<never>;
  readonly #record: Statement<never>;
  readonly #prune: Statement<never>;

  constructor(database: Database) {
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM accounts WHERE id = ?`);
    this.#selectListed = database.prepare(
      `SELECT ${COLUMNS} FROM accounts WHERE id IN (SELECT value FROM json_each(?))`,
    );
    this.#selectTenant = database.prepare(
      `SELECT ${COLUMNS} FROM accounts WHERE tenant_id = ? AND (window_ends_at IS NULL OR window_ends_at > ?) ORDER BY id`,
    );
    this.#insert = database.prepare(
      `INSERT INTO accounts (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#adopt = database.prepare(
      'UPDATE accounts SET allowance = ?, window_ends_at = ?, label = ?, sliding_ms = ?, free_at = ? WHERE id = ?',
    );
    this.#move = database.prepare(
      'UPDATE accounts SET allowance = allowance + ?, reserved = reserved + ?, spent = spent + ? WHERE id = ?',
    );
    this.#record = database.prepare(
      'UPDATE accounts SET reserved = reserved + ?, usage = ?, free_at = ? WHERE id = ?',
    );
    this.#prune = database.prepare(
      `DELETE FROM accounts WHERE id IN (
         SELECT a.id FROM accounts a
         WHERE (a.window_ends_at < ? OR a.free_at < ?)
           AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.account_id = a.id)
         LIMIT ${PRUNE_BATCH})`,
    );
  }

  find(id: string): AccountRow | undefined {
    return this.#select.get(id);
  }

  findAll(ids: readonly string[]): readonly AccountRow[] {
    return this.#selectListed.all(JSON.stringify(ids));
  }

  findOrAdd(row: AccountRow): AccountRow {
    const found = this.#select.get(row.id);
    if (found !== undefined) return found;
    this.#insert.run(
      row.id,
      row.tenant_id,
      row.kind,
      row.unit,
      row.allowance,
      row.reserved,
      row.spent,
      row.window_ends_at,
      row.label,
      row.sliding_ms,
      row.usage,
      row.free_at,
    );
    return row;
  }

  /** Accounts of a tenant whose window has not ended at `now`. */
  list(tenantId: string, now: number): readonly AccountRow[] {
    return this.#selectTenant.all(tenantId, now);
  }

  adopt(row: AccountRow): void {
    const { allowance, window_ends_at, label, sliding_ms, free_at, id } = row;
    this.#adopt.run(allowance, window_ends_at, label, sliding_ms, free_at, id);
  }

  move(id: string, by: Partial<AccountNumbers>): void {
    this.#move.run(by.allowance ?? 0, by.reserved ?? 0, by.spent ?? 0, id);
  }

  record(
    id: string,
    reservedBy: number,
    usage: { readonly text: string; readonly freeAt: number },
  ): void {
    this.#record.run(reservedBy, usage.text, usage.freeAt, id);
  }

  /** One bounded batch; returns how many went. */
  prune(before: number): number {
    return this.#prune.run(before, before);
  }
}
