import type { Catalog, ContextTier, Limit } from './catalog.ts';
import { formatNumber } from './explain-words.ts';
import type { Facts, LimitFact, OutcomeFact } from './facts.ts';
import { divideCeil, formatDecimal, PICO_PER_NANO } from './money.ts';
import { picoOf, type Price, type Usage } from './pricing.ts';
import { amountFor } from './take.ts';

/** One row of the bill of a call. */
export interface PriceLine {
  readonly what: string;
  /** Undefined where a factor was applied, and no unit counted. */
  readonly units: number | undefined;
  /** `0.20 USD per 1M`, `0.0010 USD each`, `x 1.5`. */
  readonly unitPrice: string;
  /** Exact, before rounding. */
  readonly amount: string;
}

/**
 * The log holds the cost and the units, the configuration the prices. Lines are shown only if the very
 * configuration that decided is loaded and its prices give the very cost that was charged: with the price of the
 * context's size and of what went beyond an allowance, where the plan has them.
 */
export function findPriceLines(
  facts: Facts,
  outcome: OutcomeFact,
  catalog: Catalog,
): readonly PriceLine[] {
  if (facts.catalogVersion !== catalog.version) return [];
  const overage = overageLines(facts, outcome, catalog);
  const charged = BigInt(outcome.costNano);
  // A plan whose price covers the calls does not cover what goes beyond its allowances.
  const included = overage.length === 0 ? [] : [{ ...NO_PRICE, asset: catalog.asset }];
  for (const price of [...candidatePrices(facts, outcome, catalog), ...included]) {
    for (const tier of tiersOf(facts, catalog)) {
      for (const extra of overage.length === 0 ? [overage] : [overage, []]) {
        if (totalNano(price, outcome, tier, extra) !== charged) continue;
        return [
          ...priceLines(price, outcome),
          ...tierLines(price, outcome, tier),
          ...extra.map(toLine),
        ];
      }
    }
  }
  return [];
}

const NO_PRICE = {
  perRequest: 0n,
  perInputToken: 0n,
  perCachedInputToken: 0n,
  perOutputToken: 0n,
  perByteIn: 0n,
  perByteOut: 0n,
};

interface OverageLine {
  readonly limit: Limit;
  readonly units: number;
  readonly pico: bigint;
  readonly asset: string;
}

function totalNano(
  price: Price,
  usage: Usage,
  tier: ContextTier | undefined,
  overage: readonly OverageLine[],
): bigint {
  const base = divideCeil(picoOf(price, usage), PICO_PER_NANO);
  const permille = BigInt(tier?.priceMultiplierPermille ?? 1000);
  let nano = divideCeil(base * permille, 1000n);
  for (const { pico } of overage) nano += divideCeil(pico, PICO_PER_NANO);
  return nano;
}

/** The plain price first, then each size of the plan that has one of its own. */
function tiersOf({ identity }: Facts, catalog: Catalog): readonly (ContextTier | undefined)[] {
  const plan = identity.kind === 'key' ? catalog.plans.get(identity.planId) : undefined;
  const tiers = plan?.contextTiers ?? [];
  return [undefined, ...tiers.filter((tier) => tier.priceMultiplierPermille !== 1000)];
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
      amount: formatPico(BigInt(units) * pico, asset),
    }));
}

/** Per million, as price lists have it: nobody reads 2e-7. */
function formatUnitPrice(what: string, pico: bigint, asset: string): string {
  if (what === 'request') return `${formatPico(pico, asset)} each`;
  return `${formatDecimal(pico * 1_000_000n, 12)} ${asset} per 1M`;
}

/** What a large context adds (LLM-10). */
function tierLines(
  price: Price,
  usage: Usage,
  tier: ContextTier | undefined,
): readonly PriceLine[] {
  if (tier === undefined) return [];
  const factor = BigInt(tier.priceMultiplierPermille);
  const base = picoOf(price, usage);
  return [
    {
      what: `context of up to ${formatNumber(tier.tokensMax)} tokens`,
      units: undefined,
      unitPrice: `x ${formatDecimal(factor, 3, 1)}`,
      amount: formatPico((base * (factor - 1000n)) / 1000n, price.asset),
    },
  ];
}

/** Units beyond an allowance, of every limit that bills them (PLAN-11). */
function overageLines(
  facts: Facts,
  outcome: OutcomeFact,
  catalog: Catalog,
): readonly OverageLine[] {
  const { identity, limits } = facts;
  const plan = identity.kind === 'key' ? catalog.plans.get(identity.planId) : undefined;
  return limits.flatMap(({ accountId, label }) => {
    const limit = plan?.limits.find(({ id }) => id === label?.id);
    if (!accountId.endsWith(OVER) || limit === undefined || limit.overage.kind === 'block') {
      return [];
    }
    const units = unitsCounted(accountId, limit.unit, facts.limits, outcome);
    return [{ limit, units, pico: limit.overage.unitPico * BigInt(units), asset: catalog.asset }];
  });
}

function toLine({ limit, units, pico, asset }: OverageLine): PriceLine {
  const unitPico = limit.overage.kind === 'block' ? 0n : limit.overage.unitPico;
  return {
    what: `${limit.unit.replaceAll('_', ' ')} beyond ${limit.id}`,
    units,
    unitPrice: `${formatPico(unitPico, asset)} each`,
    amount: formatPico(pico, asset),
  };
}

const OVER = ':over';

/**
 * What a finished call took of one account: within an allowance what was held there, and beyond it the rest
 * (`overageAccount`).
 */
export function unitsCounted(
  accountId: string,
  unit: string,
  limits: readonly LimitFact[],
  outcome: OutcomeFact,
): number {
  const used = unitsUsed(unit, outcome);
  const isBeyond = accountId.endsWith(OVER);
  const allowance = isBeyond ? accountId.slice(0, -OVER.length) : accountId;
  const isSplit = limits.some((each) => each.accountId === `${allowance}${OVER}`);
  if (!isSplit) return used;
  const within = Math.min(used, limits.find((each) => each.accountId === allowance)?.need ?? 0);
  return isBeyond ? used - within : within;
}

function unitsUsed(unit: string, outcome: OutcomeFact): number {
  const { inputTokens, outputTokens, bytesIn, bytesOut, costNano } = outcome;
  const { computeUnits = 0, computeMs = 0 } = outcome;
  const take = { inputTokens, outputTokens, bytesIn, bytesOut, computeUnits, computeMs };
  return amountFor(unit, { ...take, nano: costNano });
}

function formatPico(pico: bigint, asset: string): string {
  return `${formatDecimal(pico, 12, 4)} ${asset}`;
}
