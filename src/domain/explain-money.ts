import type { Catalog } from './catalog.ts';
import { findPriceLines, type PriceLine, unitsCounted } from './explain-prices.ts';
import { formatNano, formatNumber, formatUnits, hasNoEnd, nameOf } from './explain-words.ts';
import type { Facts, LimitFact, OutcomeFact } from './facts.ts';
import { isMoney, isSlot } from './take.ts';

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

/** The same of one allowance: requests, tokens, bytes, compute. */
export interface CountView {
  readonly name: string;
  /** `1,554 of 4,096 tokens held were used, 2,542 went back.` */
  readonly text: string;
  readonly unit: string;
  readonly held: number;
  readonly counted: number;
  readonly released: number;
}

/** Undefined when nothing was ever set aside: the hold was refused, or the call has no price. */
export function explainMoney(facts: Facts, catalog: Catalog): MoneyView | undefined {
  const { outcome } = facts;
  if (outcome === undefined || !wasHeld(facts)) return undefined;
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

/** What each allowance held for the call, and how much of that counted; empty while it runs or when it was refused. */
export function explainCounts(facts: Facts, catalog: Catalog): readonly CountView[] {
  const { outcome, limits } = facts;
  if (outcome === undefined || !wasHeld(facts)) return [];
  return limits
    .filter((limit) => limit.kind === 'quota' && !isMoney(limit))
    .map((limit) => countOf(limit, facts, outcome, catalog.asset));
}

/** What was only observed takes nothing of any account (EVID-01). */
function wasHeld({ reservation, outcome }: Facts): boolean {
  return reservation?.kind === 'held' && outcome?.wouldRefuse === undefined;
}

function countOf(
  limit: LimitFact,
  { limits }: Facts,
  outcome: OutcomeFact,
  asset: string,
): CountView {
  const { accountId, unit } = limit;
  const isCharged = isServed(outcome) && !isSlot(unit);
  const counted = isCharged ? unitsCounted(accountId, unit, limits, outcome) : 0;
  const released = Math.max(0, limit.need - counted);
  const words = (units: number) => formatUnits(limit, units, asset);
  const held = `${words(limit.need)} held`;
  const text = isSlot(limit.unit)
    ? `${held} while the call ran, and free again.`
    : `${held} - ${words(counted)} counted = ${words(released)} released.`;
  const grown = `${held} + ${words(counted - limit.need)} held while it ran = ${words(counted)} counted.`;
  return {
    name:
      hasNoEnd(limit) && limit.label?.softAt === undefined
        ? `${nameOf(limit)}, beyond it`
        : nameOf(limit),
    text: counted > limit.need ? grown : text,
    unit: limit.unit,
    held: limit.need,
    counted,
    released,
  };
}

/** An answer with an error of the upstream counts nothing (REQUIREMENTS "refused and failed requests"). */
function isServed({ status, ending, costNano }: OutcomeFact): boolean {
  return costNano > 0 || (status >= 200 && status < 400 && ending !== 'refused');
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
