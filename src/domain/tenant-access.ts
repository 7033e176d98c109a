import type { AccountHolder, LimitHolder } from './accounts.ts';
import type { Catalog, Plan } from './catalog.ts';
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
  /** Undefined = nothing beyond the plan. */
  readonly agreed: AgreedTerms | undefined;
  /** Epoch ms at which an override or purchase ends, and what was worked out with it. */
  readonly validUntil: number;
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
  const chain = [found.tenant, ...found.ancestors];
  const own = chain.findIndex(({ terms }) => !terms.pooled);
  // A pool without a top is its own: a tenant whose parent is gone.
  const payerIndex = Math.max(0, own);
  const payer = chain[payerIndex] ?? found.tenant;
  const { overrides, purchases } = payer.terms;
  const above = chain.slice(payerIndex + 1).filter(({ terms }) => !terms.pooled);
  return {
    payer,
    plan: planFor(payer, catalog, at),
    agreed: overrides.length + purchases.length === 0 ? undefined : { overrides, purchases },
    validUntil: Math.min(...chain.map(({ terms }) => nextChangeOf(terms, at))),
    holder: {
      tenantId: found.tenant.id,
      payerId: payer.id,
      keyId: found.key.id,
      budgetNano: found.key.budgetNano,
      keyLimits: found.key.terms.limits,
      calendar: calendarOf(payer),
      ancestors: above.map((tenant) => limitsOf(tenant, catalog, at)),
      houseLimits: catalog.limits,
    },
  };
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

function limitsOf(tenant: TermedTenant, catalog: Catalog, at: number): LimitHolder {
  const { limits } = planFor(tenant, catalog, at);
  return { tenantId: tenant.id, limits, calendar: calendarOf(tenant) };
}

function calendarOf({ terms }: TermedTenant): Calendar {
  return { timeZone: terms.timeZone, billingAnchorAt: terms.billingAnchorAt };
}
