import { type Code, CODES } from '../contract/codes.ts';
import { counts } from './accounts.ts';
import type { AddOn, Catalog, Limit, Pack, Plan } from './catalog.ts';
import { contextCost } from './context-tiers.ts';
import { decide, isShort, type Refusal } from './decide.ts';
import { addGrants, type EffectivePlan, effectivePlan, isPurchased } from './effective-plan.ts';
import type { EntitlementFact, Facts, LimitFact } from './facts.ts';
import { toSafeNumber } from './money.ts';
import { overageNano } from './overage.ts';
import { amountFor } from './take.ts';

/** Something on sale that might make a refused request pass. */
export type Offer =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'pack'; readonly pack: Pack }
  | { readonly kind: 'add_on'; readonly addOn: AddOn };

type Shop = Pick<Catalog, 'plans' | 'packs' | 'addOns' | 'asset'>;
const NOTHING_AGREED = { overrides: [], purchases: [], enforcement: undefined };

/** The purchases that, applied alone, remove this refusal: found by deciding again with each (DESIGN 3, C402-07). */
export function findOffers(facts: Facts, refusal: Refusal, shop: Shop): readonly Offer[] {
  // No purchase lifts a protective limit or makes the books answer.
  if (!CODES[refusal.code].financial) return [];
  return offersOnSale(facts, shop).filter((offer) => removes({ facts, refusal, shop }, offer));
}

/** Everything on sale to this caller, packs and add-ons first, plans by price: the cheapest way out is named first. */
export function offersOnSale(facts: Facts, shop: Shop): readonly Offer[] {
  const { identity } = facts;
  const planId = identity.kind === 'key' ? identity.planId : undefined;
  // Who let a subscription end may take the same plan again.
  const mayRenew = facts.standing?.code !== undefined;
  const plans: Offer[] = [...shop.plans.values()]
    .filter((plan) => plan.onSale && (plan.id !== planId || mayRenew))
    .toSorted((left, right) => (left.priceNano < right.priceNano ? -1 : 1))
    .map((plan) => ({ kind: 'plan', plan }));
  return [
    ...shop.packs.map((pack): Offer => ({ kind: 'pack', pack })),
    ...shop.addOns.map((addOn): Offer => ({ kind: 'add_on', addOn })),
    ...plans,
  ];
}

/**
 * The code that leaves: an entitlement that nothing on sale grants is 403 (REQUIREMENTS "402 or 403").
 * Every other refusal keeps its own.
 */
export function finalCode(refusal: Refusal, offers: readonly Offer[]): Code {
  const { entitlement } = refusal;
  if (entitlement === undefined || offers.length > 0) return refusal.code;
  return UNSOLD_CODES[entitlement.kind];
}

/** What an entitlement is refused with that nothing on sale grants. */
const UNSOLD_CODES: Readonly<Record<EntitlementFact['kind'], Code>> = {
  model: 'MODEL_NOT_AVAILABLE',
  feature: 'FEATURE_NOT_AVAILABLE',
  purchase: 'FEATURE_NOT_AVAILABLE',
  context: 'CONTEXT_SIZE_NOT_AVAILABLE',
  file_size: 'FILE_SIZE_NOT_AVAILABLE',
};

/** The same request as if the purchase had been made before it. */
export function applyOffer(facts: Facts, offer: Offer, shop: Shop): Facts {
  switch (offer.kind) {
    case 'pack':
      return asking({
        ...facts,
        limits: facts.limits.map((limit) => addCredit(limit, offer.pack)),
      });
    case 'plan':
      return applyPlan(renew(facts), planOf(offer.plan, facts, shop), shop);
    case 'add_on': {
      const { identity } = facts;
      const plan = identity.kind === 'key' ? shop.plans.get(identity.planId) : undefined;
      if (plan === undefined) return asking(facts);
      return applyPlan(facts, addGrants(planOf(plan, facts, shop), offer.addOn.grants), shop);
    }
  }
}

