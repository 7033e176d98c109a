import type { Code } from '../../contract/codes.ts';
import { buildProblemHeaders, buildRateLimitHeaders } from '../../contract/headers.ts';
import { renderProblem } from '../../contract/dialects.ts';
import { buildProblem } from '../../contract/problem.ts';
import type { ProblemDetails, ProblemDocument, ProblemInput, UpgradeOption } from '../../contract/problem-document.ts';
import type { Catalog } from '../../domain/catalog.ts';
import type { Refusal } from '../../domain/decide.ts';
import type { Facts, LimitFact } from '../../domain/facts.ts';
import { formatMoney } from '../../domain/money.ts';
import { finalCode, findOffers, type Offer } from '../../domain/offers.ts';
import { readRateLimits, formatNano } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/** A refusal ready to leave. */
export interface PreparedRefusal {
  readonly code: Code;
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
  readonly document: ProblemDocument;
}

/** Turns a decision into the answer of the route's dialect (DESIGN 4). Everything in it comes from the facts. */
export function prepareRefusal(context: GatewayContext, exchange: Exchange, facts: Facts, refusal: Refusal): PreparedRefusal {
  const { catalog } = context.compiled();
  const offers = findOffers(facts, refusal, catalog);
  const code = finalCode(refusal, offers);
  const document = buildProblem(describe({ context, exchange, facts, refusal, offers, code }));
  const rendered = renderProblem(document, exchange.dialect);
  const isPayment = document.status === 402;
  const headers = [
    ...buildProblemHeaders(document, {
      contentType: rendered.contentType,
      ...(isPayment ? { paymentUrl: document.resolution_url } : {}),
    }),
    ...buildRateLimitHeaders(readRateLimits(exchange, context.engine), context.clock.now()),
  ];
  // What is still unread of a body would have to be read to its end before the connection is of use again.
  if (!exchange.bodyStarted && exchange.request.contentLength !== 0) headers.push('Connection', 'close');
  return { code, status: document.status, headers, body: rendered.body, document };
}

interface Description {
  readonly context: GatewayContext;
  readonly exchange: Exchange;
  readonly facts: Facts;
  readonly refusal: Refusal;
  readonly offers: readonly Offer[];
  readonly code: Code;
}

function describe(description: Description): ProblemInput {
  const { context, exchange, facts, refusal, code } = description;
  const { catalog } = context.compiled();
  const isPayment = refusal.step === 'entitle' || refusal.limit !== undefined;
  const resolutionUrl =
    isPayment && facts.identity.kind === 'key' ? context.links.payLink(facts.identity.tenantId, code) : undefined;
  const resetsAt = refusal.limit?.resetsAt;
  return {
    code,
    requestId: exchange.requestId,
    baseUrl: context.publicUrl(),
    details: {
      ...detailsOfFaults(exchange, facts, code),
      ...detailsOfIdentity(facts),
      ...detailsOfRate(exchange, facts, catalog),
      ...detailsOfEntitlement(facts, refusal, description),
      ...detailsOfLimit(facts, refusal, catalog),
      ...detailsOfOffers(description, resolutionUrl),
    },
    ...(resolutionUrl === undefined ? {} : { resolutionUrl }),
    ...(facts.identity.kind === 'key' ? { explainUrl: context.links.explainLink(exchange.requestId) } : {}),
    ...(resetsAt === undefined ? {} : { resetsAt: new Date(resetsAt).toISOString() }),
    ...(refusal.retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)) }),
    ...(refusal.transient ? { retryKind: 'transient' as const } : {}),
    ...(isPayment && refusal.limit?.kind === 'balance' ? { payment: { amount: money(refusal.limit.need, catalog), methods: ['credits'] } } : {}),
  };
}

function detailsOfFaults(exchange: Exchange, facts: Facts, code: Code): ProblemDetails {
  const fault = facts.routing ?? facts.understanding ?? facts.forwarding;
  if (fault === undefined) return {};
  return {
    method: exchange.request.method,
    path: facts.path,
    reason: fault.problem,
    ...(fault.pointer === undefined ? {} : { pointer: fault.pointer }),
    ...(code === 'METHOD_NOT_ALLOWED' ? { allowed_methods: exchange.allowedMethods } : {}),
    ...(code === 'MODEL_NOT_FOUND' && exchange.model !== undefined ? { model: exchange.model } : {}),
    ...(code === 'UPSTREAM_TIMEOUT' && exchange.route !== undefined ? { timeout_seconds: Math.ceil(exchange.route.timeouts.headersMs / 1000) } : {}),
    ...(code === 'BODY_TOO_LARGE' && exchange.route?.bodyBytesMax !== undefined ? { allowed_bytes: exchange.route.bodyBytesMax } : {}),
  };
}

