import type { Code } from '../contract/codes.ts';
import { accountsFor, type AccountSpec, balanceAccount } from './accounts.ts';
import type { Catalog } from './catalog.ts';
import type { AccountNumbersNow } from './checklist-limits.ts';
import { contextCost } from './context-tiers.ts';
import type { EntitlementFact, Facts, LimitFact } from './facts.ts';
import { toSafeNumber, toSafeNumberAtMost } from './money.ts';
import { grantsEntitlement } from './offers.ts';
import { overageNano } from './overage.ts';
import { costOf } from './pricing.ts';
import type { StandingFact } from './standing.ts';
import { sizeOf, takeOf } from './probe-size.ts';
import { amountFor, type Take } from './take.ts';
import { ownNameOf, type TenantAccess } from './tenant-access.ts';

/** What is tried instead of the request: itself, the least of it, or the same with the cheapest model (DIAG-07). */
export type ProbeKind = 'same' | 'reduced' | 'cheaper';

/** Everything as it is now. */
export interface ProbeNow {
  /** Epoch ms. */
  readonly at: number;
  readonly access: TenantAccess;
  readonly standing: StandingFact;
  /** By account id. */
  readonly accounts: ReadonlyMap<string, AccountNumbersNow>;
  readonly catalog: Catalog;
}

export interface Probe {
  /** For `decide`: nothing has been reserved, so its numbers decide. */
  readonly facts: Facts;
  readonly model: string | undefined;
  readonly take: Take;
  /** False: it was turned away before its size was counted, so limits and balance are tried without it. */
  readonly sizeIsKnown: boolean;
}

/** The request as it would be asked now; undefined when the kind makes no sense for it: a call without a model has no cheaper one. */
export function probe(facts: Facts, kind: ProbeKind, now: ProbeNow): Probe | undefined {
  const model = kind === 'cheaper' ? cheapestModel(facts, now) : modelOf(facts);
  if (kind === 'cheaper' && model === undefined) return undefined;
  const { take: asked, isKnown: sizeIsKnown } = sizeOf(facts, kind, model);
  const entitlements = entitlementsNow(facts, model, asked, now);
  const take = {
    ...asked,
    nano: kind === 'same' ? asked.nano : costOfTake(asked, model, facts, now),
  };
  const priced = { ...take, nano: priceOfContext(take.nano, entitlements, now) };
  return {
    model,
    take: priced,
    sizeIsKnown,
    facts: {
      ...facts,
      at: now.at,
      understanding: faultLeft(facts, kind, model),
      catalogVersion: now.catalog.version,
      entitlements,
      limits: limitsNow(facts, model, chargedFor(priced, now), now),
      standing: now.standing,
      enforcement: 'enforce',
      reservation: undefined,
      take: priced,
      agreed: now.access.agreed,
      storm: undefined,
      forwarding: undefined,
      outcome: undefined,
    },
  };
}

const TOO_LARGE: ReadonlySet<Code> = new Set(['CONTEXT_LENGTH_EXCEEDED', 'BODY_TOO_LARGE']);
const OF_ITS_MODEL: ReadonlySet<Code> = new Set(['CONTEXT_LENGTH_EXCEEDED', 'MODEL_NOT_FOUND']);

/** A small call is not too large, and another model has its own name and window; what else is wrong stays wrong. */
function faultLeft(
  facts: Facts,
  kind: ProbeKind,
  model: string | undefined,
): Facts['understanding'] {
  const { understanding } = facts;
  if (understanding === undefined) return undefined;
  const { code } = understanding;
  const isLifted =
    (kind === 'reduced' && TOO_LARGE.has(code)) ||
    (model !== modelOf(facts) && OF_ITS_MODEL.has(code));
  return isLifted ? undefined : understanding;
}

/** What of it is money under the plan as it is: nothing where the plan's price covers the calls. */
function chargedFor(take: Take, { access }: Pick<ProbeNow, 'access'>): Take {
  return access.plan.usage === 'prepaid' ? take : { ...take, nano: 0 };
}

function modelOf({ entitlements, outcome }: Facts): string | undefined {
  return outcome?.model ?? entitlements.find(({ kind }) => kind === 'model')?.id;
}

function cheapestModel(facts: Facts, { access, catalog }: ProbeNow): string | undefined {
  const named = modelOf(facts);
  if (named === undefined) return undefined;
  const counted = sizeOf(facts, 'cheaper', named);
  // Without its tokens all cost the same: a small call tells them apart.
  const { take } = counted.isKnown ? counted : sizeOf(facts, 'reduced', named);
  const usage = { ...take, cachedInputTokens: 0, estimated: true };
  const priced = [...catalog.models.values()]
    .filter(({ id }) => grantsEntitlement(access.plan, { kind: 'model', id }))
    .map(({ id, price }) => ({ id, nano: costOf(price, usage) }))
    .toSorted((left, right) => (left.nano < right.nano ? -1 : 1));
  return priced[0]?.id;
}

