import type { Catalog } from './catalog.ts';
import { type EffectivePlan, effectivePlan } from './effective-plan.ts';
import type { Facts } from './facts.ts';

/** The caller's plan with what was agreed and bought beside it; undefined without a key, or when the plan is gone. */
export function planOfCaller(
  { identity, agreed, at }: Facts,
  { plans, addOns }: Pick<Catalog, 'plans' | 'addOns'>,
): EffectivePlan | undefined {
  const plan = identity.kind === 'key' ? plans.get(identity.planId) : undefined;
  const terms = { overrides: [], purchases: [], enforcement: undefined, ...agreed };
  return plan && effectivePlan(plan, terms, addOns, at);
}
