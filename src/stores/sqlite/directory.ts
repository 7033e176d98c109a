import { type KeyTerms, PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import { StoreError } from '../store-error.ts';
import { ANCESTORS_MAX, type ApiKey, type KeyWithTenant, type Tenant } from '../store.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';

interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly plan_id: string;
  readonly terms: string;
  readonly created_at: number;
}
interface KeyRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string;
  readonly hash: string;
  readonly environment: 'live' | 'test';
  readonly hint: string;
  readonly budget_nano: number | null;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly terms: string;
  readonly created_at: number;
}

const TENANT_COLUMNS = 'id, name, plan_id, terms, created_at';
const KEY_COLUMNS =
  'id, tenant_id, name, hash, environment, hint, budget_nano, expires_at, revoked_at, terms, created_at';
const PAGE_MAX = 1000;

/** Tenants and their keys. Every change that a gateway may have cached becomes news. */
export class Directory {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #insertTenant: Statement<never>;
  readonly #selectTenant: Statement<TenantRow>;
  readonly #selectTenants: Statement<TenantRow>;
  readonly #updatePlan: Statement<TenantRow>;
  readonly #updateTerms: Statement<TenantRow>;
  readonly #insertKey: Statement<never>;
  readonly #selectKeyByHash: Statement<KeyRow>;
  readonly #selectKey: Statement<KeyRow>;
  readonly #selectKeys: Statement<KeyRow>;
  readonly #selectTenantKeys: Statement<KeyRow>;
  readonly #updateKeyTerms: Statement<KeyRow>;
  readonly #revoke: Statement<KeyRow>;

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
    this.#insertTenant = database.prepare(
      `INSERT INTO tenants (${TENANT_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#selectTenant = database.prepare(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = ?`);
    this.#selectTenants = database.prepare(
      `SELECT ${TENANT_COLUMNS} FROM tenants WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#updatePlan = database.prepare(
      `UPDATE tenants SET plan_id = ? WHERE id = ? RETURNING ${TENANT_COLUMNS}`,
    );
    this.#updateTerms = database.prepare(
      `UPDATE tenants SET terms = ? WHERE id = ? RETURNING ${TENANT_COLUMNS}`,
    );
    this.#insertKey = database.prepare(
      `INSERT INTO api_keys (${KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#selectKeyByHash = database.prepare(`SELECT ${KEY_COLUMNS} FROM api_keys WHERE hash = ?`);
    this.#selectKey = database.prepare(`SELECT ${KEY_COLUMNS} FROM api_keys WHERE id = ?`);
    this.#selectKeys = database.prepare(
      `SELECT ${KEY_COLUMNS} FROM api_keys WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#selectTenantKeys = database.prepare(
      `SELECT ${KEY_COLUMNS} FROM api_keys WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    this.#updateKeyTerms = database.prepare(
      `UPDATE api_keys SET terms = ? WHERE id = ? RETURNING ${KEY_COLUMNS}`,
    );
    this.#revoke = database.prepare(
      `UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING ${KEY_COLUMNS}`,
    );
  }

  createTenant(tenant: Tenant): void {
    this.#database.write(() => {
      const { id, name, planId, terms, createdAt } = tenant;
      if (this.#insertTenant.run(id, name, planId, JSON.stringify(terms), createdAt) === 1) return;
      throw new StoreError('already_exists', `tenant ${id} exists`);
    });
  }

  setPlan(tenantId: string, planId: string): Tenant | undefined {
    return this.#database.write(() => {
      const row = this.#updatePlan.get(planId, tenantId);
      if (row !== undefined) this.#changes.append({ kind: 'tenant', id: tenantId });
      return row && toTenant(row);
    });
  }

  setTenantTerms(tenantId: string, terms: TenantTerms): Tenant | undefined {
    return this.#database.write(() => {
      const row = this.#updateTerms.get(JSON.stringify(terms), tenantId);
      if (row !== undefined) this.#changes.append({ kind: 'tenant', id: tenantId });
      return row && toTenant(row);
    });
  }

  tenant(id: string): Tenant | undefined {
    const row = this.#selectTenant.get(id);
    return row && toTenant(row);
  }

  tenants(cursor: string, limit: number): readonly Tenant[] {
    return this.#selectTenants.all(cursor, pageOf(limit)).map(toTenant);
  }

  /** A gateway may remember that it did not know this key: that is what the change undoes. */
  createKey(key: ApiKey): void {
    this.#database.write(() => {
      if (this.#selectTenant.get(key.tenantId) === undefined) {
        throw new StoreError(
          'unknown_tenant',
          `tenant ${key.tenantId} does not exist: create it first`,
        );
      }
      if (this.#writeKey(key) === 0)
        throw new StoreError('already_exists', `key ${key.id} or its hash exists`);
      this.#changes.append({ kind: 'key', id: key.hash });
    });
  }

  findKey(hash: string): KeyWithTenant | undefined {
    const row = this.#selectKeyByHash.get(hash);
    const tenant = row && this.#selectTenant.get(row.tenant_id);
    if (row === undefined || tenant === undefined) return undefined;
    const found = toTenant(tenant);
    return { key: toKey(row), tenant: found, ancestors: this.#ancestorsOf(found) };
  }

  setKeyTerms(keyId: string, terms: KeyTerms): ApiKey | undefined {
    return this.#database.write(() => {
      const row = this.#updateKeyTerms.get(JSON.stringify(terms), keyId);
      if (row !== undefined) this.#changes.append({ kind: 'key', id: row.hash });
      return row && toKey(row);
    });
  }

  revokeKey(id: string, now: number): ApiKey | undefined {
    return this.#database.write(() => {
      const revoked = this.#revoke.get(now, id);
      if (revoked !== undefined) this.#changes.append({ kind: 'key', id: revoked.hash });
      const row = revoked ?? this.#selectKey.get(id);
      return row && toKey(row);
    });
  }

  keys(tenantId: string | undefined, cursor: string, limit: number): readonly ApiKey[] {
    const rows =
      tenantId === undefined
        ? this.#selectKeys.all(cursor, pageOf(limit))
        : this.#selectTenantKeys.all(tenantId, cursor, pageOf(limit));
    return rows.map(toKey);
  }

  /** Bounded, so that a circle of parents ends too. */
  #ancestorsOf(tenant: Tenant): readonly Tenant[] {
    const ancestors: Tenant[] = [];
    let { parentId } = tenant.terms;
    while (parentId !== undefined && ancestors.length < ANCESTORS_MAX) {
      const parent = this.tenant(parentId);
      if (parent === undefined) break;
      ancestors.push(parent);
      ({ parentId } = parent.terms);
    }
    return ancestors;
  }

  #writeKey(key: ApiKey): number {
    return this.#insertKey.run(
      key.id,
      key.tenantId,
      key.name,
      key.hash,
      key.environment,
      key.hint,
      key.budgetNano ?? null,
      key.expiresAt ?? null,
      key.revokedAt ?? null,
      JSON.stringify(key.terms),
      key.createdAt,
    );
  }
}

function pageOf(limit: number): number {
  return Math.max(0, Math.min(limit, PAGE_MAX));
}

function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    name: row.name,
    planId: row.plan_id,
    // Members a later version added are missing in rows of an earlier one.
    terms: { ...PLAIN_TERMS, ...(JSON.parse(row.terms) as Partial<TenantTerms>) },
    createdAt: row.created_at,
  };
}

function toKey(row: KeyRow): ApiKey {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    hash: row.hash,
    environment: row.environment,
    hint: row.hint,
    budgetNano: row.budget_nano ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    terms: { ...PLAIN_KEY_TERMS, ...(JSON.parse(row.terms) as Partial<KeyTerms>) },
    createdAt: row.created_at,
  };
}
