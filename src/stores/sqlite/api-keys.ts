import { applyKeyChange } from '../directory-change.ts';
import { boundPage, KEY_COLUMNS, type KeyRow, keyValues, toKey } from '../directory-rows.ts';
import type { ApiKey, KeyChange, KeyWithTenant } from '../store.ts';
import { keyExists, unknownTenant } from '../tenant-tree.ts';
import type { SqliteChanges } from './changes.ts';
import type { Database, Statement } from './database.ts';
import type { Tenants } from './tenants.ts';

/** Keys of tenants, by their hashes. Every change that a gateway may have cached becomes news. */
export class ApiKeys {
  readonly #database: Database;
  readonly #changes: SqliteChanges;
  readonly #tenants: Tenants;
  readonly #insert: Statement<never>;
  readonly #selectByHash: Statement<KeyRow>;
  readonly #select: Statement<KeyRow>;
  readonly #selectPage: Statement<KeyRow>;
  readonly #selectOfTenant: Statement<KeyRow>;
  readonly #update: Statement<never>;
  readonly #revoke: Statement<KeyRow>;

  constructor(
    database: Database,
    { changes, tenants }: { changes: SqliteChanges; tenants: Tenants },
  ) {
    this.#database = database;
    this.#changes = changes;
    this.#tenants = tenants;
    this.#insert = database.prepare(
      `INSERT INTO api_keys (${KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#selectByHash = database.prepare(`SELECT ${KEY_COLUMNS} FROM api_keys WHERE hash = ?`);
    this.#select = database.prepare(`SELECT ${KEY_COLUMNS} FROM api_keys WHERE id = ?`);
    this.#selectPage = database.prepare(
      `SELECT ${KEY_COLUMNS} FROM api_keys WHERE id > ? ORDER BY id LIMIT ?`,
    );
    this.#selectOfTenant = database.prepare(
      `SELECT ${KEY_COLUMNS} FROM api_keys WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?`,
    );
    this.#update = database.prepare(
      `UPDATE api_keys SET (${KEY_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?`,
    );
    this.#revoke = database.prepare(
      `UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING ${KEY_COLUMNS}`,
    );
  }

  /** A gateway may remember that it did not know this key: that is what the change undoes. */
  create(key: ApiKey): void {
    this.#database.write(() => {
      if (this.#tenants.find(key.tenantId) === undefined) throw unknownTenant(key.tenantId);
      if (this.#insert.run(...keyValues(key)) === 0) throw keyExists(key.id);
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
      this.#update.run(...keyValues(key), id);
      for (const each of new Set([before.hash, key.hash])) {
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
}
