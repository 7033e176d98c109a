import { type EffectivePlan, effectivePlan } from '../../domain/effective-plan.ts';
import { type StandingFact, standOf } from '../../domain/standing.ts';
import type { Tenant } from '../../stores/store.ts';
import type { PublicDeps } from './public-deps.ts';
import { ancestorsOf } from './tenant-chain.ts';

/** Who pays for a tenant's calls: itself, or the pool it draws on (PLAN-16). */
export interface Payer {
  readonly tenant: Tenant;
  readonly standing: StandingFact;
  /** Undefined when the plan has left the configuration. */
  readonly plan: EffectivePlan | undefined;
}

/** A plan that is not there any more forgives nothing and leaves nothing. */
const NO_PLAN = { graceDays: 0, degraded: undefined };

export async function payerOf(
  deps: Pick<PublicDeps, 'store' | 'catalog' | 'now'>,
  tenant: Tenant,
): Promise<Payer> {
  const chain = [tenant, ...(await ancestorsOf(deps.store, tenant))];
  // A pool without a top is its own: a tenant whose parent is gone.
  const payer = chain.find(({ terms }) => !terms.pooled) ?? tenant;
  const at = deps.now();
  const { plans, addOns } = deps.catalog();
  const found = plans.get(payer.planId);
  const plan = found && effectivePlan(found, payer.terms, addOns, at);
  const standing = standOf(payer.terms, plan ?? NO_PLAN, 'write', at);
  return { tenant: payer, standing, plan };
}
