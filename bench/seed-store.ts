import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { API_KEY_RANDOM_BYTES, apiKeyHint, formatApiKey } from '../src/domain/api-key.ts';
import { PLAIN_KEY_TERMS } from '../src/domain/key-terms.ts';
import { PLAIN_TERMS } from '../src/domain/tenant-terms.ts';
import { sha256Hex } from '../src/platform/sha256.ts';
import { KEY_COLUMNS, keyValues } from '../src/stores/directory-rows.ts';
import { Database } from '../src/stores/sqlite/database.ts';
import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import type { ApiKey, Store } from '../src/stores/store.ts';

export interface SeedSize {
  readonly tenants: number;
  /** In all, dealt out to the tenants in turn. */
  readonly keys: number;
  readonly planId: string;
  /** What each tenant has, in nano USD. */
  readonly creditNano: bigint;
}

const IN_FLIGHT = 200;

/** Puts tenants with credit and keys into a store that no gateway has begun to use. The keys, in the order dealt. */
export async function seedStore(directory: string, size: SeedSize): Promise<readonly string[]> {
  const tenantIds = Array.from(
    { length: size.tenants },
    (_, index) => `ten_${size.planId}_${index}`,
  );
  const store = await openSqliteStore({ directory });
  try {
    for (let from = 0; from < tenantIds.length; from += IN_FLIGHT) {
      const some = tenantIds.slice(from, from + IN_FLIGHT);
      await Promise.all(some.map((id) => createTenant(store, id, size)));
    }
  } finally {
    await store.close();
  }
  const keys = Array.from({ length: size.keys }, () =>
    formatApiKey('live', randomBytes(API_KEY_RANDOM_BYTES)),
  );
  insertKeys(directory, keys, (index) => tenantIds[index % tenantIds.length] ?? '');
  return keys;
}

async function createTenant(store: Store, id: string, size: SeedSize): Promise<void> {
  const now = Date.now();
  const { planId, creditNano: amount } = size;
  await store.createTenant({ id, name: id, planId, terms: PLAIN_TERMS, createdAt: now });
  if (amount === 0n) return;
  const terms = { asset: 'USD', category: 'promotional', priority: 50, source: 'test' } as const;
  const grant = { ...terms, effectiveAt: now, expiresAt: undefined, idempotencyKey: `seed:${id}` };
  await store.addGrant({ ...grant, tenantId: id, amount }, now);
}

/** In one transaction: the port has one for each key, and a disk takes minutes for so many. */
function insertKeys(
  directory: string,
  keys: readonly string[],
  tenantOf: (index: number) => string,
): void {
  const path = join(directory, 'ledger.db');
  const database = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
  try {
    const marks = KEY_COLUMNS.split(',').map(() => '?');
    const insert = database.prepare(
      `INSERT INTO api_keys (${KEY_COLUMNS}) VALUES (${marks.join(', ')})`,
    );
    database.write(() => {
      for (const [index, raw] of keys.entries()) {
        insert.run(...keyValues(buildKey(raw, tenantOf(index))));
      }
    });
  } finally {
    database.close();
  }
}

function buildKey(raw: string, tenantId: string): ApiKey {
  const hash = sha256Hex(raw);
  return {
    id: `key_${hash.slice(0, 32)}`,
    tenantId,
    name: 'bench',
    hash,
    environment: 'live',
    hint: apiKeyHint(raw),
    budgetNano: undefined,
    expiresAt: undefined,
    revokedAt: undefined,
    terms: PLAIN_KEY_TERMS,
    createdAt: Date.now(),
  };
}
