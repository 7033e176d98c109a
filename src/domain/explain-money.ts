import type { Catalog } from './catalog.ts';
import { formatNano, formatNumber } from './explain-words.ts';
import type { Facts, OutcomeFact } from './facts.ts';
import { formatDecimal } from './money.ts';
import { costOf, type Price, type Usage } from './pricing.ts';

/** hold -> settle -> release of one request. Amounts are nano of `asset`. */
export interface MoneyView {
  readonly asset: string;
  /** The balance paid; false = the plan's price covers the call and the amounts only count against limits. */
  readonly paidFromBalance: boolean;
  readonly heldNano: number;
  /** What the call cost, and the part of it that was charged: the rest is `overrunNano`. */
  readonly costNano: number;
  readonly chargedNano: number;
  readonly releasedNano: number;
  /** Beyond what could be charged: the provider pays it (DESIGN 5 "overrun"). */
  readonly overrunNano: number;
  /** Units times unit price; empty when the prices that were in force are not loaded any more. */
  readonly lines: readonly PriceLine[];
  /** How the sum became the cost. */
  readonly rounding: string;
  /** Where the unit counts came from. */
  readonly source: string;
}

export interface PriceLine {
  readonly what: string;
  readonly units: number;
  /** `0.20 USD per 1M`, `0.0010 USD each`. */
  readonly unitPrice: string;
  /** Exact, before rounding. */
  readonly amount: string;
}

/** Undefined when nothing was ever set aside: the hold was refused, or the call has no price. */
export function explainMoney(facts: Facts, catalog: Catalog): MoneyView | undefined {
  const { outcome } = facts;
  if (outcome === undefined || facts.reservation?.kind !== 'held') return undefined;
  if (outcome.holdNano === 0 && outcome.costNano === 0) return undefined;
  const lines = outcome.costNano === 0 ? [] : findPriceLines(facts, outcome, catalog);
  const chargedNano = outcome.costNano - outcome.overrunNano;
  return {
    asset: catalog.asset,
    paidFromBalance: facts.limits.some((limit) => limit.kind === 'balance'),
    heldNano: outcome.holdNano,
    costNano: outcome.costNano,
    chargedNano,
    releasedNano: Math.max(0, outcome.holdNano - chargedNano),
    overrunNano: outcome.overrunNano,
    lines,
    rounding: describeRounding(lines, facts, catalog),
    source: describeSource(outcome),
  };
}

/**
 * The log holds the cost and the units, the configuration the prices. Lines are shown only if the very
 * configuration that decided is loaded and its prices give the very cost that was charged.
 */
function findPriceLines(
  facts: Facts,
  outcome: OutcomeFact,
  catalog: Catalog,
): readonly PriceLine[] {
  if (facts.catalogVersion !== catalog.version) return [];
  const usage: Usage = outcome;
  const charged = BigInt(outcome.costNano);
  const price = candidatePrices(facts, outcome, catalog).find(
    (each) => costOf(each, usage) === charged,
  );
  return price === undefined ? [] : priceLines(price, usage);
}

function candidatePrices(facts: Facts, outcome: OutcomeFact, catalog: Catalog): readonly Price[] {
  const { route } = facts;
  const model = outcome.model === undefined ? undefined : catalog.models.get(outcome.model)?.price;
  const api = catalog.apis.find((each) => each.id === route?.apiId);
  const flat = api?.routes.find((each) => each.id === route?.routeId)?.price;
  if (model === undefined) return flat === undefined ? [] : [flat];
  return flat === undefined ? [model] : [model, addPrices(model, flat)];
}

function addPrices(left: Price, right: Price): Price {
  return {
    asset: left.asset,
    perRequest: left.perRequest + right.perRequest,
    perInputToken: left.perInputToken + right.perInputToken,
    perCachedInputToken: left.perCachedInputToken + right.perCachedInputToken,
    perOutputToken: left.perOutputToken + right.perOutputToken,
    perByteIn: left.perByteIn + right.perByteIn,
    perByteOut: left.perByteOut + right.perByteOut,
  };
}

function priceLines(price: Price, usage: Usage): readonly PriceLine[] {
  const { asset } = price;
  const rows: readonly (readonly [string, number, bigint])[] = [
    ['request', 1, price.perRequest],
    ['input tokens', usage.inputTokens - usage.cachedInputTokens, price.perInputToken],
    ['cached input tokens', usage.cachedInputTokens, price.perCachedInputToken],
    ['output tokens', usage.outputTokens, price.perOutputToken],
    ['bytes in', usage.bytesIn, price.perByteIn],
    ['bytes out', usage.bytesOut, price.perByteOut],
  ];
  return rows
    .filter(([, units, pico]) => units > 0 && pico > 0n)
    .map(([what, units, pico]) => ({
      what,
      units,
      unitPrice: formatUnitPrice(what, pico, asset),
      amount: `${formatDecimal(BigInt(units) * pico, 12, 4)} ${asset}`,
    }));
}

/** Per million, as price lists have it: nobody reads 2e-7. */
function formatUnitPrice(what: string, pico: bigint, asset: string): string {
  if (what === 'request') return `${formatDecimal(pico, 12, 4)} ${asset} each`;
  return `${formatDecimal(pico * 1_000_000n, 12)} ${asset} per 1M`;
}

function describeRounding(lines: readonly PriceLine[], facts: Facts, catalog: Catalog): string {
  if (lines.length > 0) return 'The lines are summed exactly and rounded once, up, to a billionth.';
  if (facts.outcome?.costNano === 0)
    return 'No successful answer was served, so nothing was charged.';
  return facts.catalogVersion === catalog.version
    ? 'The cost was rounded once, up, to a billionth.'
    : `Decided under configuration ${facts.catalogVersion}; the one in force now is ${catalog.version}, so the unit prices of that moment are not shown.`;
}

function describeSource(outcome: OutcomeFact): string {
  if (outcome.inputTokens + outcome.outputTokens === 0) {
    return 'The gateway counted the request and its bytes.';
  }
  const counted = outcome.estimated
    ? 'The upstream reported no usage, so the gateway counted the tokens itself.'
    : 'The upstream reported the token counts.';
  const { clampedOutputTokens } = outcome;
  if (clampedOutputTokens === undefined) return counted;
  return `${counted} The output was limited to ${formatNumber(clampedOutputTokens)} tokens, which is what the balance afforded.`;
}

/** `0.0420 USD held - 0.0117 USD charged = 0.0303 USD released.` */
export function describeArithmetic(money: MoneyView): string {
  const amount = (nano: number) => formatNano(nano, money.asset);
  const charged = `${amount(money.chargedNano)} ${money.paidFromBalance ? 'charged' : 'counted'}`;
  const grown = money.chargedNano - money.heldNano;
  const settled =
    grown > 0
      ? `${amount(money.heldNano)} held + ${amount(grown)} held while it ran = ${charged}.`
      : `${amount(money.heldNano)} held - ${charged} = ${amount(money.releasedNano)} released.`;
  if (money.overrunNano === 0) return settled;
  return `${settled} The call cost ${amount(money.costNano)}; the provider pays the other ${amount(money.overrunNano)}.`;
}