/** Whether a plan, as it holds for the caller, has what a request needs. */
export function grantsEntitlement(
  plan: EffectivePlan,
  entitlement: Pick<EntitlementFact, 'kind' | 'id' | 'needed'>,
): boolean {
  const { kind, id, needed = 0 } = entitlement;
  switch (kind) {
    case 'feature':
      return plan.features.includes(id);
    case 'model':
      return plan.models.includes('*') || plan.models.includes(id);
    case 'purchase':
      return isPurchased(plan, id);
    case 'context':
      return plan.contextTiers.length === 0 || needed <= (plan.contextTiers.at(-1)?.tokensMax ?? 0);
    case 'file_size':
      return plan.fileBytesMax === undefined || needed <= plan.fileBytesMax;
  }
}

function planOf(plan: Plan, facts: Facts, shop: Shop): EffectivePlan {
  const agreed = { ...NOTHING_AGREED, ...facts.agreed };
  return effectivePlan(plan, agreed, shop.addOns, facts.at);
}

/** What the engine found for the request as it is says nothing about another. */
function asking(facts: Facts, reservation: Facts['reservation'] = undefined): Facts {
  return { ...facts, reservation, storm: undefined };
}

const ENDED_CODES: ReadonlySet<Code | undefined> = new Set([
  'TRIAL_EXPIRED',
  'SUBSCRIPTION_EXPIRED',
  'SUBSCRIPTION_CANCELED',
  'SUBSCRIPTION_PAUSED',
]);

/** Who buys a plan has a running subscription; what is owed stays owed. */
function renew(facts: Facts): Facts {
  const { standing } = facts;
  if (standing === undefined || !ENDED_CODES.has(standing.code)) return facts;
  return { ...facts, standing: undefined };
}

function applyPlan(facts: Facts, plan: EffectivePlan, shop: Shop): Facts {
  const entitlements = facts.entitlements.map((each) => ({
    ...each,
    granted: grantsEntitlement(plan, each) && !isWithheld(each),
  }));
  const limits = [
    ...facts.limits.flatMap((limit) => replaceLimit(limit, plan, facts)),
    ...newLimits(facts, plan, shop.asset),
  ];
  return asking({ ...facts, entitlements, limits }, keepRate(facts, plan, shop));
}

/** A cap of the key itself is not the plan's to raise (KEY-05). */
function isWithheld({ kind, id, granted }: EntitlementFact): boolean {
  return kind === 'context' && id === 'key' && !granted;
}

