import type { Catalog, Pack } from '../../src/domain/catalog.ts';
import { decide, type Refusal } from '../../src/domain/decide.ts';
import type { Facts } from '../../src/domain/facts.ts';
import { findOffers, type Offer } from '../../src/domain/offers.ts';

export const ROUTE = {
  apiId: 'demo',
  routeId: 'weather',
  operation: 'weather',
  kind: 'proxy',
  dialect: 'plain',
  endpointClass: 'metered',
} as const;
export const pack = (id: string, creditNano: bigint): Pack => ({
  id,
  title: id,
  priceNano: creditNano,
  creditNano,
});
export const GONE = {
  kind: 'short',
  index: 0,
  cause: 'gone',
  held: 0,
  affordableOutputTokens: undefined,
} as const;

export function refusalOf(facts: Facts): Refusal {
  const decision = decide(facts);
  if (decision.kind === 'admit') throw new Error('it is admitted');
  return decision;
}

/** What is offered for facts that refuse, by id, in order. */
export function offered(facts: Facts, catalog: Catalog): readonly string[] {
  return findOffers(facts, refusalOf(facts), catalog).map(idOf);
}

export function idOf(offer: Offer): string {
  if (offer.kind === 'add_on') return offer.addOn.id;
  return offer.kind === 'plan' ? offer.plan.id : offer.pack.id;
}
