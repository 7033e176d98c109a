import { createHash } from 'node:crypto';
import type {
  AddOn,
  DegradedProfile,
  Limit,
  Model,
  Plan,
  RateLimit,
} from '../../domain/catalog.ts';
import { apiFeature } from '../../domain/api-feature.ts';
import { serializeTerms } from './parse-catalog.ts';
import type { AddOnEntry, PlanEntry } from './schema/config-schema.ts';
import type { RateEntry } from './schema/rate-schema.ts';

const PLAN_VERSION_LENGTH = 8;

/** What names in a plan stand for. */
export interface Named {
  readonly models: ReadonlyMap<string, Model>;
  /** Ids of APIs that some plan leaves out. */
  readonly restrictedApis: ReadonlySet<string>;
}

export function compilePlan(id: string, entry: PlanEntry, named: Named): Plan {
  const apis = entry.apis === '*' ? [] : entry.apis.map(apiFeature);
  const terms: Plan = {
    id,
    version: '',
    title: entry.title,
    priceNano: entry.price,
    usage: entry.usage,
    limits: entry.limits,
    models: entry.models === '*' ? ['*'] : entry.models.toSorted(),
    features: [...entry.features, ...apis].toSorted(),
    rateLimits: entry.rate_limits.map((rate) =>
      compileRateLimit(rate, entry.rate_exceeded === 'pay' ? 'commercial' : 'protective'),
    ),
    contextTiers: entry.context,
    fileBytesMax: entry.max_file,
    degraded: compileDegraded(entry.degraded),
    graceDays: entry.grace,
    enforcement: entry.enforcement,
    onSale: entry.on_sale,
  };
  // The version is of the terms as they were written: one more alias or API changes no contract.
  const version = createHash('sha256').update(serializeTerms(terms)).digest('hex');
  return {
    ...terms,
    version: version.slice(0, PLAN_VERSION_LENGTH),
    models: withAliases(terms.models, named.models),
    limits: terms.limits.map((limit) => compileLimit(limit, named.models)),
    features:
      entry.apis === '*'
        ? [...terms.features, ...[...named.restrictedApis].map(apiFeature)]
        : terms.features,
  };
}

export function compileAddOn(
  id: string,
  entry: AddOnEntry,
  models: ReadonlyMap<string, Model>,
): AddOn {
  const { grants } = entry;
  return {
    id,
    title: entry.title,
    priceNano: entry.price.priceNano,
    interval: entry.price.interval,
    grants: {
      features: grants.features,
      models: grants.models.length === 0 ? [] : withAliases(grants.models, models),
      purchases: grants.purchases,
      limits: grants.limits.map((limit) => ({ id: limit.id, amount: limit.amount })),
      rateLimits: grants.rate_limits.map(({ id: rate, count, burst }) => ({
        id: rate,
        count,
        burst,
      })),
      contextTokensMax: grants.max_context,
      fileBytesMax: grants.max_file,
    },
  };
}

/** A limit on a model counts it under each of its names. */
export function compileLimit(limit: Limit, models: ReadonlyMap<string, Model>): Limit {
  return limit.models.length === 0
    ? limit
    : { ...limit, models: withAliases(limit.models, models) };
}

/** An alias is another name of a model: who includes one name includes them all. */
function withAliases(
  listed: readonly string[],
  models: ReadonlyMap<string, Model>,
): readonly string[] {
  if (listed.includes('*')) return listed;
  const targets = new Set(listed.map((name) => models.get(name)?.aliasOf ?? name));
  return [...models.values()]
    .filter((model) => targets.has(model.aliasOf ?? model.id))
    .map((model) => model.id);
}

function compileRateLimit(entry: RateEntry, usual: RateLimit['class']): RateLimit {
  return { ...entry, class: entry.class ?? usual };
}

function compileDegraded(entry: PlanEntry['degraded']): DegradedProfile | undefined {
  if (entry === undefined) return undefined;
  return {
    readOnly: entry.read_only,
    duringGrace: entry.during_grace,
    contextTokensMax: entry.max_context,
    rate: entry.rate === undefined ? undefined : compileDegradedRate(entry.rate),
    substitutes: new Map(Object.entries(entry.substitute)),
    withheldFeatures: entry.withhold,
  };
}

/** A bucket of its own: the plan's may be full when the service degrades. */
function compileDegradedRate(entry: RateEntry): RateLimit {
  return compileRateLimit({ ...entry, id: `degraded_${entry.id}` }, 'protective');
}
