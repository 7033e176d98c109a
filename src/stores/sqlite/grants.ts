import { toGrant } from '../ledger/grants.ts';
import type { GrantRow, GrantTable } from '../ledger/tables.ts';
import type { Grant } from '../store.ts';
import type { Database, Statement } from './database.ts';

const COLUMNS =
  'id, tenant_id, asset, amount, category, priority, effective_at, expires_at, source, state, remaining, consumed, expired, created_at, fingerprint';

/** The grants table. Runs inside its caller's transaction. */
export class SqliteGrants implements GrantTable {
  readonly #insert: Statement<never>;
  readonly #selectByKey: Statement<GrantRow>;
  readonly #selectTenant: Statement<GrantRow>;
  readonly #selectOpen: Statement<GrantRow>;
  readonly #update: Statement<never>;

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO grants (${COLUMNS}, idempotency_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#selectByKey = database.prepare(`SELECT ${COLUMNS} FROM grants WHERE idempotency_key = ?`);
    this.#selectTenant = database.prepare(
      `SELECT ${COLUMNS} FROM grants WHERE tenant_id = ? ORDER BY id`,
    );
    this.#selectOpen = database.prepare(
      `SELECT ${COLUMNS} FROM grants WHERE tenant_id = ? AND asset = ? AND state IN ('pending', 'active')`,
    );
    this.#update = database.prepare(
      'UPDATE grants SET state = ?, remaining = ?, consumed = ?, expired = ? WHERE id = ?',
    );
  }

  findByKey(idempotencyKey: string): GrantRow | undefined {
    return this.#selectByKey.get(idempotencyKey);
  }

  open(tenantId: string, asset: string): readonly GrantRow[] {
    return this.#selectOpen.all(tenantId, asset);
  }

  list(tenantId: string): readonly Grant[] {
    return this.#selectTenant.all(tenantId).map(toGrant);
  }

  add(grant: GrantRow, idempotencyKey: string): void {
    this.#insert.run(
      grant.id,
      grant.tenant_id,
      grant.asset,
      grant.amount,
      grant.category,
      grant.priority,
      grant.effective_at,
      grant.expires_at,
      grant.source,
      grant.state,
      grant.remaining,
      grant.consumed,
      grant.expired,
      grant.created_at,
      grant.fingerprint,
      idempotencyKey,
    );
  }

  save({ state, remaining, consumed, expired, id }: GrantRow): void {
    this.#update.run(state, remaining, consumed, expired, id);
  }
}
