import { applyKeyChange } from '../directory-change.ts';
import { boundPage, KEY_COLUMNS, type KeyRow, keyValues, toKey } from '../directory-rows.ts';
import type { ApiKey, KeyChange, KeyWithTenant } from '../store.ts';
import { keyExists, unknownTenant } from '../tenant-tree.ts';
import { appendChanges, lockNews } from './changes.ts';
import type { Database } from './database.ts';
import { Statement } from './statement.ts';
import { readTenant, readUpwards } from './tenants.ts';

const SELECT = new Statement<KeyRow>(`SELECT ${KEY_COLUMNS} FROM api_keys WHERE id = $1`);
const SELECT_BY_HASH = new Statement<KeyRow>(`SELECT ${KEY_COLUMNS} FROM api_keys WHERE hash = $1`);
const SELECT_PAGE = new Statement<KeyRow>(
  `SELECT ${KEY_COLUMNS} FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2`,
);
const SELECT_OF_TENANT = new Statement<KeyRow>(
  `SELECT ${KEY_COLUMNS} FROM api_keys WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
);
const ADD = new Statement<{ readonly id: string }>(
  `INSERT INTO api_keys (${KEY_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
   ON CONFLICT DO NOTHING RETURNING id`,
);
const SAVE = new Statement<never>(
  `UPDATE api_keys SET (${KEY_COLUMNS}) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) WHERE id = $1`,
);

/** Keys of tenants, by their hashes. Whoever changes one has the lock of the news, and some to tell. */
export class ApiKeys {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A gateway may remember that it did not know this key: that is what the change undoes. */
  create(key: ApiKey): Promise<void> {
    return this.#database.write(async (transaction) => {
      await lockNews(transaction);
      const tenant = await readTenant(transaction, key.tenantId);
      if (tenant === undefined) throw unknownTenant(key.tenantId);
      const added = await transaction.query(ADD, ...keyValues(key));
      if (added.length === 0) throw keyExists(key.id);
      appendChanges(transaction, [{ kind: 'key', id: key.hash }]);
    });
  }

  findByHash(hash: string): Promise<KeyWithTenant | undefined> {
    return this.#database.read(async (transaction) => {
      const [row] = await transaction.query(SELECT_BY_HASH, hash);
      if (row === undefined) return undefined;
      const [tenant, ...ancestors] = await readUpwards(transaction, row.tenant_id);
      return tenant && { key: toKey(row), tenant, ancestors };
    });
  }

  async find(id: string): Promise<ApiKey | undefined> {
    const [row] = await this.#database.query(SELECT, id);
    return row && toKey(row);
  }

  change(id: string, change: KeyChange): Promise<ApiKey | undefined> {
    return this.#update(id, (key) => applyKeyChange(key, change));
  }

  revoke(id: string, now: number): Promise<ApiKey | undefined> {
    return this.#update(id, (key) =>
      key.revokedAt === undefined ? { ...key, revokedAt: now } : key,
    );
  }

  async list(
    tenantId: string | undefined,
    cursor: string,
    limit: number,
  ): Promise<readonly ApiKey[]> {
    const rows =
      tenantId === undefined
        ? await this.#database.query(SELECT_PAGE, cursor, boundPage(limit))
        : await this.#database.query(SELECT_OF_TENANT, tenantId, cursor, boundPage(limit));
    return rows.map(toKey);
  }

  /** A key that stays the very same is neither written nor news. */
  #update(id: string, change: (key: ApiKey) => ApiKey): Promise<ApiKey | undefined> {
    return this.#database.write(async (transaction) => {
      await lockNews(transaction);
      const [row] = await transaction.query(SELECT, id);
      if (row === undefined) return undefined;
      const before = toKey(row);
      const key = change(before);
      if (key === before) return key;
      transaction.send(SAVE, ...keyValues(key));
      const hashes = [...new Set([before.hash, key.hash])];
      appendChanges(
        transaction,
        hashes.map((hash) => ({ kind: 'key', id: hash })),
      );
      return key;
    });
  }
}
