import { applyTenantChange } from '../directory-change.ts';
import { StoreError } from '../store-error.ts';
import { ANCESTORS_MAX, type Tenant, type TenantChange } from '../store.ts';
import { formatTerms, parseTenantTerms } from '../terms-record.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';

interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly plan_id: string;
  readonly terms: string;
  readonly created_at: number;
}

const COLUMNS = 'id, name, plan_id, terms, created_at';
const PAGE_MAX = 1000;

/** Tenants and the trees they form. Every change that a gateway may have cached becomes news. */
export class Tenants {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #insert: Statement<never>;
  readonly #select: Statement<TenantRow>;
  readonly #selectPage: Statement<TenantRow>;
  readonly #selectChildren: Statement<TenantRow>;
  readonly #update: Statement<never>;
  readonly #measureBelow: Statement<{ readonly height: number }>;

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
    this.#insert = database.prepare(
      'INSERT INTO tenants (id, name, plan_id, parent_id, terms, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM tenants WHERE id = ?`);
    this.#selectPage = database.prepare(
      `SELECT ${COLUMNS} FROM tenants WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#selectChildren = database.prepare(
      `SELECT ${COLUMNS} FROM tenants WHERE parent_id = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    this.#update = database.prepare(
      'UPDATE tenants SET name = ?, plan_id = ?, parent_id = ?, terms = ? WHERE id = ?',
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
      const { id, name, planId, terms, createdAt } = tenant;
      this.#checkParent(id, terms.parentId);
      const parentId = terms.parentId ?? null;
      if (this.#insert.run(id, name, planId, parentId, formatTerms(terms), createdAt) === 1) return;
      throw new StoreError('already_exists', `tenant ${id} exists`);
    });
  }

  change(id: string, change: TenantChange): Tenant | undefined {
    return this.#database.write(() => {
      const before = this.find(id);
      if (before === undefined) return undefined;
      const tenant = applyTenantChange(before, change);
      const { parentId } = tenant.terms;
      if (parentId !== before.terms.parentId) this.#checkParent(id, parentId);
      this.#update.run(tenant.name, tenant.planId, parentId ?? null, formatTerms(tenant.terms), id);
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

  /** Where a parent is written is where a circle would begin: no reader need look for one. */
  #checkParent(id: string, parentId: string | undefined): void {
    if (parentId === undefined) return;
    const parent = this.find(parentId);
    if (parent === undefined && parentId !== id) {
      throw new StoreError('unknown_tenant', `tenant ${parentId} does not exist: create it first`);
    }
    const above = parent === undefined ? [] : [parent, ...this.ancestorsOf(parent)];
    if (parentId === id || above.some((each) => each.id === id)) {
      throw new StoreError(
        'invalid_change',
        `tenant ${parentId} is tenant ${id} or below it: a tenant cannot be above itself, so choose a parent outside`,
      );
    }
    const below = this.#measureBelow.get(id)?.height ?? 0;
    if (above.length + below > ANCESTORS_MAX) {
      throw new StoreError(
        'invalid_change',
        `a tenant would have ${above.length + below} others above it, and may have ${ANCESTORS_MAX}: choose a parent nearer to the top`,
      );
    }
  }
}

/** Rows a page may have at most, whatever is asked for. */
export function boundPage(limit: number): number {
  return Math.max(0, Math.min(limit, PAGE_MAX));
}

function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    name: row.name,
    planId: row.plan_id,
    terms: parseTenantTerms(row.terms),
    createdAt: row.created_at,
  };
}
