import { toGrant } from '../ledger/grants.ts';
import type { GrantRow, GrantTable } from '../ledger/tables.ts';
import type { Grant } from '../store.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const COLUMNS =
  'id, tenant_id, asset, amount, category, priority, effective_at, expires_at, source, state, remaining, consumed, expired, created_at, fingerprint';
const OPEN = new Statement<GrantRow>(
  `SELECT ${COLUMNS} FROM grants
   WHERE state IN ('pending', 'active') AND (tenant_id, asset) IN (
     SELECT a.tenant_id, a.unit FROM accounts a WHERE a.id = ANY($1::text[]))`,
);
const BY_KEY = new Statement<GrantRow>(`SELECT ${COLUMNS} FROM grants WHERE idempotency_key = $1`);
const OF_TENANT = new Statement<GrantRow>(
  `SELECT ${COLUMNS} FROM grants WHERE tenant_id = $1 ORDER BY id`,
);
const ADD = new Statement<never>(
  `INSERT INTO grants (${COLUMNS}, idempotency_key)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
);
const SAVE = new Statement<never>(
  `UPDATE grants SET state = changed.state, remaining = changed.remaining,
     consumed = changed.consumed, expired = changed.expired
   FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
     AS changed (id, state, remaining, consumed, expired)
   WHERE grants.id = changed.id`,
);

/** Grants of accounts that a transaction has locked. */
export class PostgresGrants implements GrantTable {
  readonly #rows = new Map<string, GrantRow>();
  readonly #changed = new Set<string>();
  /** By its idempotency key. */
  readonly #byKey = new Map<string, string>();
  readonly #added = new Map<string, string>();

  /** Those of which something remains, of the balances of these ids. */
  async loadOpen(transaction: Transaction, accountIds: readonly string[]): Promise<void> {
    if (accountIds.length === 0) return;
    for (const row of await transaction.query(OPEN, accountIds)) this.#rows.set(row.id, row);
  }

  async loadByKey(transaction: Transaction, idempotencyKey: string): Promise<void> {
    const [row] = await transaction.query(BY_KEY, idempotencyKey);
    if (row === undefined) return;
    this.#rows.set(row.id, row);
    this.#byKey.set(idempotencyKey, row.id);
  }

  findByKey(idempotencyKey: string): GrantRow | undefined {
    return this.#rows.get(this.#byKey.get(idempotencyKey) ?? '');
  }

  open(tenantId: string, asset: string): readonly GrantRow[] {
    return [...this.#rows.values()].filter(
      (row) => row.tenant_id === tenantId && row.asset === asset && row.state !== 'done',
    );
  }

  add(grant: GrantRow, idempotencyKey: string): void {
    this.#rows.set(grant.id, grant);
    this.#byKey.set(idempotencyKey, grant.id);
    this.#added.set(grant.id, idempotencyKey);
  }

  save(grant: GrantRow): void {
    this.#rows.set(grant.id, grant);
    this.#changed.add(grant.id);
  }

  flush(transaction: Transaction): void {
    const changed: GrantRow[] = [];
    for (const row of this.#rows.values()) {
      const idempotencyKey = this.#added.get(row.id);
      if (idempotencyKey !== undefined) transaction.send(ADD, ...valuesOf(row), idempotencyKey);
      else if (this.#changed.has(row.id)) changed.push(row);
    }
    if (changed.length > 0) transaction.send(SAVE, ...columnsOf(changed));
  }
}

export async function listGrants(database: Database, tenantId: string): Promise<readonly Grant[]> {
  const grants = await database.query(OF_TENANT, tenantId);
  return grants.map(toGrant);
}

function valuesOf(row: GrantRow) {
  return [
    row.id,
    row.tenant_id,
    row.asset,
    row.amount,
    row.category,
    row.priority,
    row.effective_at,
    row.expires_at,
    row.source,
    row.state,
    row.remaining,
    row.consumed,
    row.expired,
    row.created_at,
    row.fingerprint,
  ];
}

function columnsOf(rows: readonly GrantRow[]) {
  return [
    rows.map(({ id }) => id),
    rows.map(({ state }) => state),
    rows.map(({ remaining }) => remaining),
    rows.map(({ consumed }) => consumed),
    rows.map(({ expired }) => expired),
  ];
}