function costOfTake(take: Take, model: string | undefined, facts: Facts, now: ProbeNow): number {
  const price = model === undefined ? flatPrice(facts, now) : now.catalog.models.get(model)?.price;
  if (price === undefined) return take.nano;
  return toSafeNumberAtMost(costOf(price, { ...take, cachedInputTokens: 0, estimated: true }));
}

function flatPrice({ route }: Facts, { catalog }: ProbeNow) {
  const api = catalog.apis.find(({ id }) => id === route?.apiId);
  return api?.routes.find(({ id }) => id === route?.routeId)?.price;
}

function priceOfContext(
  nano: number,
  entitlements: readonly EntitlementFact[],
  { access }: Pick<ProbeNow, 'access'>,
): number {
  const tokens = entitlements.find(({ kind }) => kind === 'context')?.needed;
  return tokens === undefined ? nano : contextCost(nano, access.plan.contextTiers, tokens);
}

function entitlementsNow(
  { entitlements }: Facts,
  model: string | undefined,
  take: Take,
  { access }: ProbeNow,
): readonly EntitlementFact[] {
  return entitlements.map((each) => {
    const asked = shrink(
      each.kind === 'model' && model !== undefined ? { ...each, id: model } : each,
      take,
    );
    // A cap of the key itself is not the plan's to raise (KEY-05).
    const isKeys = asked.kind === 'context' && asked.id === 'key';
    const granted = isKeys
      ? (asked.needed ?? 0) <= (asked.allowed ?? 0)
      : grantsEntitlement(access.plan, asked);
    return { ...asked, granted };
  });
}

function shrink(entitlement: EntitlementFact, take: Take): EntitlementFact {
  const { kind, needed } = entitlement;
  if (needed === undefined) return entitlement;
  const most = kind === 'context' ? take.inputTokens + take.outputTokens : take.bytesIn;
  return { ...entitlement, needed: most === 0 ? needed : Math.min(needed, most) };
}

/** What the request needs of every account that it counts in, by the numbers of now. */
export function needsNow(facts: Facts, now: Omit<ProbeNow, 'standing'>): readonly LimitFact[] {
  const named = modelOf(facts);
  const asked = takeOf(facts);
  const take = { ...asked, nano: priceOfContext(asked.nano, facts.entitlements, now) };
  const model = named === undefined ? undefined : ownNameOf(named, now.catalog.models);
  return withBalance(limitsNow(facts, model, chargedFor(take, now), now), now);
}

/** Units beyond an allowance are paid from the balance, also where the plan's price covers the calls. */
function withBalance(
  limits: readonly LimitFact[],
  now: Omit<ProbeNow, 'standing'>,
): readonly LimitFact[] {
  const isBilled = limits.some(({ overage }) => overage?.kind === 'bill');
  if (!isBilled || limits.some(({ kind }) => kind === 'balance')) return limits;
  const spec = balanceAccount(now.access.holder.payerId, now.catalog.asset);
  return [...limits, limitNow(spec, now.accounts.get(spec.id), 0, now)];
}

function limitsNow(
  facts: Facts,
  model: string | undefined,
  take: Take,
  { access, accounts, catalog, at }: Omit<ProbeNow, 'standing'>,
): readonly LimitFact[] {
  const { route } = facts;
  if (route === undefined) return [];
  const endUser = facts.limits.find(({ label }) => label?.scope === 'end_user')?.label?.of;
  const call = { routeId: route.routeId, operation: route.operation, model, endUser };
  return accountsFor(access.plan, access.holder, call, { asset: catalog.asset, at })
    .map((spec) =>
      limitNow(spec, accounts.get(spec.id), amountFor(spec.unit, take), { access, at }),
    )
    .filter(({ need }) => need > 0);
}

function limitNow(
  spec: AccountSpec,
  account: AccountNumbersNow | undefined,
  need: number,
  now: Pick<ProbeNow, 'access' | 'at'>,
): LimitFact {
  return {
    accountId: spec.id,
    kind: spec.kind,
    unit: spec.unit,
    label: spec.limit,
    need,
    allowance: spec.kind === 'balance' ? toSafeNumber(account?.allowance ?? 0n) : spec.allowance,
    spent: toSafeNumber(account?.spent ?? 0n),
    reserved: toSafeNumber(account?.reserved ?? 0n),
    resetsAt: spec.windowEndsAt ?? account?.resetsAt,
    ...overageNow(spec, need, now),
  };
}

function overageNow(
  { overage }: AccountSpec,
  need: number,
  { access, at }: Pick<ProbeNow, 'access' | 'at'>,
): Pick<LimitFact, 'overage'> {
  if (overage === undefined) return {};
  const allowedUntil = access.payer.terms.overageAuthorizedUntil;
  const isAllowed = overage.kind === 'bill' || (allowedUntil !== undefined && at < allowedUntil);
  const kind = isAllowed ? 'bill' : 'authorize';
  return { overage: { kind, nano: overageNano(overage.unitPico, need) } };
}
