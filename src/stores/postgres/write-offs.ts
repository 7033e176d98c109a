import type { WriteOffRow, WriteOffSlice, WriteOffTable } from '../ledger/tables.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const SELECT = new Statement<WriteOffRow>(
  'SELECT owner, at, read_at FROM write_offs WHERE owner = $1',
);
const SELECT_SLICES = new Statement<WriteOffSlice>(
  `SELECT owner, idx, tenant_id, kind, unit, amount, charged FROM write_off_slices
   WHERE owner = $1 ORDER BY idx`,
);
const SAVE = new Statement<never>(
  `INSERT INTO write_offs (owner, at, read_at) VALUES ($1, $2, $3)
   ON CONFLICT (owner) DO UPDATE SET read_at = excluded.read_at`,
);
const SAVE_SLICES = new Statement<never>(
  `INSERT INTO write_off_slices (owner, idx, tenant_id, kind, unit, amount, charged)
   SELECT $1::text, slices.* FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
     AS slices (idx, tenant_id, kind, unit, amount, charged)
   ON CONFLICT (owner, idx) DO UPDATE SET charged = excluded.charged`,
);

/** What a transaction knows of the one owner it is about, whose lock it has. */
export class PostgresWriteOffs implements WriteOffTable {
  #row: WriteOffRow | undefined;
  #slices: readonly WriteOffSlice[] = [];
  #isChanged = false;

  async load(transaction: Transaction, owner: string): Promise<void> {
    const [rows, slices] = await Promise.all([
      transaction.query(SELECT, owner),
      transaction.query(SELECT_SLICES, owner),
    ]);
    [this.#row] = rows;
    this.#slices = slices;
  }

  find(owner: string): WriteOffRow | undefined {
    return this.#row?.owner === owner ? this.#row : undefined;
  }

  slices(owner: string): readonly WriteOffSlice[] {
    return this.#row?.owner === owner ? this.#slices : [];
  }

  save(row: WriteOffRow, slices: readonly WriteOffSlice[]): void {
    this.#row = row;
    this.#slices = slices;
    this.#isChanged = true;
  }

  flush(transaction: Transaction): void {
    if (this.#row === undefined || !this.#isChanged) return;
    const { owner, at, read_at } = this.#row;
    transaction.send(SAVE, owner, at, read_at);
    if (this.#slices.length > 0) transaction.send(SAVE_SLICES, owner, ...columnsOf(this.#slices));
  }
}

export async function findWriteOff(
  database: Database,
  owner: string,
): Promise<WriteOffRow | undefined> {
  const [row] = await database.query(SELECT, owner);
  return row;
}

function columnsOf(slices: readonly WriteOffSlice[]) {
  return [
    slices.map(({ idx }) => idx),
    slices.map(({ tenant_id }) => tenant_id),
    slices.map(({ kind }) => kind),
    slices.map(({ unit }) => unit),
    slices.map(({ amount }) => amount),
    slices.map(({ charged }) => charged),
  ] as const;
}
