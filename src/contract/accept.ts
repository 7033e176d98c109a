import { parseQualityList, type QualityItem } from './quality-list.ts';

/** One representation and the media types it is asked for by; the first of them is what it is. */
export type Offer<Name extends string> = readonly [Name, readonly string[]];

/**
 * RFC 9110 12.5.1: the offer that `Accept` likes best. Of two it likes equally the one it names wins
 * over the one a wildcard covers, then the earlier of the offers. The first is also for who sends no
 * such header, and for whom nothing fits: nobody is turned away for the form of an answer.
 */
export function chooseOffer<Name extends string>(
  offers: readonly [Offer<Name>, ...Offer<Name>[]],
  accept: string | undefined,
): Name {
  const [[first, [firstType]]] = offers;
  // What programs send: nothing is parsed for them.
  if (accept === undefined || accept === '*/*' || accept === firstType) return first;
  let best = first;
  const items = parseQualityList(accept);
  let bestScore = 0;
  for (const [name, types] of offers) {
    const score = scoreOffer(types, items);
    if (score <= bestScore) continue;
    best = name;
    bestScore = score;
  }
  return best;
}

/** What its names weigh; where `Accept` has none of them, the most specific wildcard that covers it. */
function scoreOffer(types: readonly string[], items: readonly QualityItem[]): number {
  let specificity = 0;
  let quality = 0;
  for (const item of items) {
    const found = specificityOf(item.value, types);
    if (found === 0 || found < specificity) continue;
    quality = found > specificity ? item.quality : Math.max(quality, item.quality);
    specificity = found;
  }
  // Between equal weights, of three digits at most, the more specific one counts.
  return quality === 0 ? 0 : quality * 1000 + specificity / 10;
}

function specificityOf(range: string, types: readonly string[]): number {
  const [type = ''] = types;
  if (types.includes(range)) return 3;
  if (range === '*/*') return 1;
  // `application/vnd.example+json` comes from a program that reads JSON.
  if (range.endsWith('+json') && type === 'application/json') return 3;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1)) ? 2 : 0;
}
