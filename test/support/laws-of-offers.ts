import { CODES } from '../../src/contract/codes.ts';
import type { Catalog } from '../../src/domain/catalog.ts';
import { decide, isShort, type Refusal } from '../../src/domain/decide.ts';
import type { Facts } from '../../src/domain/facts.ts';
import {
  applyOffer,
  finalCode,
  findOffers,
  type Offer,
  offersOnSale,
} from '../../src/domain/offers.ts';
import { idOf } from './offered.ts';

/** What should hold of the offers for any facts and does not. */
export function findBrokenLaws(facts: Facts, catalog: Catalog): readonly string[] {
  const refusal = decide(facts);
  if (refusal.kind === 'admit') return [];
  const offers = findOffers(facts, refusal, catalog);
  const { status } = CODES[refusal.code];
  const { status: final } = CODES[finalCode(refusal, offers)];
  const expected = refusal.step === 'entitle' && offers.length === 0 ? 403 : status;
  const laws: Record<string, boolean> = {
    'offers lift only what money lifts': status === 402 || offers.length === 0,
    'an entitlement is 402 exactly if something on sale passes the step': final === expected,
  };
  for (const offer of offers) Object.assign(laws, lawsOfOffer(offer, { facts, refusal, catalog }));
  for (const offer of status === 402 ? offersOnSale(facts, catalog) : []) {
    const found = offers.some((each) => each.kind === offer.kind && idOf(each) === idOf(offer));
    laws[`${idOf(offer)} is not missed`] =
      found || decide(applyOffer(facts, offer, catalog)).kind === 'refuse';
  }
  return Object.keys(laws).filter((law) => laws[law] === false);
}

/** What an offer that is made must do; what else is wrong with the request may stay wrong. */
function lawsOfOffer(
  offer: Offer,
  { facts, refusal, catalog }: { facts: Facts; refusal: Refusal; catalog: Catalog },
): Record<string, boolean> {
  const after = applyOffer(facts, offer, catalog);
  const decision = decide(after);
  if (decision.kind === 'admit') return {};
  const still = decision.limit?.accountId;
  const sameStep = decision.step === refusal.step;
  const wasShort = facts.limits.some(
    (limit, index) =>
      limit.accountId === still && (isShort(limit, facts) || isFoundShort(facts, index)),
  );
  return {
    [`${idOf(offer)} lifts the refusal`]: !sameStep || still !== refusal.limit?.accountId,
    [`${idOf(offer)} puts nothing new in the way`]:
      // What is missing is for sale all the same, where each that has it leads to another refusal.
      refusal.step === 'entitle' ||
      decision.step !== 'reserve' ||
      wasShort ||
      decision.limit === undefined,
  };
}

/** The engine found it short, whatever the numbers of slices taken ahead say. */
function isFoundShort({ reservation }: Facts, index: number): boolean {
  return reservation?.kind === 'short' && reservation.index === index;
}
