import type { Purchase, TenantTerms } from '../domain/tenant-terms.ts';
import { StoreError } from './store-error.ts';
import {
  type ApiKey,
  type KeyChange,
  PURCHASES_MAX,
  type Tenant,
  type TenantChange,
  type TermsChange,
} from './store.ts';

/** What a tenant is after a change: the same for every adapter, which applies it inside its own transaction. */
export function applyTenantChange(tenant: Tenant, change: TenantChange): Tenant {
  const { name = tenant.name, planId = tenant.planId, terms = {} } = change;
  const changed = applyTerms(tenant.terms, terms);
  return { ...tenant, name, planId, terms: { ...changed, purchases: purchasesOf(tenant, change) } };
}

export function applyKeyChange(key: ApiKey, { secret, terms, ...members }: KeyChange): ApiKey {
  return { ...key, ...members, ...secret, terms: { ...key.terms, ...terms } };
}

function applyTerms(terms: TenantTerms, change: TermsChange): TenantTerms {
  return {
    ...terms,
    ...change,
    subscription: { ...terms.subscription, ...change.subscription },
    payment: { ...terms.payment, ...change.payment },
  };
}

function purchasesOf(tenant: Tenant, { addPurchase, endPurchase }: TenantChange) {
  const { purchases } = tenant.terms;
  const ended = purchases.map((purchase) =>
    purchase.id === endPurchase?.id ? endAt(purchase, endPurchase.at) : purchase,
  );
  if (addPurchase === undefined || ended.some(({ id }) => id === addPurchase.id)) return ended;
  return [...makeRoom(ended, addPurchase.at, tenant.id), addPurchase];
}

function endAt(purchase: Purchase, at: number): Purchase {
  return { ...purchase, expiresAt: Math.min(at, purchase.expiresAt ?? at) };
}

function makeRoom(
  purchases: readonly Purchase[],
  now: number,
  tenantId: string,
): readonly Purchase[] {
  if (purchases.length < PURCHASES_MAX) return purchases;
  const oldest = purchases
    .filter(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now)
    .toSorted((left, right) => (left.expiresAt ?? 0) - (right.expiresAt ?? 0))[0];
  if (oldest !== undefined) return purchases.filter((each) => each !== oldest);
  throw new StoreError(
    'invalid_change',
    `tenant ${tenantId} has ${PURCHASES_MAX} purchases in force, the most it may have: end one first`,
  );
}
