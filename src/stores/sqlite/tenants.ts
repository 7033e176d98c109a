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
import type { SqliteChanges } from './changes.ts';
import type { Database, Statement } from './database.ts';

/** Tenants and the trees they form. Every change that a gateway may have cached becomes news. */
export class Tenants {
  readonly #database: Database;
  readonly #changes: SqliteChanges;
  readonly #insert: Statement<never>;
  readonly #select: Statement<TenantRow>;
  readonly #selectPage: Statement<TenantRow>;
  readonly #selectChildren: Statement<TenantRow>;
  readonly #update: Statement<never>;
  readonly #measureBelow: Statement<{ readonly height: number }>;

  constructor(database: Database, changes: SqliteChanges) {
    this.#database = database;
    this.#changes = changes;
    this.#insert = database.prepare(
      `INSERT INTO tenants (${TENANT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#select = database.prepare(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = ?`);
    this.#selectPage = database.prepare(
      `SELECT ${TENANT_COLUMNS} FROM tenants WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#selectChildren = database.prepare(
      `SELECT ${TENANT_COLUMNS} FROM tenants WHERE parent_id = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    this.#update = database.prepare(
      `UPDATE tenants SET (${TENANT_COLUMNS}) = (?, ?, ?, ?, ?, ?) WHERE id = ?`,
    );
    this.#measureBelow = database.prepare(
      `WITH RECURSIVE below (id, depth) AS (
         SELECT id, 0 FROM tenants WHERE id = ?
         UNION ALL
         SELECT tenants.id, depth + 1 FROM tenants JOIN below ON tenants.parent_id = below.id
         WHERE depth <= ${ANCESTORS_MAX})
       SELECT MAX(depth) AS height FROM below`,
    );
  }

  create(tenant: Tenant): void {
    this.#database.write(() => {
      this.#checkParent(tenant.id, tenant.terms.parentId);
      if (this.#insert.run(...tenantValues(tenant)) === 0) throw tenantExists(tenant.id);
    });
  }

  change(id: string, change: TenantChange): Tenant | undefined {
    return this.#database.write(() => {
      const before = this.find(id);
      if (before === undefined) return undefined;
      const tenant = applyTenantChange(before, change);
      if (change.terms !== undefined) assertMayPool(tenant);
      const { parentId } = tenant.terms;
      if (parentId !== before.terms.parentId) this.#checkParent(id, parentId);
      this.#update.run(...tenantValues(tenant), id);
      this.#changes.append({ kind: 'tenant', id });
      return tenant;
    });
  }

  find(id: string): Tenant | undefined {
    const row = this.#select.get(id);
    return row && toTenant(row);
  }

  list(cursor: string, limit: number, parentId?: string): readonly Tenant[] {
    const rows =
      parentId === undefined
        ? this.#selectPage.all(cursor, boundPage(limit))
        : this.#selectChildren.all(parentId, cursor, boundPage(limit));
    return rows.map(toTenant);
  }

  /** Nearest first. */
  ancestorsOf(tenant: Tenant): readonly Tenant[] {
    const ancestors: Tenant[] = [];
    let { parentId } = tenant.terms;
    while (parentId !== undefined && ancestors.length < ANCESTORS_MAX) {
      const parent = this.find(parentId);
      if (parent === undefined) break;
      ancestors.push(parent);
      ({ parentId } = parent.terms);
    }
    return ancestors;
  }

  #checkParent(id: string, parentId: string | undefined): void {
    if (parentId === undefined) return;
    const parent = this.find(parentId);
    const above = parent === undefined ? [] : [parent, ...this.ancestorsOf(parent)];
    const below = this.#measureBelow.get(id)?.height ?? 0;
    assertMayBeBelow(id, parentId, { above, below });
  }
}
