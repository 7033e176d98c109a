import type {
  Api,
  Cors,
  HeaderEdits,
  PathMatch,
  PathRewrite,
  Route,
  Timeouts,
} from '../../domain/catalog.ts';
import { listHeaders } from './compile-upstream.ts';
import { LLM_ENDPOINTS } from './llm-endpoints.ts';
import type { ApiEntry, RouteEntry } from './schema/config-schema.ts';
import { MIB } from './schema/parts.ts';
import { freePrice } from './schema/price-schema.ts';

/** Chat bodies carry images; ten of the larger ones fit (DESIGN 2). */
const LLM_BODY_BYTES_MAX = 10 * MIB;
const NO_EDITS: HeaderEdits = { set: [], remove: [] };
const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 5000, headersMs: 60_000, idleMs: 60_000 };
/** A whole chat answer has no byte before its last token: minutes, for the slow models. */
const LLM_TIMEOUTS: Timeouts = { connectMs: 5000, headersMs: 600_000, idleMs: 120_000 };

export function compileApi(id: string, entry: ApiEntry, asset: string): Api {
  const routes =
    entry.type === 'llm'
      ? compileLlmRoutes(id, entry, asset)
      : numberRepeatedIds(
          (entry.routes ?? []).map((route) => compileRoute(id, { entry, route, asset })),
        );
  return {
    id,
    hosts: entry.hosts,
    routes,
    cors: compileCors(entry.cors),
    enforcement: 'enforce',
    anonymous: undefined,
    addressPolicy: undefined,
    environment: undefined,
  };
}

function compileLlmRoutes(apiId: string, entry: ApiEntry, asset: string): readonly Route[] {
  return LLM_ENDPOINTS.map((endpoint) => ({
    id: `${apiId}.${endpoint.name}`,
    apiId,
    kind: endpoint.kind,
    dialect: 'openai',
    endpointClass: endpoint.endpointClass,
    match: {
      methods: [endpoint.method],
      path: { kind: 'exact', value: endpoint.path },
      headers: [],
    },
    upstreamId: undefined,
    price: freePrice(asset),
    requires: [],
    operation: `${apiId}.${endpoint.name}`,
    compute: undefined,
    role: undefined,
    parameters: [],
    degradedAccess: 'by-method',
    // A provider's base URL ends in its own /v1, as in every OpenAI client.
    rewrite: { kind: 'strip-prefix', prefix: '/v1' },
    requestHeaders: NO_EDITS,
    responseHeaders: NO_EDITS,
    timeouts: compileTimeouts(LLM_TIMEOUTS, entry.timeouts),
    bodyBytesMax: typeof entry.body_max === 'number' ? entry.body_max : LLM_BODY_BYTES_MAX,
  }));
}

interface RouteContext {
  readonly entry: ApiEntry;
  readonly route: RouteEntry;
  readonly asset: string;
}

function compileRoute(apiId: string, { entry, route, asset }: RouteContext): Route {
  const methods = route.methods ?? [];
  const path = compilePath(route);
  const bodyMax = route.body_max ?? entry.body_max;
  const id = `${apiId}.${route.name ?? `${methods.join('|') || '*'} ${path.value}`}`;
  return {
    id,
    apiId,
    kind: 'proxy',
    dialect: route.dialect,
    endpointClass: route.class,
    match: { methods, path, headers: listHeaders(route.headers) },
    upstreamId: route.upstream ?? entry.upstream,
    price: route.price ?? freePrice(asset),
    requires: route.feature === undefined ? [] : [{ kind: 'feature', id: route.feature, when: [] }],
    operation: id,
    compute: undefined,
    role: undefined,
    parameters: [],
    degradedAccess: 'by-method',
    rewrite: compileRewrite(route.rewrite),
    requestHeaders: compileEdits(route.request_headers),
    responseHeaders: compileEdits(route.response_headers),
    timeouts: compileTimeouts(compileTimeouts(DEFAULT_TIMEOUTS, entry.timeouts), route.timeouts),
    bodyBytesMax: bodyMax === 'unlimited' ? undefined : bodyMax,
  };
}

/** Two routes may differ in nothing but a header condition; logs still have to tell them apart. */
function numberRepeatedIds(routes: readonly Route[]): readonly Route[] {
  const seen = new Map<string, number>();
  return routes.map((route) => {
    const count = (seen.get(route.id) ?? 0) + 1;
    seen.set(route.id, count);
    return count === 1 ? route : { ...route, id: `${route.id} #${count}` };
  });
}

function compilePath(route: RouteEntry): PathMatch {
  if (route.path_prefix !== undefined) return { kind: 'prefix', value: route.path_prefix };
  if (route.path_regex !== undefined) return { kind: 'regex', value: route.path_regex };
  return { kind: 'exact', value: route.path ?? '/' };
}

function compileRewrite(rewrite: RouteEntry['rewrite']): PathRewrite | undefined {
  if (rewrite === undefined) return undefined;
  if (rewrite.strip_prefix !== undefined)
    return { kind: 'strip-prefix', prefix: rewrite.strip_prefix };
  return { kind: 'replace', pattern: rewrite.pattern ?? '', with: rewrite.with ?? '' };
}

function compileEdits(edits: RouteEntry['request_headers']): HeaderEdits {
  return { set: listHeaders(edits.set), remove: edits.remove };
}

function compileTimeouts(defaults: Timeouts, entry: RouteEntry['timeouts']): Timeouts {
  return {
    connectMs: entry.connect ?? defaults.connectMs,
    headersMs: entry.headers ?? defaults.headersMs,
    idleMs: entry.idle ?? defaults.idleMs,
  };
}

function compileCors(cors: ApiEntry['cors']): Cors | undefined {
  if (cors === undefined) return undefined;
  return {
    origins: cors.origins,
    allowCredentials: cors.credentials,
    maxAgeSeconds: Math.floor(cors.max_age / 1000),
  };
}
