import { createHash } from 'node:crypto';
import type {
  Catalog,
  Limit,
  Model,
  Pack,
  Plan,
  Provider,
  RateLimit,
} from '../../domain/catalog.ts';
import { compileApi } from './compile-api.ts';
import {
  compileProviderUpstream,
  compileUpstream,
  providerUpstreamId,
} from './compile-upstream.ts';
import { serializeCatalog, serializeTerms } from './parse-catalog.ts';
import type { ConfigFile, PlanEntry } from './schema/config-schema.ts';

const PLAN_VERSION_LENGTH = 8;
const CATALOG_VERSION_LENGTH = 12;

/** What the file sells. Total: everything that can be wrong was found before. */
export function compileCatalog(file: ConfigFile): Catalog {
  const models = compileModels(file);
  const upstreams = [
    ...Object.entries(file.upstreams).map(([id, entry]) => compileUpstream(id, entry)),
    ...Object.entries(file.providers).map(([id, entry]) => compileProviderUpstream(id, entry)),
  ];
  const catalog: Catalog = {
    version: '',
    asset: file.asset,
    retryStormPerMinute: file.retry_storm_per_minute,
    apis: Object.entries(file.apis).map(([id, entry]) => compileApi(id, entry, file.asset)),
    upstreams: new Map(upstreams.map((upstream) => [upstream.id, upstream])),
    providers: new Map(
      Object.entries(file.providers).map(([id, entry]): [string, Provider] => {
        return [id, { id, type: entry.type, upstreamId: providerUpstreamId(id) }];
      }),
    ),
    models,
    plans: new Map(
      Object.entries(file.plans).map(([id, entry]) => [id, compilePlan(id, entry, models)]),
    ),
    addOns: [],
    limits: [],
    packs: Object.entries(file.packs).map(([id, pack]): Pack => {
      return { id, title: pack.title, priceNano: pack.price, creditNano: pack.credit };
    }),
  };
  return {
    ...catalog,
    version: hashText(serializeCatalog(catalog)).slice(0, CATALOG_VERSION_LENGTH),
  };
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function compileModels(file: ConfigFile): ReadonlyMap<string, Model> {
  const models = new Map<string, Model>();
  for (const [id, entry] of Object.entries(file.models)) {
    models.set(id, {
      id,
      aliasOf: undefined,
      providerId: entry.provider,
      upstreamModel: entry.upstream_model ?? id,
      contextWindow: entry.context_window,
      outputTokensMax: entry.max_output_tokens ?? entry.context_window,
      price: entry.price,
    });
  }
  for (const [alias, target] of Object.entries(file.aliases)) {
    const model = models.get(target);
    if (model !== undefined) models.set(alias, { ...model, id: alias, aliasOf: target });
  }
  return models;
}

function compilePlan(id: string, entry: PlanEntry, models: ReadonlyMap<string, Model>): Plan {
  const terms: Plan = {
    id,
    version: '',
    title: entry.title,
    priceNano: entry.price,
    usage: entry.usage,
    limits: entry.limits.map(compileLimit),
    models: entry.models === '*' ? ['*'] : entry.models.toSorted(),
    features: entry.features.toSorted(),
    rateLimits: entry.rate_limits.map(compileRateLimit),
    contextTiers: [],
    fileBytesMax: undefined,
    degraded: undefined,
    graceDays: 7,
    enforcement: 'enforce',
    onSale: entry.on_sale,
  };
  // The version is of the terms as they were written: an alias added to the catalogue changes no contract.
  const version = hashText(serializeTerms(terms)).slice(0, PLAN_VERSION_LENGTH);
  return { ...terms, version, models: withAliases(terms.models, models) };
}

/** An alias is another name of a model: a plan that includes one name includes them all. */
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

function compileLimit(entry: PlanEntry['limits'][number]): Limit {
  const { unit, amount } = readLimitAmount(entry);
  const prefix = entry.scope === 'key' ? 'key_' : '';
  return {
    id: `${prefix}${unit}_per_${entry.per}`,
    unit,
    window: entry.per,
    scope: entry.scope,
    amount,
    class: 'commercial',
    soft: false,
    models: [],
    routes: [],
    operations: [],
    overage: { kind: 'block' },
  };
}

function readLimitAmount(entry: PlanEntry['limits'][number]): Pick<Limit, 'unit' | 'amount'> {
  if (entry.requests !== undefined) return { unit: 'requests', amount: entry.requests };
  if (entry.tokens !== undefined) return { unit: 'tokens', amount: entry.tokens };
  // Amounts are bounded well below 2^53 nano where they are parsed.
  return { unit: 'spend', amount: Number(entry.spend ?? 0n) };
}

const PERIODS_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

function compileRateLimit(entry: PlanEntry['rate_limits'][number]): RateLimit {
  const prefix = entry.scope === 'key' ? 'key_' : '';
  return {
    id: `${prefix}rate_per_${entry.per}`,
    scope: entry.scope,
    count: entry.count,
    periodMs: PERIODS_MS[entry.per],
    burst: entry.burst ?? entry.count,
    class: 'protective',
  };
}
