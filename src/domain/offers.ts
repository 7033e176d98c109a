import { type Code, CODES } from '../contract/codes.ts';
import { ANY_CALL, counts } from './accounts.ts';
import type { AddOn, Catalog, Limit, Pack, Plan, RateLimit, Route } from './catalog.ts';
import { contextCostMost } from './context-tiers.ts';
import { decide, isShort, type Refusal } from './decide.ts';
import { addGrants, type EffectivePlan, effectivePlan, isPurchased } from './effective-plan.ts';
import type { EntitlementFact, Facts, LimitFact } from './facts.ts';
import { toSafeNumberAtMost } from './money.ts';
import { overageNano } from './overage.ts';
import { isEnded } from './settlement.ts';
import { standUnder } from './stand-under.ts';
import { amountFor, isMoney } from './take.ts';

/** Something on sale that might make a refused request pass. */
export type Offer =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'pack'; readonly pack: Pack }
  | { readonly kind: 'add_on'; readonly addOn: AddOn };

/** What of a catalogue an offer is found and tried by. */
type SaleCatalog = Pick<Catalog, 'apis' | 'plans' | 'packs' | 'addOns' | 'asset'>;
const NOTHING_AGREED = { overrides: [], purchases: [], enforcement: undefined };

/**
 * The purchases that, applied alone, remove this refusal: found by deciding again with each (DESIGN 3, C402-07).
 * Where each that grants what is missing leads to another refusal, those are named all the same: it is for sale.
 */
export function findOffers(facts: Facts, refusal: Refusal, catalog: SaleCatalog): readonly Offer[] {
  // No purchase lifts a protective limit or makes the books answer.
  if (!CODES[refusal.code].financial) return [];
  const onSale = offersOnSale(facts, catalog);
  const offers = onSale.filter((offer) => removes({ facts, refusal, catalog }, offer));
  if (offers.length > 0 || refusal.step !== 'entitle') return offers;
  return onSale.filter((offer) => isEntitled(applyOffer(facts, offer, catalog)));
}

function isEntitled({ entitlements }: Facts): boolean {
  return entitlements.every(({ granted }) => granted);
}

/** Everything on sale to this caller, by price: the cheapest way out is named first. */
export function offersOnSale(facts: Facts, catalog: SaleCatalog): readonly Offer[] {
  const { identity } = facts;
  const planId = identity.kind === 'key' ? identity.planId : undefined;
  // Who let a subscription end may take the same plan again.
  const mayRenew = facts.standing !== undefined && isEnded(facts.standing);
  const plans: Offer[] = [...catalog.plans.values()]
    .filter((plan) => plan.onSale && (plan.id !== planId || mayRenew))
    .map((plan) => ({ kind: 'plan', plan }));
  const offers = [
    ...catalog.packs.map((pack): Offer => ({ kind: 'pack', pack })),
    ...catalog.addOns.map((addOn): Offer => ({ kind: 'add_on', addOn })),
    ...plans,
  ];
  return offers.toSorted(compareByPrice);
}

