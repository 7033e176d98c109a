import { applyKeyChange } from '../directory-change.ts';
import { StoreError } from '../store-error.ts';
import type { ApiKey, KeyChange, KeyWithTenant } from '../store.ts';
import { formatTerms, parseKeyTerms } from '../terms-record.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';
import { boundPage, type Tenants } from './tenants.ts';

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

const COLUMNS =
  'id, tenant_id, name, hash, environment, hint, budget_nano, expires_at, revoked_at, terms, created_at';

/** Keys of tenants, by their hashes. Every change that a gateway may have cached becomes news. */
export class ApiKeys {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #tenants: Tenants;
  readonly #insert: Statement<never>;
  readonly #selectByHash: Statement<KeyRow>;
  readonly #select: Statement<KeyRow>;
  readonly #selectPage: Statement<KeyRow>;
  readonly #selectOfTenant: Statement<KeyRow>;
  readonly #update: Statement<never>;
  readonly #revoke: Statement<KeyRow>;

  constructor(database: Database, { changes, tenants }: { changes: Changes; tenants: Tenants }) {
    this.#database = database;
    this.#changes = changes;
    this.#tenants = tenants;
    this.#insert = database.prepare(
      `INSERT INTO api_keys (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#selectByHash = database.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE hash = ?`);
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE id = ?`);
    this.#selectPage = database.prepare(
      `SELECT ${COLUMNS} FROM api_keys WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#selectOfTenant = database.prepare(
      `SELECT ${COLUMNS} FROM api_keys WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    this.#update = database.prepare(
      'UPDATE api_keys SET name = ?, hash = ?, hint = ?, budget_nano = ?, expires_at = ?, terms = ? WHERE id = ?',
    );
    this.#revoke = database.prepare(
      `UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING ${COLUMNS}`,
    );
  }

  /** A gateway may remember that it did not know this key: that is what the change undoes. */
  create(key: ApiKey): void {
    this.#database.write(() => {
      if (this.#tenants.find(key.tenantId) === undefined) {
        throw new StoreError(
          'unknown_tenant',
          `tenant ${key.tenantId} does not exist: create it first`,
        );
      }
      if (this.#write(key) === 0)
        throw new StoreError('already_exists', `key ${key.id} or its hash exists`);
      this.#changes.append({ kind: 'key', id: key.hash });
    });
  }

  findByHash(hash: string): KeyWithTenant | undefined {
    const row = this.#selectByHash.get(hash);
    const tenant = row && this.#tenants.find(row.tenant_id);
    if (row === undefined || tenant === undefined) return undefined;
    return { key: toKey(row), tenant, ancestors: this.#tenants.ancestorsOf(tenant) };
  }

  find(id: string): ApiKey | undefined {
    const row = this.#select.get(id);
    return row && toKey(row);
  }

  change(id: string, change: KeyChange): ApiKey | undefined {
    return this.#database.write(() => {
      const before = this.find(id);
      if (before === undefined) return undefined;
      const key = applyKeyChange(before, change);
      const { name, hash, hint, budgetNano, expiresAt } = key;
      const terms = formatTerms(key.terms);
      this.#update.run(name, hash, hint, budgetNano ?? null, expiresAt ?? null, terms, id);
      for (const each of new Set([before.hash, hash])) {
        this.#changes.append({ kind: 'key', id: each });
      }
      return key;
    });
  }

  revoke(id: string, now: number): ApiKey | undefined {
    return this.#database.write(() => {
      const revoked = this.#revoke.get(now, id);
      if (revoked !== undefined) this.#changes.append({ kind: 'key', id: revoked.hash });
      const row = revoked ?? this.#select.get(id);
      return row && toKey(row);
    });
  }

  list(tenantId: string | undefined, cursor: string, limit: number): readonly ApiKey[] {
    const rows =
      tenantId === undefined
        ? this.#selectPage.all(cursor, boundPage(limit))
        : this.#selectOfTenant.all(tenantId, cursor, boundPage(limit));
    return rows.map(toKey);
  }

  #write(key: ApiKey): number {
    return this.#insert.run(
      key.id,
      key.tenantId,
      key.name,
      key.hash,
      key.environment,
      key.hint,
      key.budgetNano ?? null,
      key.expiresAt ?? null,
      key.revokedAt ?? null,
      formatTerms(key.terms),
      key.createdAt,
    );
  }
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
    terms: parseKeyTerms(row.terms),
    createdAt: row.created_at,
  };
}
