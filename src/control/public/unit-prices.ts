import type { Catalog } from '../../domain/catalog.ts';
import type { Facts } from '../../domain/facts.ts';
import { BYTES, describePrice, formatPico } from './api-docs/published-routes.ts';

/** What the bytes of a call cost, and all else that its route has a price for: where no sum can be told, this can. */
export function describeUnitPrices(facts: Facts, catalog: Catalog): readonly string[] {
  const { route: called, identity, limits } = facts;
  const api = catalog.apis.find(({ id }) => id === called?.apiId);
  const route = api?.routes.find(({ id }) => id === called?.routeId);
  const plan = identity.kind === 'key' ? catalog.plans.get(identity.planId) : undefined;
  const own = route === undefined || plan?.usage === 'included' ? [] : describePrice(route.price);
  const beyond = limits.flatMap(({ label, overage }) => {
    const limit = plan?.limits.find(({ id }) => id === label?.id);
    if (overage?.kind !== 'bill' || limit === undefined || limit.overage.kind === 'block')
      return [];
    if (!limit.unit.includes('bytes')) return [];
    const price = formatPico(limit.overage.unitPico * BYTES, catalog.asset);
    return [`${price} per GB beyond ${limit.id}`];
  });
  return [...own, ...beyond];
}
