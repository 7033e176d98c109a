import type { LeaseRow, LeaseTable, RivalRow } from '../ledger/tables.ts';
import type { Database, Statement } from './database.ts';

/** The leases table. Runs inside its caller's transaction. */
export class SqliteLeases implements LeaseTable {
  readonly #select: Statement<LeaseRow>;
  readonly #selectListed: Statement<LeaseRow>;
  readonly #selectOwned: Statement<LeaseRow>;
  readonly #selectRivals: Statement<RivalRow>;
  readonly #selectRecalled: Statement<{ readonly idx: number }>;
  readonly #insert: Statement<never>;
  readonly #update: Statement<never>;
  readonly #setRecalled: Statement<never>;
  readonly #remove: Statement<never>;

  constructor(database: Database) {
    const columns = 'owner, idx, account_id, granted, settled';
    this.#select = database.prepare(`SELECT ${columns} FROM leases WHERE owner = ? AND idx = ?`);
    this.#selectListed = database.prepare(
      `SELECT ${columns} FROM leases WHERE owner = ? AND idx IN (SELECT value FROM json_each(?))`,
    );
    this.#selectOwned = database.prepare(
      `SELECT ${columns} FROM leases WHERE owner = ? ORDER BY idx`,
    );
    this.#selectRivals = database.prepare(
      `SELECT l.owner, l.idx, l.granted - l.settled AS unsettled, l.recalled, o.seen_at
       FROM leases l JOIN owners o ON o.id = l.owner
       WHERE l.account_id = ? AND l.granted > l.settled`,
    );
    this.#selectRecalled = database.prepare(
      'SELECT idx FROM leases WHERE owner = ? AND recalled = 1 ORDER BY idx',
    );
    this.#insert = database.prepare(
      'INSERT INTO leases (owner, idx, account_id, granted, settled, recalled) VALUES (?, ?, ?, 0, 0, 0)',
    );
    this.#update = database.prepare(
      'UPDATE leases SET granted = ?, settled = ? WHERE owner = ? AND idx = ?',
    );
    this.#setRecalled = database.prepare(
      'UPDATE leases SET recalled = ? WHERE owner = ? AND idx = ?',
    );
    this.#remove = database.prepare('DELETE FROM leases WHERE owner = ? AND idx = ?');
  }

  find(owner: string, idx: number): LeaseRow | undefined {
    return this.#select.get(owner, idx);
  }

  findAll(owner: string, indexes: readonly number[]): readonly LeaseRow[] {
    return this.#selectListed.all(owner, JSON.stringify(indexes));
  }

  owned(owner: string): readonly LeaseRow[] {
    return this.#selectOwned.all(owner);
  }

  rivals(accountId: string): readonly RivalRow[] {
    return this.#selectRivals.all(accountId);
  }

  recalled(owner: string): readonly number[] {
    return this.#selectRecalled.all(owner).map(({ idx }) => idx);
  }

  add({ owner, idx, account_id }: Pick<LeaseRow, 'owner' | 'idx' | 'account_id'>): void {
    this.#insert.run(owner, idx, account_id);
  }

  save({ granted, settled, owner, idx }: LeaseRow): void {
    this.#update.run(granted, settled, owner, idx);
  }

  setRecalled(owner: string, idx: number, recalled: 0 | 1): void {
    this.#setRecalled.run(recalled, owner, idx);
  }

  remove(owner: string, idx: number): void {
    this.#remove.run(owner, idx);
  }
}
