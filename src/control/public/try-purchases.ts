import type { Catalog } from '../../domain/catalog.ts';
import type { Facts } from '../../domain/facts.ts';
import { toSafeNumberAtMost } from '../../domain/money.ts';
import { addCredit, applyOffer, type Offer } from '../../domain/offers.ts';
import { costOf, NO_USAGE } from '../../domain/pricing.ts';
import { needsNow } from '../../domain/probe.ts';
import { NO_TAKE } from '../../domain/take.ts';
import { accessOf } from '../../domain/tenant-access.ts';
import type { KeyWithTenant, Tenant } from '../../stores/store.ts';
import { byId, readAccounts, type StateDeps } from './current-state.ts';
import { ancestorsOf } from './tenant-chain.ts';

/** The same request with all of it bought before: one plan with everything on it, by what the books have used of that. */
export async function tryPurchases(
  deps: StateDeps,
  asked: Facts,
  offers: readonly Offer[],
): Promise<Facts> {
  const catalog = deps.catalog();
  const facts = withPrice(asked, catalog);
  const bought = offers.reduce((changed, offer) => applyOffer(changed, offer, catalog), facts);
  const buyer = await readBuyer(deps, bought);
  if (buyer === undefined) return bought;
  const chain = [buyer.tenant, ...buyer.ancestors];
  if (chain.some(({ planId }) => !catalog.plans.has(planId))) return bought;
  const at = deps.now();
  const accounts = byId(await readAccounts(deps, chain));
  const limits = needsNow(bought, { access: accessOf(buyer, catalog, at), accounts, catalog, at });
  const packs = offers.flatMap((offer) => (offer.kind === 'pack' ? [offer.pack] : []));
  return { ...bought, limits: limits.map((limit) => packs.reduce(addCredit, limit)) };
}

/** A request that was turned away before its price was worked out takes at least what its route costs. */
function withPrice(facts: Facts, { apis }: Catalog): Facts {
  const { take, route: called } = facts;
  const api = apis.find(({ id }) => id === called?.apiId);
  const route = api?.routes.find(({ id }) => id === called?.routeId);
  if (take !== NO_TAKE || route === undefined) return facts;
  const nano = toSafeNumberAtMost(costOf(route.price, NO_USAGE));
  return { ...facts, take: { ...NO_TAKE, computeUnits: route.compute?.unitsMax ?? 0, nano } };
}

/** Who would have bought it: whoever pays has the plan and the add-ons that `facts` name. */
async function readBuyer(
  { store }: StateDeps,
  { identity, agreed }: Facts,
): Promise<KeyWithTenant | undefined> {
  if (identity.kind !== 'key') return undefined;
  const [key, tenant] = await Promise.all([
    store.key(identity.keyId),
    store.tenant(identity.tenantId),
  ]);
  if (key === undefined || tenant === undefined) return undefined;
  const ancestors = await ancestorsOf(store, tenant);
  const payer = [tenant, ...ancestors].find(({ terms }) => !terms.pooled) ?? tenant;
  const buy = (each: Tenant): Tenant => {
    if (each !== payer) return each;
    const purchases = agreed?.purchases ?? each.terms.purchases;
    return { ...each, planId: identity.planId, terms: { ...each.terms, purchases } };
  };
  return { key, tenant: buy(tenant), ancestors: ancestors.map(buy) };
}