function detailsOfIdentity(facts: Facts): ProblemDetails {
  if (facts.identity.kind !== 'refused' || facts.identity.since === undefined) return {};
  const since = new Date(facts.identity.since).toISOString();
  return facts.identity.code === 'KEY_EXPIRED' ? { expired_at: since } : { revoked_at: since };
}

/** What is counted when a caller is too fast. */
function detailsOfRate(exchange: Exchange, facts: Facts, catalog: Catalog): ProblemDetails {
  if (facts.storm !== undefined) return { cause: facts.storm.cause, allowed_usage: catalog.retryStormPerMinute, window: 'minute' };
  const { reservation } = facts;
  if (reservation?.kind !== 'limited') return {};
  const limit = exchange.access?.plan.rateLimits.find((each) => each.id === reservation.rateLimitId);
  return limit === undefined ? {} : { limit_id: limit.id, scope: limit.scope, unit: 'requests', allowed_usage: limit.count, window: periodWords(limit.periodMs) };
}

const PERIODS: Readonly<Record<number, string>> = { 1000: 'second', 60_000: 'minute', 3_600_000: 'hour', 86_400_000: 'day' };

function periodWords(periodMs: number): string {
  return PERIODS[periodMs] ?? `${periodMs / 1000} seconds`;
}

function detailsOfEntitlement(facts: Facts, refusal: Refusal, description: Description): ProblemDetails {
  const plan = facts.identity.kind === 'key' ? { current_plan: facts.identity.planId } : {};
  const { entitlement } = refusal;
  if (entitlement === undefined) return plan;
  const required = description.offers.find((offer) => offer.kind === 'plan');
  return {
    ...plan,
    [entitlement.kind]: entitlement.id,
    exceeded_limit_type: entitlement.kind,
    ...(required === undefined ? {} : { required_plan: required.plan.title }),
  };
}

function detailsOfLimit(facts: Facts, refusal: Refusal, catalog: Catalog): ProblemDetails {
  const { limit } = refusal;
  if (limit === undefined) return {};
  const short = facts.reservation?.kind === 'short' ? facts.reservation : undefined;
  const remaining = Math.max(0, limit.allowance - limit.spent);
  const held = short?.held ?? 0;
  return {
    ...namesOf(limit, catalog),
    current_usage: quantity(limit, limit.spent, catalog),
    allowed_usage: quantity(limit, limit.allowance, catalog),
    remaining: quantity(limit, remaining, catalog),
    needed: quantity(limit, limit.need, catalog),
    ...(limit.kind === 'balance' ? { available: quantity(limit, Math.max(0, remaining - held), catalog) } : {}),
    ...(refusal.transient ? { held: quantity(limit, held, catalog) } : {}),
    ...(short?.affordableOutputTokens === undefined ? {} : { affordable_max_tokens: short.affordableOutputTokens }),
  };
}

function namesOf(limit: LimitFact, catalog: Catalog): ProblemDetails {
  if (limit.label === undefined) return { exceeded_limit_type: 'credits', scope: 'tenant', unit: catalog.asset };
  const { label } = limit;
  return {
    exceeded_limit_type: label.unit === 'spend' ? `spend_per_${label.window}` : `${label.unit}_per_${label.window}`,
    limit_id: label.id,
    scope: label.scope,
    unit: label.unit === 'spend' ? catalog.asset : label.unit,
    window: label.window,
  };
}

function detailsOfOffers(description: Description, payUrl: string | undefined): ProblemDetails {
  const { refusal, offers, context } = description;
  if (refusal.step !== 'entitle' && refusal.limit === undefined) return {};
  const { asset } = context.compiled().catalog;
  const options = offers.map((offer): UpgradeOption => {
    const url = payUrl ?? context.publicUrl();
    if (offer.kind === 'pack') {
      const { pack } = offer;
      return { kind: 'pack', id: pack.id, title: pack.title, price: formatMoney({ asset, units: pack.priceNano }), url };
    }
    const { plan } = offer;
    return { kind: 'plan', id: plan.id, title: plan.title, price: `${formatMoney({ asset, units: plan.priceNano })}/month`, url };
  });
  return { upgrade_options: options };
}

function quantity(limit: LimitFact, units: number, catalog: Catalog): number | string {
  return limit.kind === 'balance' || limit.unit === 'spend' ? money(units, catalog) : units;
}

function money(nano: number, catalog: Catalog): string {
  return `${formatNano(nano)} ${catalog.asset}`;
}
