import { type Code, CODES } from '../contract/codes.ts';
import type { Catalog, Limit, Pack, Plan } from './catalog.ts';
import { decide, isShort, type Refusal } from './decide.ts';
import type { Facts, LimitFact } from './facts.ts';
import { toSafeNumber } from './money.ts';

/** Something on sale that might make a refused request pass. */
export type Offer =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'pack'; readonly pack: Pack };

/** The purchases that, applied alone, remove this refusal: found by deciding again with each (DESIGN 3, C402-07). */
export function findOffers(facts: Facts, refusal: Refusal, catalog: Catalog): readonly Offer[] {
  // No purchase lifts a rate limit or makes the books answer.
  if (!CODES[refusal.code].financial) return [];
  const currentPlan = facts.identity.kind === 'key' ? facts.identity.planId : undefined;
  const plans: Offer[] = [...catalog.plans.values()]
    .filter((plan) => plan.onSale && plan.id !== currentPlan)
    // The cheapest way out comes first: it is the one a sentence names.
    .toSorted((left, right) => (left.priceNano < right.priceNano ? -1 : 1))
    .map((plan) => ({ kind: 'plan', plan }));
  const packs: Offer[] = catalog.packs.map((pack) => ({ kind: 'pack', pack }));
  return [...packs, ...plans].filter((offer) => removes(facts, offer, refusal));
}

/**
 * The code that leaves: an entitlement that nothing on sale grants is 403 (REQUIREMENTS "402 or 403").
 * Every other refusal keeps its own.
 */
export function finalCode(refusal: Refusal, offers: readonly Offer[]): Code {
  if (refusal.step !== 'entitle' || offers.length > 0) return refusal.code;
  return refusal.code === 'MODEL_NOT_IN_PLAN' ? 'MODEL_NOT_AVAILABLE' : 'FEATURE_NOT_AVAILABLE';
}

/** The same request as if the purchase had been made before it. */
export function applyOffer(facts: Facts, offer: Offer): Facts {
  const limits =
    offer.kind === 'pack'
      ? facts.limits.map((limit) => addCredit(limit, offer.pack))
      : facts.limits.flatMap((limit) => replaceLimit(limit, offer.plan));
  const entitlements =
    offer.kind === 'pack'
      ? facts.entitlements
      : facts.entitlements.map((each) => ({
          ...each,
          granted: planGrants(offer.plan, each.kind, each.id),
        }));
  return { ...facts, limits, entitlements, reservation: undefined, storm: undefined };
}

export function planGrants(plan: Plan, kind: 'model' | 'feature', id: string): boolean {
  if (kind === 'feature') return plan.features.includes(id);
  return plan.models.includes('*') || plan.models.includes(id);
}

/** Whether the purchase lifts this refusal and puts nothing in its place that did not stand in the way before. */
function removes(facts: Facts, offer: Offer, refusal: Refusal): boolean {
  const hypothetical = applyOffer(facts, offer);
  const decision = decide(hypothetical);
  if (decision.kind === 'admit') return true;
  // A plan that lacks another model or feature of this request does not pass the step.
  if (decision.step !== 'reserve') return false;
  const before = new Set(facts.limits.filter(isShort).map((limit) => limit.accountId));
  return hypothetical.limits
    .filter(isShort)
    .every(({ accountId }) => before.has(accountId) && accountId !== refusal.limit?.accountId);
}

function addCredit(limit: LimitFact, pack: Pack): LimitFact {
  if (limit.kind !== 'balance') return limit;
  // Credit beyond 2^53 nano (9 million) is more than any hold: capping it keeps the number safe.
  const sum = BigInt(limit.allowance) + pack.creditNano;
  const capped = sum > MAX_SAFE ? MAX_SAFE : sum;
  return { ...limit, allowance: toSafeNumber(capped) };
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A plan replaces its predecessor's quotas; what is used stays used; a key's own budget stays as it is. */
function replaceLimit(limit: LimitFact, plan: Plan): readonly LimitFact[] {
  if (limit.kind === 'balance') return plan.usage === 'prepaid' ? [limit] : [];
  if (limit.label === undefined || limit.label.id === 'key_budget') return [limit];
  const successor = plan.limits.find((each: Limit) => each.id === limit.label?.id);
  return successor === undefined ? [] : [{ ...limit, allowance: successor.amount }];
}