function compareByPrice(left: Offer, right: Offer): number {
  const [one, other] = [soldAs(left).priceNano, soldAs(right).priceNano];
  if (one === other) return 0;
  return one < other ? -1 : 1;
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

/** The same request as if the purchase had been made before it: another one is made by who has this already. */
export function applyOffer(refused: Facts, offer: Offer, catalog: SaleCatalog): Facts {
  const facts = withSlicesBack(refused);
  return own(tryOffer(facts, offer, catalog), offer);
}

/** Whoever bought it has it from then on. */
function own(facts: Facts, offer: Offer): Facts {
  const { identity, agreed, at } = facts;
  if (offer.kind === 'add_on') {
    const { overrides, purchases } = { ...NOTHING_AGREED, ...agreed };
    const bought = { id: '', addOnId: offer.addOn.id, at, expiresAt: undefined };
    return { ...facts, agreed: { ...agreed, overrides, purchases: [...purchases, bought] } };
  }
  if (offer.kind === 'pack' || identity.kind !== 'key') return facts;
  const { id: planId, version: planVersion, title: planTitle, priceNano } = offer.plan;
  const freePlan = priceNano === 0n;
  return { ...facts, identity: { ...identity, planId, planVersion, planTitle, freePlan } };
}

function tryOffer(facts: Facts, offer: Offer, catalog: SaleCatalog): Facts {
  const current = currentPlan(facts, catalog);
  switch (offer.kind) {
    case 'pack': {
      const limits = facts.limits.map((limit) => addCredit(limit, offer.pack));
      return applyPlan({ ...facts, limits }, { from: current, to: current }, catalog);
    }
    case 'plan': {
      const change = { from: current, to: planOf(offer.plan, facts, catalog) };
      const standing = standUnder(facts, change, routeOf(facts, catalog));
      return applyPlan({ ...facts, standing }, change, catalog);
    }
    case 'add_on': {
      const to = current && addGrants(current, offer.addOn.grants);
      return applyPlan(facts, { from: current, to }, catalog);
    }
  }
}

/**
 * Without what processes have taken ahead: whoever needs it gets it back. What open holds keep is known of the
 * account that refused. Numbers that nobody asked the engine about are all there is to go by.
 */
function withSlicesBack(facts: Facts): Facts {
  const { reservation } = facts;
  if (reservation === undefined) return facts;
  const short = reservation.kind === 'short' ? reservation : undefined;
  const limits = facts.limits.map((limit, index) => ({
    ...limit,
    reserved: index === short?.index ? short.held : 0,
  }));
  return { ...facts, limits };
}

/** The thing itself: every one has an id, a title and a price. */
export function soldAs(offer: Offer): Plan | Pack | AddOn {
  switch (offer.kind) {
    case 'plan':
      return offer.plan;
    case 'pack':
      return offer.pack;
    case 'add_on':
      return offer.addOn;
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

function planOf(plan: Plan, facts: Facts, catalog: SaleCatalog): EffectivePlan {
  const agreed = { ...NOTHING_AGREED, ...facts.agreed };
  return effectivePlan(plan, agreed, catalog.addOns, facts.at);
}

function currentPlan(facts: Facts, catalog: SaleCatalog): EffectivePlan | undefined {
  const { identity } = facts;
  const plan = identity.kind === 'key' ? catalog.plans.get(identity.planId) : undefined;
  return plan && planOf(plan, facts, catalog);
}

function routeOf({ route }: Facts, { apis }: SaleCatalog): Route | undefined {
  const api = apis.find(({ id }) => id === route?.apiId);
  return api?.routes.find(({ id }) => id === route?.routeId);
}

interface PlanChange {
  readonly from: EffectivePlan | undefined;
  /** Undefined = who has no plan has none after it either. */
  readonly to: EffectivePlan | undefined;
}

/** What the engine found for the request as it is says nothing about another, but how fast calls came. */
function applyPlan(facts: Facts, { from, to }: PlanChange, catalog: SaleCatalog): Facts {
  const asked = { ...facts, reservation: rateUnder(facts, { from, to }), storm: undefined };
  if (to === undefined || to === from) return asked;
  const entitlements = facts.entitlements.map((each) => ({
    ...each,
    granted: grantsEntitlement(to, each) && !isWithheld(each),
  }));
  const limits = [
    ...facts.limits.flatMap((limit) => replaceLimit(limit, to, facts)),
    ...newLimits(facts, to),
  ];
  return { ...asked, entitlements, limits: withBalance(limits, facts, to, catalog.asset) };
}

/** A cap of the key itself is not the plan's to raise (KEY-05). */
function isWithheld({ kind, id, granted }: EntitlementFact): boolean {
  return kind === 'context' && id === 'key' && !granted;
}

/** Of a balance: what it is with the credit of the pack. */
export function addCredit(limit: LimitFact, pack: Pack): LimitFact {
  if (limit.kind !== 'balance') return limit;
  // Credit beyond 2^53 nano (9 million) is more than any hold: capping it keeps the number safe.
  const sum = BigInt(limit.allowance) + pack.creditNano;
  return { ...limit, allowance: toSafeNumberAtMost(sum) };
}

/** A plan replaces its predecessor's quotas; what is used stays used; rules that are not the plan's stay as they are. */
function replaceLimit(limit: LimitFact, plan: EffectivePlan, facts: Facts): readonly LimitFact[] {
  const need = (isMoney(limit) ? costUnder(plan, facts) : undefined) ?? limit.need;
  if (limit.kind === 'balance' || limit.label?.from !== undefined) return [{ ...limit, need }];
  const successor = successorOf(limit, plan, facts);
  if (successor === undefined) return [];
  const { overage: _, ...rest } = limit;
  return [
    { ...rest, need, allowance: allowanceOf(successor), ...overageOf(successor, need, facts) },
  ];
}

/**
 * The rule of a plan that goes on with this count. One of the same name that is about other calls, or counts
 * another unit, does not; over another window it may have been counted before.
 */
function successorOf({ label }: LimitFact, plan: EffectivePlan, facts: Facts): Limit | undefined {
  return plan.limits.find(
    (limit) => limit.id === label?.id && limit.unit === label.unit && countsCall(limit, facts),
  );
}

function countsCall(limit: Limit, { route, entitlements }: Facts): boolean {
  const { routeId, operation } = route ?? ANY_CALL;
  const model = entitlements.find(({ kind }) => kind === 'model')?.id;
  return counts(limit, { routeId, operation, model });
}

/** Quotas that the caller's own plan does not have: nothing is used of them yet. */
function newLimits(facts: Facts, plan: EffectivePlan): readonly LimitFact[] {
  const { take, identity, route } = facts;
  if (take === undefined || identity.kind !== 'key' || route === undefined) return [];
  const own = facts.limits.filter(({ label }) => label !== undefined && label.from === undefined);
  const known = new Set(own.map((limit) => successorOf(limit, plan, facts)));
  const nano = costUnder(plan, facts) ?? 0;
  return plan.limits
    .filter((limit) => !known.has(limit) && countsCall(limit, facts))
    .map((limit) => unusedLimit(limit, amountFor(limit.unit, { ...take, nano }), facts));
}

/** With the balance, of who was asked for none so far: units beyond an allowance are paid from it too. */
function withBalance(
  limits: readonly LimitFact[],
  facts: Facts,
  plan: EffectivePlan,
  asset: string,
): readonly LimitFact[] {
  const { identity } = facts;
  if (identity.kind !== 'key' || limits.some(({ kind }) => kind === 'balance')) return limits;
  const need = costUnder(plan, facts) ?? 0;
  const accountId = `bal:${identity.tenantId}:${asset}`;
  return [...limits, { ...NO_BALANCE, accountId, unit: asset, need }];
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

function unusedLimit(limit: Limit, need: number, facts: Facts): LimitFact {
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
    ...overageOf(limit, need, facts),
  };
}

function allowanceOf(limit: Limit): number {
  return limit.soft ? Number.MAX_SAFE_INTEGER : limit.amount;
}

/** Who agreed to pay for units beyond an allowance is not asked again. */
function overageOf(
  { overage }: Limit,
  need: number,
  { at, agreed }: Facts,
): Pick<LimitFact, 'overage'> {
  if (overage.kind === 'block') return {};
  const kind = at < (agreed?.overageAuthorizedUntil ?? 0) ? 'bill' : overage.kind;
  return { overage: { kind, nano: overageNano(overage.unitPico, need) } };
}

/** What the call costs at most under a plan, by its context price; undefined when its own price was not recorded. */
function costUnder(plan: EffectivePlan, { take, entitlements }: Facts): number | undefined {
  if (plan.usage === 'included') return 0;
  if (take === undefined) return undefined;
  const tokens = entitlements.find(({ kind }) => kind === 'context')?.needed;
  return tokens === undefined ? take.nano : contextCostMost(take.nano, plan.contextTiers, tokens);
}

/** Too fast stays too fast unless the plan lets more through. A rate that is not the plan's is not for sale. */
function rateUnder({ reservation }: Facts, { from, to }: PlanChange): Facts['reservation'] {
  if (reservation?.kind !== 'limited') return undefined;
  if (reservation.from !== undefined) return reservation;
  const isThis = ({ id }: { readonly id: string }): boolean => id === reservation.rateLimitId;
  const now = from?.rateLimits.find(isThis);
  if (now === undefined || to === undefined) return reservation;
  const then = to.rateLimits.find(isThis);
  return then === undefined || hasToken(now, then, reservation.retryAfterMs)
    ? undefined
    : reservation;
}

/**
 * Whether a bucket that has a token again after `waitMs` has one at once when it is larger. Tokens owed stay owed:
 * how fast they are worked off changes nothing now.
 */
function hasToken(now: RateLimit, then: RateLimit, waitMs: number): boolean {
  return (waitMs - 1) * now.count < (then.burst - now.burst) * now.periodMs;
}

/** Whether the purchase lifts this refusal and puts nothing in its place that did not stand in the way before. */
function removes(
  { facts, refusal, catalog }: { facts: Facts; refusal: Refusal; catalog: SaleCatalog },
  offer: Offer,
): boolean {
  const before = obstaclesOf(withSlicesBack(facts)).add(nameObstacle(refusal));
  const after = applyOffer(facts, offer, catalog);
  if (decide(after).kind === 'admit') return true;
  const left = obstaclesOf(after);
  return !left.has(nameObstacle(refusal)) && [...left].every((obstacle) => before.has(obstacle));
}

/** Everything that would refuse the request, not only what does so first. An entitlement step is passed as a whole. */
function obstaclesOf(facts: Facts): Set<string> {
  const obstacles = new Set<string>();
  const { standing, reservation } = facts;
  if (standing?.code !== undefined && !standing.stillServed) obstacles.add('stand');
  if (!isEntitled(facts)) obstacles.add('entitle');
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
