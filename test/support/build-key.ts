import { apiKeyHint } from '../../src/domain/api-key.ts';
import { PLAIN_KEY_TERMS } from '../../src/domain/key-terms.ts';
import { PLAIN_TERMS } from '../../src/domain/tenant-terms.ts';
import { sha256Hex } from '../../src/platform/sha256.ts';
import type { ApiKey, KeyWithTenant, Tenant } from '../../src/stores/store.ts';

/** A key of `ten_1` on the plan `free` as a store has it. */
export function buildKey(rawKey: string, members: Partial<ApiKey> = {}): ApiKey {
  return {
    id: 'key_1',
    tenantId: 'ten_1',
    name: 'test',
    hash: sha256Hex(rawKey),
    environment: 'test',
    hint: apiKeyHint(rawKey),
    budgetNano: undefined,
    expiresAt: undefined,
    revokedAt: undefined,
    terms: PLAIN_KEY_TERMS,
    createdAt: 0,
    ...members,
  };
}

export function buildTenant(members: Partial<Tenant> = {}): Tenant {
  return {
    id: 'ten_1',
    name: 'Acme',
    planId: 'free',
    terms: PLAIN_TERMS,
    createdAt: 0,
    ...members,
  };
}

export function buildKeyWithTenant(key: Partial<ApiKey> = {}): KeyWithTenant {
  return { key: buildKey('tk_test_0000', key), tenant: buildTenant(), ancestors: [] };
}
