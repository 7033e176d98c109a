import type { WriteOffRow, WriteOffSlice, WriteOffTable } from '../ledger/tables.ts';
import type { Database, Statement } from './database.ts';

/** The tables of owners written off and their slices. Runs inside its caller's transaction. */
export class SqliteWriteOffs implements WriteOffTable {
  readonly #select: Statement<WriteOffRow>;
  readonly #selectSlices: Statement<WriteOffSlice>;
  readonly #save: Statement<never>;
  readonly #saveSlice: Statement<never>;

  constructor(database: Database) {
    this.#select = database.prepare('SELECT owner, at, read_at FROM write_offs WHERE owner = ?');
    this.#selectSlices = database.prepare(
      `SELECT owner, idx, tenant_id, kind, unit, amount, charged FROM write_off_slices
       WHERE owner = ? ORDER BY idx`,
    );
    this.#save = database.prepare(
      `INSERT INTO write_offs (owner, at, read_at) VALUES (?, ?, ?)
       ON CONFLICT (owner) DO UPDATE SET read_at = excluded.read_at`,
    );
    this.#saveSlice = database.prepare(
      `INSERT INTO write_off_slices (owner, idx, tenant_id, kind, unit, amount, charged)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, idx) DO UPDATE SET charged = excluded.charged`,
    );
  }

  find(owner: string): WriteOffRow | undefined {
    return this.#select.get(owner);
  }

  slices(owner: string): readonly WriteOffSlice[] {
    return this.#selectSlices.all(owner);
  }

  save({ owner, at, read_at }: WriteOffRow, slices: readonly WriteOffSlice[]): void {
    this.#save.run(owner, at, read_at);
    for (const { idx, tenant_id, kind, unit, amount, charged } of slices) {
      this.#saveSlice.run(owner, idx, tenant_id, kind, unit, amount, charged);
    }
  }
}
