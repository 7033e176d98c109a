import type { AccountHolder, LimitHolder } from './accounts.ts';
import { tenantBudgets, withKeyBudget } from './budget-tree.ts';
import type { Catalog, Limit, Plan, RateLimit } from './catalog.ts';
import { type EffectivePlan, effectivePlan, nextChangeOf } from './effective-plan.ts';
import type { AgreedTerms } from './facts.ts';
import type { KeyTerms } from './key-terms.ts';
import type { TenantTerms } from './tenant-terms.ts';
import type { Calendar } from './window.ts';

/** What is asked of a tenant here; the store's has more. */
export interface TermedTenant {
  readonly id: string;
  readonly planId: string;
  readonly terms: TenantTerms;
}
export interface TermedKey {
  readonly id: string;
  readonly budgetNano: number | undefined;
  readonly terms: KeyTerms;
}

/** What a key's calls are decided by, worked out once from its tenant and all above it. */
export interface TenantAccess {
  /** Whose plan and balance it draws on: the tenant, or the pool it belongs to (PLAN-16). */
  readonly payer: TermedTenant;
  readonly plan: EffectivePlan;
  readonly holder: AccountHolder;
  /** Rates of the tenants above who pays, nearest first: they hold too, as their limits do. */
  readonly ratesAbove: readonly RatesAbove[];
  /** Undefined = nothing beyond the plan. */
  readonly agreed: AgreedTerms | undefined;
  /** Epoch ms at which an override or purchase ends, and what was worked out with it. */
  readonly validUntil: number;
}

export interface RatesAbove {
  readonly tenantId: string;
  readonly rateLimits: readonly RateLimit[];
}

/** `ancestors`: nearest first. Throws when the configuration lacks the plan of one: its limits would be lost. */
export function accessOf(
  found: {
    readonly key: TermedKey;
    readonly tenant: TermedTenant;
    readonly ancestors: readonly TermedTenant[];
  },
  catalog: Catalog,
  at: number,
): TenantAccess {
  const access = tenantAccess(found, catalog, at);
  return { ...access, holder: holderWith(found.key, access.holder, catalog) };
}

/** The same of no key in particular: what all keys of a tenant have in common. */
export function tenantAccess(
  found: { readonly tenant: TermedTenant; readonly ancestors: readonly TermedTenant[] },
  catalog: Catalog,
  at: number,
): TenantAccess {
  const chain = [found.tenant, ...found.ancestors];
  const own = chain.findIndex(isPayer);
  // A pool without a top is its own: a tenant whose parent is gone.
  const payerIndex = Math.max(0, own);
  const payer = chain[payerIndex] ?? found.tenant;
  const above = chain
    .slice(payerIndex + 1)
    .filter(isPayer)
    .map((tenant) => ({ tenant, plan: planFor(tenant, catalog, at) }));
  return {
    payer,
    plan: planFor(payer, catalog, at),
    agreed: agreedWith(payer),
    ratesAbove: above
      .filter(({ plan }) => plan.rateLimits.length > 0)
      .map(({ tenant, plan }) => ({ tenantId: tenant.id, rateLimits: plan.rateLimits })),
    validUntil: Math.min(...chain.map(({ terms }) => nextChangeOf(terms, at))),
    holder: {
      tenantId: found.tenant.id,
      payerId: payer.id,
      keyId: '',
      budgets: tenantBudgets(
        // The days of a pool are those of who pays for it.
        chain.map((tenant, index) => ({
          ...tenant,
          calendar: calendarOf(chain.slice(index).find(isPayer) ?? payer),
        })),
      ),
      keyLimits: [],
      calendar: calendarOf(payer),
      ancestors: above.map(({ tenant, plan }) => limitsOf(tenant, plan)),
      houseLimits: catalog.limits,
    },
  };
}

/** What calls of this key count in, beside what all keys of its tenant do. */
export function holderWith(key: TermedKey, holder: AccountHolder, catalog: Catalog): AccountHolder {
  const keyLimits = key.terms.limits.map((limit) => byOwnNames(limit, catalog));
  return { ...holder, keyId: key.id, budgets: withKeyBudget(holder, key), keyLimits };
}

/** Whether plan, balance and limits are its own. */
function isPayer({ terms }: TermedTenant): boolean {
  return !terms.pooled;
}

/** A suspended organisation has no active department: the nearest tenant that may not call decides. */
export function findBarred<Tenant extends Pick<TermedTenant, 'terms'>>(found: {
  readonly tenant: Tenant;
  readonly ancestors: readonly Tenant[];
}): Tenant | undefined {
  return [found.tenant, ...found.ancestors].find(({ terms }) => terms.account !== 'active');
}

/** A model is counted by its own name: a limit that was set on another of its names is one on the model. */
function byOwnNames(limit: Limit, { models }: Catalog): Limit {
  if (limit.models.length === 0) return limit;
  return { ...limit, models: limit.models.map((name) => ownNameOf(name, models)) };
}

/** What a model is called by itself, whichever of its names is given; a name that is none stays. */
export function ownNameOf(name: string, models: Catalog['models']): string {
  return models.get(name)?.aliasOf ?? name;
}

function agreedWith({ terms }: TermedTenant): AgreedTerms | undefined {
  const { overrides, purchases, overageAuthorizedUntil } = terms;
  const agreed = { overrides, purchases };
  if (overageAuthorizedUntil !== undefined) return { ...agreed, overageAuthorizedUntil };
  return overrides.length + purchases.length === 0 ? undefined : agreed;
}

function planFor(tenant: TermedTenant, catalog: Catalog, at: number): EffectivePlan {
  return effectivePlan(findPlan(tenant, catalog), tenant.terms, catalog.addOns, at);
}

function findPlan(tenant: TermedTenant, catalog: Catalog): Plan {
  const plan = catalog.plans.get(tenant.planId);
  if (plan !== undefined) return plan;
  throw new Error(
    `tenant ${tenant.id} is on plan ${tenant.planId}, which the configuration does not have`,
  );
}

function limitsOf(tenant: TermedTenant, { limits }: EffectivePlan): LimitHolder {
  return { tenantId: tenant.id, limits, calendar: calendarOf(tenant) };
}

function calendarOf({ terms }: TermedTenant): Calendar {
  return { timeZone: terms.timeZone, billingAnchorAt: terms.billingAnchorAt };
}
