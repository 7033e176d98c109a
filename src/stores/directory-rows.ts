import type { ApiKey, Tenant } from './store.ts';
import { formatTerms, parseKeyTerms, parseTenantTerms } from './terms-record.ts';

/** A tenant as every adapter keeps it. `parent_id` repeats what the terms say, so that those below are found. */
export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly plan_id: string;
  readonly terms: string;
  readonly created_at: number;
}
/** In the order of `tenantValues`. */
export const TENANT_COLUMNS = 'id, name, plan_id, parent_id, terms, created_at';

export function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    name: row.name,
    planId: row.plan_id,
    terms: parseTenantTerms(row.terms),
    createdAt: row.created_at,
  };
}

export function tenantValues({ id, name, planId, terms, createdAt }: Tenant) {
  return [id, name, planId, terms.parentId ?? null, formatTerms(terms), createdAt] as const;
}

/** A key as every adapter keeps it. */
export interface KeyRow {
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
/** In the order of `keyValues`. */
export const KEY_COLUMNS =
  'id, tenant_id, name, hash, environment, hint, budget_nano, expires_at, revoked_at, terms, created_at';

export function toKey(row: KeyRow): ApiKey {
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

export function keyValues(key: ApiKey) {
  return [
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
  ] as const;
}

const PAGE_MAX = 1000;

/** Rows a page may have at most, whatever is asked for. */
export function boundPage(limit: number): number {
  return Math.max(0, Math.min(limit, PAGE_MAX));
}