function addCredit(limit: LimitFact, pack: Pack): LimitFact {
  if (limit.kind !== 'balance') return limit;
  // Credit beyond 2^53 nano (9 million) is more than any hold: capping it keeps the number safe.
  const sum = BigInt(limit.allowance) + pack.creditNano;
  return { ...limit, allowance: toSafeNumber(sum > MAX_SAFE ? MAX_SAFE : sum) };
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A plan replaces its predecessor's quotas; what is used stays used; rules that are not the plan's stay as they are. */
function replaceLimit(limit: LimitFact, plan: EffectivePlan, facts: Facts): readonly LimitFact[] {
  if (limit.kind === 'balance') {
    return plan.usage === 'prepaid'
      ? [{ ...limit, need: costUnder(plan, facts) ?? limit.need }]
      : [];
  }
  if (limit.label?.from !== undefined) return [limit];
  const successor = plan.limits.find(({ id }) => id === limit.label?.id);
  if (successor === undefined) return [];
  const { overage: _, ...rest } = limit;
  return [{ ...rest, allowance: allowanceOf(successor), ...overageOf(successor, limit.need) }];
}

/** Quotas and the balance that the caller's own plan does not have: nothing is used of them yet. */
function newLimits(facts: Facts, plan: EffectivePlan, asset: string): readonly LimitFact[] {
  const { take, identity, route } = facts;
  if (take === undefined || identity.kind !== 'key' || route === undefined) return [];
  const model = facts.entitlements.find(({ kind }) => kind === 'model')?.id;
  const call = { routeId: route.routeId, operation: route.operation, model };
  const known = new Set(facts.limits.map(({ label }) => label?.id));
  const added = plan.limits
    .filter((limit) => !known.has(limit.id) && counts(limit, call))
    .map((limit) => unusedLimit(limit, amountFor(limit.unit, take)));
  const cost = costUnder(plan, facts) ?? 0;
  const pays = plan.usage === 'prepaid' && cost > 0;
  if (!pays || facts.limits.some(({ kind }) => kind === 'balance')) return added;
  return [
    ...added,
    { ...NO_BALANCE, accountId: `bal:${identity.tenantId}:${asset}`, unit: asset, need: cost },
  ];
}

/** A balance that is not known counts as none: what is offered must work. */
const NO_BALANCE = {
  kind: 'balance',
  label: undefined,
  allowance: 0,
  spent: 0,
  reserved: 0,
  resetsAt: undefined,
} as const;

function unusedLimit(limit: Limit, need: number): LimitFact {
  const { id, unit, window, scope } = limit;
  return {
    accountId: `new:${id}`,
    kind: 'quota',
    unit,
    label: {
      id,
      unit,
      window,
      scope,
      keyId: undefined,
      ...(limit.class === 'protective' ? { class: limit.class } : {}),
    },
    need,
    allowance: allowanceOf(limit),
    spent: 0,
    reserved: 0,
    resetsAt: undefined,
    ...overageOf(limit, need),
  };
}

function allowanceOf(limit: Limit): number {
  return limit.soft ? Number.MAX_SAFE_INTEGER : limit.amount;
}

function overageOf({ overage }: Limit, need: number): Pick<LimitFact, 'overage'> {
  if (overage.kind === 'block') return {};
  return { overage: { kind: overage.kind, nano: overageNano(overage.unitPico, need) } };
}

/** What the call costs at most under another plan's context price; undefined when it was not recorded. */
function costUnder(plan: EffectivePlan, { take, entitlements }: Facts): number | undefined {
  if (take === undefined) return undefined;
  const tokens = entitlements.find(({ kind }) => kind === 'context')?.needed;
  return tokens === undefined ? take.nano : contextCost(take.nano, plan.contextTiers, tokens);
}

/** Too fast stays too fast unless the plan lets more through. */
function keepRate(facts: Facts, plan: EffectivePlan, shop: Shop): Facts['reservation'] {
  const { reservation, identity } = facts;
  if (reservation?.kind !== 'limited' || identity.kind !== 'key') return undefined;
  const current = shop.plans.get(identity.planId);
  const isThis = ({ id }: { readonly id: string }): boolean => id === reservation.rateLimitId;
  const now = current && planOf(current, facts, shop).rateLimits.find(isThis);
  const then = plan.rateLimits.find(isThis);
  if (then === undefined || now === undefined) return undefined;
  return then.count > now.count || then.burst > now.burst ? undefined : reservation;
}

/** Whether the purchase lifts this refusal and puts nothing in its place that did not stand in the way before. */
function removes(
  { facts, refusal, shop }: { facts: Facts; refusal: Refusal; shop: Shop },
  offer: Offer,
): boolean {
  const before = obstaclesOf(facts).add(nameObstacle(refusal));
  const after = applyOffer(facts, offer, shop);
  if (decide(after).kind === 'admit') return true;
  const left = obstaclesOf(after);
  return !left.has(nameObstacle(refusal)) && [...left].every((obstacle) => before.has(obstacle));
}

/** Everything that would refuse the request, not only what does so first. An entitlement step is passed as a whole. */
function obstaclesOf(facts: Facts): Set<string> {
  const obstacles = new Set<string>();
  const { standing, reservation } = facts;
  if (standing?.code !== undefined && !standing.stillServed) obstacles.add('stand');
  if (facts.entitlements.some(({ granted }) => !granted)) obstacles.add('entitle');
  if (reservation?.kind === 'limited') obstacles.add('rate');
  for (const limit of facts.limits) {
    if (isShort(limit, facts)) obstacles.add(limit.accountId);
  }
  return obstacles;
}

function nameObstacle(refusal: Refusal): string {
  if (refusal.step !== 'reserve') return refusal.step;
  return refusal.limit?.accountId ?? 'rate';
}
