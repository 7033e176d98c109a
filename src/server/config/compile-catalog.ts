import { createHash } from 'node:crypto';
import type { Catalog, Model, Pack, Provider } from '../../domain/catalog.ts';
import { compileApi } from './compile-api.ts';
import { compileAddOn, compileLimit, compilePlan } from './compile-plan.ts';
import {
  compileProviderUpstream,
  compileUpstream,
  providerUpstreamId,
} from './compile-upstream.ts';
import { serializeCatalog } from './parse-catalog.ts';
import type { ConfigFile } from './schema/config-schema.ts';

const CATALOG_VERSION_LENGTH = 12;

/** What the file sells. Total: everything that can be wrong was found before. */
export function compileCatalog(file: ConfigFile): Catalog {
  const models = compileModels(file);
  const restrictedApis = listRestrictedApis(file);
  const upstreams = [
    ...Object.entries(file.upstreams).map(([id, entry]) => compileUpstream(id, entry)),
    ...Object.entries(file.providers).map(([id, entry]) => compileProviderUpstream(id, entry)),
  ];
  const catalog: Catalog = {
    version: '',
    asset: file.asset,
    retryStormPerMinute: file.retry_storm_per_minute,
    apis: Object.entries(file.apis).map(([id, entry]) =>
      compileApi(id, entry, {
        asset: file.asset,
        enforcement: file.enforcement,
        durability: file.durability,
        restricted: restrictedApis.has(id),
      }),
    ),
    upstreams: new Map(upstreams.map((upstream) => [upstream.id, upstream])),
    providers: new Map(
      Object.entries(file.providers).map(([id, entry]): [string, Provider] => {
        return [id, { id, type: entry.type, upstreamId: providerUpstreamId(id) }];
      }),
    ),
    models,
    plans: new Map(
      Object.entries(file.plans).map(([id, entry]) => [
        id,
        compilePlan(id, entry, { models, restrictedApis }),
      ]),
    ),
    addOns: Object.entries(file.add_ons).map(([id, entry]) => compileAddOn(id, entry, models)),
    customisations: file.customise,
    limits: file.limits.map((limit) => compileLimit(limit, models)),
    packs: Object.entries(file.packs).map(([id, pack]): Pack => {
      return { id, title: pack.title, priceNano: pack.price, creditNano: pack.credit };
    }),
  };
  return {
    ...catalog,
    version: createHash('sha256')
      .update(serializeCatalog(catalog))
      .digest('hex')
      .slice(0, CATALOG_VERSION_LENGTH),
  };
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
      durability: entry.durability,
    });
  }
  for (const [alias, target] of Object.entries(file.aliases)) {
    const model = models.get(target);
    if (model !== undefined) models.set(alias, { ...model, id: alias, aliasOf: target });
  }
  return models;
}

/** APIs that some plan leaves out: their routes ask for them (PLAN-02). */
function listRestrictedApis(file: ConfigFile): ReadonlySet<string> {
  const plans = Object.values(file.plans);
  return new Set(
    Object.keys(file.apis).filter((id) =>
      plans.some(({ apis }) => apis !== '*' && !apis.includes(id)),
    ),
  );
}
