import type { Catalog, Limit } from '../../domain/catalog.ts';
import type { Override, Purchase, TenantTerms } from '../../domain/tenant-terms.ts';
import type { Tenant } from '../../stores/store.ts';
import { viewBudget } from './budget-input.ts';
import { formatOptionalTime, formatTime } from './input-values.ts';
import { viewQuantity } from './views.ts';

/** A tenant with all that is agreed with it, under the names it is changed by. */
export function viewTenant(
  tenant: Tenant,
  { plans, asset }: Pick<Catalog, 'plans' | 'asset'>,
  now: number,
): object {
  const { terms } = tenant;
  return {
    id: tenant.id,
    name: tenant.name,
    plan: tenant.planId,
    parent_id: terms.parentId ?? null,
    pooled: terms.pooled,
    time_zone: terms.timeZone,
    billing_anchor: formatOptionalTime(terms.billingAnchorAt),
    subscription: {
      state: terms.subscription.state,
      ends_at: formatOptionalTime(terms.subscription.endsAt),
    },
    payment: viewPayment(terms),
    account_state: terms.account,
    overrides: terms.overrides.map((each) => viewOverride(each, plans, asset)),
    purchases: terms.purchases.map((purchase) => viewPurchase(purchase, now)),
    overage_authorized_until: formatOptionalTime(terms.overageAuthorizedUntil),
    ...viewBudget(terms.budgetNano, terms.budgetWindow, asset),
    enforcement: terms.enforcement ?? null,
    created_at: formatTime(tenant.createdAt),
  };
}

export function viewPurchase({ id, addOnId, at, expiresAt }: Purchase, now: number): object {
  return {
    id,
    add_on: addOnId,
    bought_at: formatTime(at),
    expires_at: formatOptionalTime(expiresAt),
    in_force: at <= now && (expiresAt === undefined || now < expiresAt),
  };
}

function viewPayment({ payment }: TenantTerms): object {
  return {
    method: payment.method,
    failed_at: formatOptionalTime(payment.failedAt),
    overdue_invoices: payment.overdueInvoices,
    disputed: payment.disputed,
    reauthorization_required: payment.reauthorizationRequired,
  };
}

function viewOverride(
  { limitId, amount, expiresAt }: Override,
  plans: Catalog['plans'],
  asset: string,
): object {
  const unit = unitOf(limitId, plans);
  return {
    limit_id: limitId,
    amount: unit === undefined ? null : viewQuantity(amount, unit, asset),
    expires_at: formatOptionalTime(expiresAt),
  };
}

/** A limit counts the same in every plan that has one of its name; in none, nobody can say what the amount is of. */
function unitOf(limitId: string, plans: Catalog['plans']): Limit['unit'] | undefined {
  for (const { limits } of plans.values()) {
    const limit = limits.find(({ id }) => id === limitId);
    if (limit !== undefined) return limit.unit;
  }
  return undefined;
}
