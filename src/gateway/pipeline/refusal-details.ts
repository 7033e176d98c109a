import { type Code, CODES } from '../../contract/codes.ts';
import type { ProblemDetails, UpgradeOption } from '../../contract/problem-document.ts';
import type { Catalog } from '../../domain/catalog.ts';
import type { Refusal } from '../../domain/decide.ts';
import type { Facts, LimitFact } from '../../domain/facts.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Offer } from '../../domain/offers.ts';
import { formatNano } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { rateLimitsOf } from './stand.ts';

/** Everything a refusal's numbers come from. */
export interface RefusalDescription {
  readonly context: Pick<GatewayContext, 'compiled' | 'publicUrl'>;
  readonly exchange: Exchange;
  readonly facts: Facts;
  readonly refusal: Refusal;
  readonly offers: readonly Offer[];
  readonly code: Code;
  readonly payUrl: string | undefined;
}

/** The `details` of the body: what was refused, in numbers (C402-06, C402-07). */
export function describeRefusal(description: RefusalDescription): ProblemDetails {
  return {
    ...describeFault(description),
    ...describeKey(description.facts),
    ...describeRate(description),
    ...describeEntitlement(description),
    ...describeLimit(description),
    ...describeOffers(description),
  };
}

type Defined<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** The members that have a value: absent and undefined are not the same in JSON types. */
export function omitUndefined<Members extends object>(members: Members): Defined<Members> {
  const kept: Defined<Members> = {};
  for (const name of Object.keys(members) as (keyof Members)[]) {
    const value = members[name];
    if (value !== undefined) kept[name] = value as Exclude<Members[keyof Members], undefined>;
  }
  return kept;
}

function describeFault({ exchange, facts, code }: RefusalDescription): ProblemDetails {
  const fault = facts.routing ?? facts.understanding ?? facts.forwarding;
  if (fault === undefined) return {};
  const common = { method: exchange.request.method, path: facts.path, reason: fault.problem };
  return {
    ...common,
    ...omitUndefined({ pointer: fault.pointer }),
    ...BOUNDS[code]?.(exchange),
  };
}

/** The number that a few codes turn on. */
const BOUNDS: { readonly [code in Code]?: (exchange: Exchange) => ProblemDetails } = {
  METHOD_NOT_ALLOWED: ({ allowedMethods }) => ({ allowed_methods: allowedMethods }),
  MODEL_NOT_FOUND: ({ model }) => omitUndefined({ model }),
  CONTEXT_LENGTH_EXCEEDED: ({ model, window }) =>
    omitUndefined({ model, needed: window?.needed, allowed_usage: window?.allowed }),
  BODY_TOO_LARGE: ({ route }) => omitUndefined({ allowed_bytes: route?.bodyBytesMax }),
  UPSTREAM_TIMEOUT: ({ route }) =>
    omitUndefined({ timeout_seconds: route && Math.ceil(route.timeouts.headersMs / 1000) }),
};

function describeKey({ identity }: Facts): ProblemDetails {
  if (identity.kind !== 'refused' || identity.since === undefined) return {};
  const since = new Date(identity.since).toISOString();
  return identity.code === 'KEY_EXPIRED' ? { expired_at: since } : { revoked_at: since };
}

/** What is counted when a caller is too fast. */
function describeRate({ context, exchange, facts }: RefusalDescription): ProblemDetails {
  const { reservation, storm } = facts;
  if (storm !== undefined) {
    const { retryStormPerMinute } = context.compiled().catalog;
    return { cause: storm.cause, allowed_usage: retryStormPerMinute, window: 'minute' };
  }
  if (reservation?.kind !== 'limited') return {};
  const limit = rateLimitsOf(exchange).find((each) => each.id === reservation.rateLimitId);
  if (limit === undefined) return {};
  return {
    limit_id: limit.id,
    scope: limit.scope,
    unit: 'requests',
    allowed_usage: limit.count,
    window: PERIODS[limit.periodMs] ?? `${limit.periodMs / 1000} seconds`,
  };
}

const PERIODS: Readonly<Record<number, string>> = {
  1000: 'second',
  60_000: 'minute',
  3_600_000: 'hour',
  86_400_000: 'day',
};

function describeEntitlement({ facts, refusal, offers }: RefusalDescription): ProblemDetails {
  const plan = facts.identity.kind === 'key' ? { current_plan: facts.identity.planId } : {};
  const { entitlement } = refusal;
  if (entitlement === undefined) return plan;
  const required = offers.find((offer) => offer.kind === 'plan');
  return {
    ...plan,
    [entitlement.kind]: entitlement.id,
    exceeded_limit_type: entitlement.kind,
    ...omitUndefined({ required_plan: required?.plan.title }),
  };
}

function describeLimit({ context, facts, refusal, code }: RefusalDescription): ProblemDetails {
  const { limit } = refusal;
  if (limit === undefined || !CODES[code].financial) return {};
  const { catalog } = context.compiled();
  const short = facts.reservation?.kind === 'short' ? facts.reservation : undefined;
  const remaining = Math.max(0, limit.allowance - limit.spent);
  const held = short?.held ?? 0;
  const inUnits = (units: number): number | string => quantity(limit, units, catalog);
  return {
    ...describeLabel(limit, catalog),
    current_usage: inUnits(limit.spent),
    allowed_usage: inUnits(limit.allowance),
    remaining: inUnits(remaining),
    needed: inUnits(limit.need),
    ...omitUndefined({
      available: limit.kind === 'balance' ? inUnits(Math.max(0, remaining - held)) : undefined,
      held: refusal.transient ? inUnits(held) : undefined,
      affordable_max_tokens: short?.affordableOutputTokens,
    }),
  };
}

function describeLabel({ label }: LimitFact, catalog: Catalog): ProblemDetails {
  if (label === undefined) {
    return { exceeded_limit_type: 'credits', scope: 'tenant', unit: catalog.asset };
  }
  return {
    exceeded_limit_type: `${label.unit}_per_${label.window}`,
    limit_id: label.id,
    scope: label.scope,
    unit: label.unit === 'spend' ? catalog.asset : label.unit,
    window: label.window,
  };
}

function describeOffers(description: RefusalDescription): ProblemDetails {
  const { code, offers, context, payUrl } = description;
  if (!CODES[code].financial) return {};
  const { asset } = context.compiled().catalog;
  const url = payUrl ?? context.publicUrl();
  return { upgrade_options: offers.map((offer) => describeOffer(offer, asset, url)) };
}

function describeOffer(offer: Offer, asset: string, url: string): UpgradeOption {
  if (offer.kind === 'pack') {
    const { id, title, priceNano } = offer.pack;
    return { kind: 'pack', id, title, price: formatMoney({ asset, units: priceNano }), url };
  }
  if (offer.kind === 'add_on') {
    const { id, title, priceNano, interval } = offer.addOn;
    const amount = formatMoney({ asset, units: priceNano });
    const price = interval === 'month' ? `${amount}/month` : amount;
    return { kind: 'add_on', id, title, price, url };
  }
  const { id, title, priceNano } = offer.plan;
  const price = `${formatMoney({ asset, units: priceNano })}/month`;
  return { kind: 'plan', id, title, price, url };
}

function quantity(limit: LimitFact, units: number, catalog: Catalog): number | string {
  const isMoney = limit.kind === 'balance' || limit.unit === 'spend';
  return isMoney ? `${formatNano(units)} ${catalog.asset}` : units;
}
