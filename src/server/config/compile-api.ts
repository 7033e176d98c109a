import type {
  AddressPolicy,
  Api,
  Cors,
  Durability,
  Enforcement,
  Requirement,
  Retirement,
} from '../../domain/catalog.ts';
import { apiFeature } from '../../domain/api-feature.ts';
import { compileLlmRoutes, compileRoute } from './compile-route.ts';
import { listRouteIds } from './route-ids.ts';
import type { ApiEntry } from './schema/config-schema.ts';

/** What the rest of the file says about an API. */
interface Surroundings {
  readonly asset: string;
  readonly enforcement: Enforcement;
  readonly durability: Durability;
  /** Some plan leaves it out. */
  readonly restricted: boolean;
}

export function compileApi(id: string, entry: ApiEntry, surroundings: Surroundings): Api {
  const { asset, enforcement, restricted } = surroundings;
  const restriction: Requirement = { kind: 'feature', id: apiFeature(id), when: [] };
  const requires = restricted ? [restriction, ...entry.requires] : entry.requires;
  const durability = entry.durability ?? surroundings.durability;
  const context = { apiId: id, entry, asset, durability, requires };
  const routes = entry.routes ?? [];
  const ids = listRouteIds(id, routes);
  return {
    id,
    hosts: entry.hosts,
    routes:
      entry.type === 'llm'
        ? compileLlmRoutes(context)
        : routes.map((route, index) => compileRoute(ids[index] ?? id, route, context)),
    cors: compileCors(entry.cors),
    enforcement: entry.enforcement ?? enforcement,
    anonymous:
      entry.anonymous === undefined
        ? undefined
        : { requests: entry.anonymous.requests, window: entry.anonymous.per },
    addressPolicy: compileAddresses(entry),
    environment: entry.environment,
    ...(entry.retired === undefined ? {} : { retirement: compileRetirement(entry.retired) }),
  };
}

function compileAddresses(entry: ApiEntry): AddressPolicy | undefined {
  const { allow_addresses: allow, deny_addresses: deny } = entry;
  return allow.length + deny.length === 0 ? undefined : { allow, deny };
}

function compileRetirement({ at, successor }: NonNullable<ApiEntry['retired']>): Retirement {
  return { at, successor };
}

function compileCors(cors: ApiEntry['cors']): Cors | undefined {
  if (cors === undefined) return undefined;
  return {
    origins: cors.origins,
    allowCredentials: cors.credentials,
    maxAgeSeconds: Math.floor(cors.max_age / 1000),
  };
}
