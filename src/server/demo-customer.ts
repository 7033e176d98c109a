import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { API_KEY_RANDOM_BYTES, apiKeyHint, formatApiKey } from '../domain/api-key.ts';
import { PLAIN_KEY_TERMS } from '../domain/key-terms.ts';
import { PLAIN_TERMS } from '../domain/tenant-terms.ts';
import { createId } from '../platform/ids.ts';
import { sha256Hex } from '../platform/sha256.ts';
import type { Store } from '../stores/store.ts';
import type { DemoSettings } from './config/loaded-config.ts';

/** Kept so that `dev` can show the same key again: play money only, readable by its owner only. */
export const DEMO_KEY_FILE = 'demo.key';

/** The customer, key and credit that `dev` makes on its first start; afterwards the same key. */
export async function ensureDemoCustomer(
  store: Store,
  dataDirectory: string,
  demo: DemoSettings,
  terms: { asset: string; now: number },
): Promise<string> {
  const file = join(dataDirectory, DEMO_KEY_FILE);
  const known = readKey(file);
  if (known !== undefined && (await store.findKey(sha256Hex(known))) !== undefined) return known;
  const { asset, now } = terms;
  const tenantId = createId('ten', now);
  await store.createTenant({
    id: tenantId,
    name: demo.customerName,
    planId: demo.planId,
    terms: PLAIN_TERMS,
    createdAt: now,
  });
  const key = formatApiKey('test', randomBytes(API_KEY_RANDOM_BYTES));
  await store.createKey({
    id: createId('key', now),
    tenantId,
    name: 'demo',
    hash: sha256Hex(key),
    environment: 'test',
    hint: apiKeyHint(key),
    budgetNano: undefined,
    expiresAt: undefined,
    revokedAt: undefined,
    terms: PLAIN_KEY_TERMS,
    createdAt: now,
  });
  if (demo.creditNano > 0n) {
    await store.addGrant(
      {
        tenantId,
        asset,
        amount: demo.creditNano,
        category: 'promotional',
        priority: 50,
        effectiveAt: now,
        expiresAt: undefined,
        source: 'test',
        idempotencyKey: `demo:${tenantId}`,
      },
      now,
    );
  }
  writeFileSync(file, key, { mode: 0o600 });
  return key;
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
