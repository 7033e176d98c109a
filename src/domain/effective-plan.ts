import type { AddOn, Limit, Plan, PurchaseGrants, RateLimit } from './catalog.ts';
import type { Purchase, TenantTerms } from './tenant-terms.ts';

/** What one tenant really has: its plan, with its agreed overrides and all it bought, at one moment. */
export interface EffectivePlan extends Plan {
  /** One-time resources: `course-7`, `course-*`. */
  readonly purchases: readonly string[];
}

/**
 * The plan as it holds for this tenant at `at` (PLAN-05, PLAN-10, PLAN-13). An override replaces a number of
 * the plan; a purchase adds to what is then there. Unknown ids change nothing: a plan may have lost the limit.
 */
export function effectivePlan(
  plan: Plan,
  terms: Pick<TenantTerms, 'overrides' | 'purchases' | 'enforcement'>,
  addOns: readonly AddOn[],
  at: number,
): EffectivePlan {
  const isPlain = terms.overrides.length + terms.purchases.length === 0;
  if (isPlain && terms.enforcement === undefined) return plainPlan(plan);
  const overridden = {
    ...plan,
    purchases: [],
    enforcement: terms.enforcement ?? plan.enforcement,
    limits: plan.limits.map((limit) => override(limit, terms, at)),
  };
  return terms.purchases
    .filter((purchase) => isInForce(purchase, at))
    .flatMap(({ addOnId }) => addOns.filter(({ id }) => id === addOnId))
    .reduce<EffectivePlan>((sum, { grants }) => addGrants(sum, grants), overridden);
}

const plainPlans = new WeakMap<Plan, EffectivePlan>();

/** Most tenants have what the plan says: one object for all of them. */
function plainPlan(plan: Plan): EffectivePlan {
  let known = plainPlans.get(plan);
  if (known === undefined) {
    known = { ...plan, purchases: [] };
    plainPlans.set(plan, known);
  }
  return known;
}

/** The first moment after `at` at which an override or purchase begins or ends: until then the plan stays as it is. */
export function nextChangeOf(
  terms: Pick<TenantTerms, 'overrides' | 'purchases'>,
  at: number,
): number {
  const moments = [
    ...[...terms.overrides, ...terms.purchases].map(({ expiresAt }) => expiresAt ?? at),
    ...terms.purchases.map((purchase) => purchase.at),
  ];
  return Math.min(Number.POSITIVE_INFINITY, ...moments.filter((moment) => moment > at));
}

/** The plan with one more purchase: how an offer is tried before it is made. */
export function addGrants(plan: EffectivePlan, grants: PurchaseGrants): EffectivePlan {
  return {
    ...plan,
    features: [...plan.features, ...grants.features],
    models: [...plan.models, ...grants.models],
    purchases: [...plan.purchases, ...grants.purchases],
    limits: plan.limits.map((limit) => addAmount(limit, grants)),
    rateLimits: plan.rateLimits.map((limit) => addRate(limit, grants)),
    contextTiers: raiseContext(plan, grants.contextTokensMax),
    fileBytesMax: larger(plan.fileBytesMax, grants.fileBytesMax),
  };
}

/** `course-7` is granted by itself and by `course-*`. */
export function isPurchased(plan: Pick<EffectivePlan, 'purchases'>, id: string): boolean {
  return plan.purchases.some((purchase) =>
    purchase.endsWith('*') ? id.startsWith(purchase.slice(0, -1)) : purchase === id,
  );
}

function isInForce(purchase: Purchase, at: number): boolean {
  return purchase.at <= at && (purchase.expiresAt === undefined || at < purchase.expiresAt);
}

function override(limit: Limit, terms: Pick<TenantTerms, 'overrides'>, at: number): Limit {
  const found = terms.overrides.find(
    ({ limitId, expiresAt }) => limitId === limit.id && (expiresAt === undefined || at < expiresAt),
  );
  return found === undefined ? limit : { ...limit, amount: found.amount };
}

function addAmount(limit: Limit, grants: PurchaseGrants): Limit {
  const more = grants.limits.find(({ id }) => id === limit.id)?.amount ?? 0;
  return more === 0 ? limit : { ...limit, amount: addCounts(limit.amount, more) };
}

function addRate(limit: RateLimit, grants: PurchaseGrants): RateLimit {
  const more = grants.rateLimits.find(({ id }) => id === limit.id);
  if (more === undefined) return limit;
  const count = addCounts(limit.count, more.count);
  return { ...limit, count, burst: addCounts(limit.burst, more.burst) };
}

/** What is more than can be counted exactly is as good as without end, and a store refuses to count it. */
function addCounts(left: number, right: number): number {
  return Math.min(left + right, Number.MAX_SAFE_INTEGER);
}

/** The dearest tier is stretched: a bigger window without its own price costs what the largest one does. */
function raiseContext(plan: Plan, tokensMax: number | undefined): Plan['contextTiers'] {
  const last = plan.contextTiers.at(-1);
  if (tokensMax === undefined || last === undefined || tokensMax <= last.tokensMax) {
    return plan.contextTiers;
  }
  return [...plan.contextTiers, { ...last, tokensMax }];
}

function larger(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left;
  return Math.max(left, right);
}
