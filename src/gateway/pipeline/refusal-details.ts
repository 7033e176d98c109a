import { type Code, CODES } from '../../contract/codes.ts';
import type { ProblemDetails, UpgradeOption } from '../../contract/problem-document.ts';
import { findKeyMistake } from '../../domain/api-key.ts';
import type { Catalog } from '../../domain/catalog.ts';
import type { Facts, Fault } from '../../domain/facts.ts';
import { formatMoney } from '../../domain/money.ts';
import { findNearest } from '../../domain/nearest.ts';
import { type Offer, soldAs } from '../../domain/offers.ts';
import { describePermission } from './authorization-details.ts';
import { describeLimit, describeRate } from './limit-details.ts';
import { readCredential } from './read-credential.ts';
import { omitUndefined, type RefusalDescription } from './refusal-description.ts';
import { describeStanding } from './standing-details.ts';

/** The `details` of the body: what was refused, in numbers (C402-06, C402-07). */
export function describeRefusal(description: RefusalDescription): ProblemDetails {
  // Not spread: each one would be a slow copy on Node 20, and in a storm this runs more often than anything else.
  return Object.assign(
    {},
    describeFault(description),
    describeKey(description),
    describePermission(description),
    describeStanding(description),
    describeRate(description),
    describeEntitlement(description),
    describeLimit(description),
    describeOffers(description),
    description.exchange.isChargedBefore ? { charged_before: true } : undefined,
  );
}

function describeFault(description: RefusalDescription): ProblemDetails {
  const { exchange, facts, refusal, code } = description;
  const fault = faultOf(facts, refusal.step);
  if (fault === undefined) return {};
  const common = { method: exchange.request.method, path: facts.path, reason: fault.problem };
  return {
    ...common,
    ...omitUndefined({ pointer: fault.pointer, upstream: fault.upstream }),
    ...BOUNDS[code]?.(description),
  };
}

/** Of the step that refused: what else is known to be wrong is not what this answer is about. */
function faultOf(facts: Facts, step: RefusalDescription['refusal']['step']): Fault | undefined {
  if (step === 'route') return facts.routing;
  if (step === 'understand') return facts.understanding;
  return step === 'forward' ? facts.forwarding : undefined;
}

/** The number that a few codes turn on. */
const BOUNDS: { readonly [code in Code]?: (from: RefusalDescription) => ProblemDetails } = {
  API_RETIRED: ({ exchange: { api } }) =>
    omitUndefined({
      api: api?.id,
      retired_at: api?.retirement && new Date(api.retirement.at).toISOString(),
      successor: api?.retirement?.successor,
    }),
  METHOD_NOT_ALLOWED: ({ exchange }) => ({ allowed_methods: exchange.allowedMethods }),
  MODEL_NOT_FOUND: ({ exchange: { model, compiled } }) =>
    omitUndefined({ model, nearest: nearestModel(model, compiled.catalog) }),
  CONTEXT_LENGTH_EXCEEDED: ({ exchange: { model, window } }) =>
    omitUndefined({ model, needed: window?.needed, allowed_usage: window?.allowed }),
  BODY_TOO_LARGE: ({ exchange: { route, compiled } }) => {
    const read = route && compiled.routes.get(route)?.gate?.readsBodyUpTo;
    return omitUndefined({ allowed_bytes: read ?? route?.bodyBytesMax });
  },
  UPSTREAM_TIMEOUT: ({ exchange: { route } }) =>
    omitUndefined({ timeout_seconds: route && Math.ceil(route.timeouts.headersMs / 1000) }),
};

/** A mistyped name is compared with so many at most: the answer to a mistake must not cost others their time. */
const MODELS_COMPARED_MAX = 200;

function nearestModel(model: string | undefined, { models }: Catalog): string | undefined {
  if (model === undefined || model === '') return undefined;
  const nearest = findNearest(model, [...models.keys()].slice(0, MODELS_COMPARED_MAX));
  // One that is here, and not for this caller.
  return nearest === model ? undefined : nearest;
}

function describeKey({ exchange, facts: { identity } }: RefusalDescription): ProblemDetails {
  if (identity.kind !== 'refused') return {};
  if (identity.code === 'KEY_UNKNOWN') {
    const sent = readCredential(exchange.request.headers);
    return omitUndefined({ reason: sent === undefined ? undefined : findKeyMistake(sent) });
  }
  if (identity.since === undefined) return {};
  const since = new Date(identity.since).toISOString();
  return identity.code === 'KEY_EXPIRED' ? { expired_at: since } : { revoked_at: since };
}

function describeEntitlement({
  exchange,
  facts,
  refusal,
  offers,
}: RefusalDescription): ProblemDetails {
  const plan = facts.identity.kind === 'key' ? { current_plan: facts.identity.planId } : {};
  const { entitlement } = refusal;
  if (entitlement === undefined) return plan;
  const { kind, id, needed, allowed } = entitlement;
  const common = {
    ...plan,
    exceeded_limit_type: kind,
    ...omitUndefined({ required_plan: nameCheapest(offers) }),
  };
  switch (kind) {
    case 'model':
    case 'feature':
      return { ...common, [kind]: id };
    case 'purchase': {
      const { asset } = exchange.compiled.catalog;
      const price = offers[0] && priceOf(offers[0], asset);
      return { ...common, resource: id, ...omitUndefined({ price }) };
    }
    case 'context':
      return { ...common, unit: 'tokens', ...omitUndefined({ needed, allowed_usage: allowed }) };
    case 'file_size':
      return { ...common, unit: 'bytes', ...omitUndefined({ needed, allowed_bytes: allowed }) };
  }
}

/** The plan that has it, or else what is sold beside plans. */
function nameCheapest(offers: readonly Offer[]): string | undefined {
  const plan = offers.find((offer) => offer.kind === 'plan')?.plan;
  return plan?.title ?? offers.find((offer) => offer.kind === 'add_on')?.addOn.title;
}

function describeOffers(description: RefusalDescription): ProblemDetails {
  const { code, offers, context, exchange, payUrl } = description;
  if (!CODES[code].financial) return {};
  const { asset } = exchange.compiled.catalog;
  const options = offers.map((offer): UpgradeOption => {
    const { id, title } = soldAs(offer);
    const { kind } = offer;
    // The pay page begins with what was chosen (C402-04).
    const url =
      payUrl === undefined ? context.publicUrl() : `${payUrl}?${kind}=${encodeURIComponent(id)}`;
    return { kind, id, title, price: priceOf(offer, asset), url };
  });
  return { upgrade_options: options };
}

function priceOf(offer: Offer, asset: string): string {
  const price = formatMoney({ asset, units: soldAs(offer).priceNano });
  const isOnce =
    offer.kind === 'pack' || (offer.kind === 'add_on' && offer.addOn.interval === 'once');
  return isOnce ? price : `${price}/month`;
}
