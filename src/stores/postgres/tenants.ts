import { applyTenantChange } from '../directory-change.ts';
import {
  boundPage,
  TENANT_COLUMNS,
  type TenantRow,
  tenantValues,
  toTenant,
} from '../directory-rows.ts';
import { ANCESTORS_MAX, type Tenant, type TenantChange } from '../store.ts';
import { assertMayBeBelow, assertMayPool, tenantExists } from '../tenant-tree.ts';
import { appendChanges, lockNews } from './changes.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const SELECT = new Statement<TenantRow>(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = $1`);
const SELECT_PAGE = new Statement<TenantRow>(
  `SELECT ${TENANT_COLUMNS} FROM tenants WHERE id > $1 ORDER BY id LIMIT $2`,
);
const SELECT_CHILDREN = new Statement<TenantRow>(
  `SELECT ${TENANT_COLUMNS} FROM tenants WHERE parent_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
);
const UPWARDS = new Statement<TenantRow>(
  `WITH RECURSIVE above (id, parent_id, depth) AS (
     SELECT id, parent_id, 0 FROM tenants WHERE id = $1
     UNION ALL
     SELECT t.id, t.parent_id, above.depth + 1 FROM tenants t JOIN above ON t.id = above.parent_id
     WHERE above.depth < ${ANCESTORS_MAX})
   SELECT t.id, t.name, t.plan_id, t.terms, t.created_at
   FROM above JOIN tenants t ON t.id = above.id ORDER BY above.depth`,
);
const MEASURE_BELOW = new Statement<{ readonly height: number | null }>(
  `WITH RECURSIVE below (id, depth) AS (
     SELECT id, 0 FROM tenants WHERE id = $1
     UNION ALL
     SELECT t.id, below.depth + 1 FROM tenants t JOIN below ON t.parent_id = below.id
     WHERE below.depth <= ${ANCESTORS_MAX})
   SELECT MAX(depth) AS height FROM below`,
);
const ADD = new Statement<{ readonly id: string }>(
  `INSERT INTO tenants (${TENANT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
   ON CONFLICT DO NOTHING RETURNING id`,
);
const SAVE = new Statement<never>(
  `UPDATE tenants SET (${TENANT_COLUMNS}) = ($1, $2, $3, $4, $5, $6) WHERE id = $1`,
);

/** Tenants and the trees they form. Whoever changes one has the lock of the news, so that trees stand still meanwhile. */
export class Tenants {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  create(tenant: Tenant): Promise<void> {
    return this.#database.write(async (transaction) => {
      await lockNews(transaction);
      await assertPlace(transaction, tenant.id, tenant.terms.parentId);
      const added = await transaction.query(ADD, ...tenantValues(tenant));
      if (added.length === 0) throw tenantExists(tenant.id);
    });
  }

  change(id: string, change: TenantChange): Promise<Tenant | undefined> {
    return this.#database.write(async (transaction) => {
      await lockNews(transaction);
      const before = await readTenant(transaction, id);
      if (before === undefined) return undefined;
      const tenant = applyTenantChange(before, change);
      if (change.terms !== undefined) assertMayPool(tenant);
      const { parentId } = tenant.terms;
      if (parentId !== before.terms.parentId) await assertPlace(transaction, id, parentId);
      transaction.send(SAVE, ...tenantValues(tenant));
      appendChanges(transaction, [{ kind: 'tenant', id }]);
      return tenant;
    });
  }

  async find(id: string): Promise<Tenant | undefined> {
    const [row] = await this.#database.query(SELECT, id);
    return row && toTenant(row);
  }

  async list(cursor: string, limit: number, parentId?: string): Promise<readonly Tenant[]> {
    const rows =
      parentId === undefined
        ? await this.#database.query(SELECT_PAGE, cursor, boundPage(limit))
        : await this.#database.query(SELECT_CHILDREN, parentId, cursor, boundPage(limit));
    return rows.map(toTenant);
  }
}

export async function readTenant(
  transaction: Transaction,
  id: string,
): Promise<Tenant | undefined> {
  const [row] = await transaction.query(SELECT, id);
  return row && toTenant(row);
}

/** The tenant itself, its parent, and so on up. */
export async function readUpwards(
  transaction: Transaction,
  id: string,
): Promise<readonly Tenant[]> {
  const rows = await transaction.query(UPWARDS, id);
  return rows.map(toTenant);
}

async function assertPlace(
  transaction: Transaction,
  id: string,
  parentId: string | undefined,
): Promise<void> {
  if (parentId === undefined) return;
  const [above, [below]] = await Promise.all([
    readUpwards(transaction, parentId),
    transaction.query(MEASURE_BELOW, id),
  ]);
  assertMayBeBelow(id, parentId, { above, below: below?.height ?? 0 });
}
