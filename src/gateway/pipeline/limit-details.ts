import type { ProblemDetails } from '../../contract/problem-document.ts';
import type { Catalog, RateLimit } from '../../domain/catalog.ts';
import { neededOf } from '../../domain/decide.ts';
import type { LimitFact } from '../../domain/facts.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isMoney, isSlot } from '../../domain/take.ts';
import { formatNano } from './answer-headers.ts';
import { omitUndefined, type RefusalDescription } from './refusal-description.ts';
import { ratesOf } from './stand.ts';

/** Digits of a price behind the point: pico. */
const PRICE_DIGITS = 12;

/** What is counted when a caller is too fast. */
export function describeRate({ context, exchange, facts }: RefusalDescription): ProblemDetails {
  const { reservation, storm, routing } = facts;
  if (routing?.code === 'RATE_LIMITED') {
    const limit = context.addressLimiter?.limit;
    return {
      limit_id: 'address_limit',
      ...(limit === undefined ? { unit: 'requests' } : pace(limit)),
      ...omitUndefined({ address: exchange.address }),
    };
  }
  if (storm !== undefined) {
    const { retryStormPerMinute } = exchange.compiled.catalog;
    return { cause: storm.cause, allowed_usage: retryStormPerMinute, window: 'minute' };
  }
  if (reservation?.kind !== 'limited') return {};
  const limit = ratesOf(exchange).find(
    ({ limit: { id }, from }) => id === reservation.rateLimitId && from === reservation.from,
  )?.limit;
  return limit === undefined ? {} : describeUsedRate(limit);
}

/** Who is refused has none left of what the rate allows. */
function describeUsedRate(limit: RateLimit): ProblemDetails {
  const pacing = pace(limit);
  return {
    exceeded_limit_type: `requests_per_${pacing.window.replace(' ', '_')}`,
    limit_id: limit.id,
    scope: limit.scope,
    ...pacing,
    current_usage: limit.count,
    remaining: 0,
  };
}

/** The quota, budget or balance that does not cover the call (C402-06). */
export function describeLimit(description: RefusalDescription): ProblemDetails {
  const { exchange, facts, refusal, code } = description;
  const { limit } = refusal;
  // When the books do not answer there are no numbers that could be told.
  if (limit === undefined || code === 'BILLING_UNAVAILABLE') return {};
  const { catalog } = exchange.compiled;
  const short = facts.reservation?.kind === 'short' ? facts.reservation : undefined;
  const held = short?.held ?? 0;
  const used = usedOf(limit, held);
  const remaining = Math.max(0, limit.allowance - used);
  const inUnits = (units: number): number | string => quantity(limit, units, catalog);
  return Object.assign(
    describeLabel(description, limit, catalog),
    {
      current_usage: inUnits(used),
      allowed_usage: inUnits(limit.allowance),
      remaining: inUnits(remaining),
      needed: inUnits(neededOf(limit, facts)),
    },
    omitUndefined({
      available: limit.kind === 'balance' ? inUnits(Math.max(0, remaining - held)) : undefined,
      held: refusal.transient ? inUnits(held) : undefined,
      affordable_max_tokens: short?.affordableOutputTokens,
      price: priceBeyond(description, limit, catalog),
    }),
  );
}

/** A slot is never spent: what is used of it are the calls that run (QUOTA-10). */
function usedOf(limit: LimitFact, held: number): number {
  if (!isSlot(limit.unit)) return limit.spent;
  return Math.min(limit.allowance, Math.max(held, limit.reserved));
}

function describeLabel(
  { facts }: RefusalDescription,
  { label }: LimitFact,
  catalog: Catalog,
): ProblemDetails {
  if (label === undefined) {
    return { exceeded_limit_type: 'credits', scope: 'tenant', unit: catalog.asset };
  }
  const isOfOperation = label.unit === 'operations' || label.scope === 'operation';
  return Object.assign(
    {
      exceeded_limit_type: isSlot(label.unit) ? label.unit : `${label.unit}_per_${label.window}`,
      limit_id: label.id,
      scope: label.scope,
      unit: label.unit === 'spend' ? catalog.asset : label.unit,
    },
    omitUndefined({
      from: label.from === 'ancestor' ? label.from : undefined,
      window: isSlot(label.unit) ? undefined : label.window,
      operation: isOfOperation ? facts.route?.operation : undefined,
      model: label.scope === 'model' ? label.of : undefined,
    }),
  );
}

/** Of one unit beyond an allowance that has to be approved first (PLAN-11): as its own plan sells it, which may be one above. */
function priceBeyond(
  { exchange }: RefusalDescription,
  { accountId, overage }: LimitFact,
  { asset }: Catalog,
): string | undefined {
  if (overage?.kind !== 'authorize') return undefined;
  const terms = exchange.needs.find(({ account }) => account.id === accountId)?.account.overage;
  return terms && `${formatDecimal(terms.unitPico, PRICE_DIGITS, 4)} ${asset}`;
}

function pace({ count, periodMs }: Pick<RateLimit, 'count' | 'periodMs'>) {
  const window = PERIODS[periodMs] ?? `${periodMs / 1000} seconds`;
  return { unit: 'requests', allowed_usage: count, window };
}

const PERIODS: Readonly<Record<number, string>> = {
  1000: 'second',
  60_000: 'minute',
  3_600_000: 'hour',
  86_400_000: 'day',
};

function quantity(limit: LimitFact, units: number, catalog: Catalog): number | string {
  return isMoney(limit) ? `${formatNano(units)} ${catalog.asset}` : units;
}
