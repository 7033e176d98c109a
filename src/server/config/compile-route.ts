import type {
  ComputeTerms,
  Dialect,
  Durability,
  EndpointClass,
  HeaderEdits,
  PathMatch,
  PathRewrite,
  Requirement,
  Route,
  Timeouts,
} from '../../domain/catalog.ts';
import { listHeaders } from './compile-upstream.ts';
import { LLM_ENDPOINTS } from './llm-endpoints.ts';
import type { ApiEntry, RouteEntry } from './schema/config-schema.ts';
import { MIB } from './schema/parts.ts';
import { freePrice } from './schema/price-schema.ts';
import { readsBody } from './schema/request-schema.ts';

/** Bodies that are read whole. Chats carry images; ten of the larger ones fit (DESIGN 2). */
const READ_BODY_BYTES_MAX = 10 * MIB;
const NO_EDITS: HeaderEdits = { set: [], remove: [] };
const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 5000, headersMs: 60_000, idleMs: 60_000 };
/** A whole chat answer has no byte before its last token: minutes, for the slow models. */
const LLM_TIMEOUTS: Timeouts = { connectMs: 5000, headersMs: 600_000, idleMs: 120_000 };

/** What the API says of all its routes. */
interface RouteContext {
  readonly apiId: string;
  readonly entry: ApiEntry;
  readonly asset: string;
  readonly durability: Durability;
  readonly requires: readonly Requirement[];
}

export function compileLlmRoutes(context: RouteContext): readonly Route[] {
  const { apiId, entry, asset, durability } = context;
  return LLM_ENDPOINTS.map((endpoint) => {
    const id = `${apiId}.${endpoint.name}`;
    return {
      id,
      apiId,
      kind: endpoint.kind,
      dialect: entry.dialect ?? 'openai',
      endpointClass: endpoint.endpointClass,
      match: {
        methods: [endpoint.method],
        path: endpoint.path,
        headers: [],
      },
      upstreamId: undefined,
      price: freePrice(asset),
      durability,
      ...compileNeeds(endpoint.endpointClass, context),
      // One model is looked up by whom the list is open to.
      operation: `${apiId}.${endpoint.kind}`,
      compute: undefined,
      endUserHeader: entry.end_user_header,
      parameters: [],
      degradedAccess: 'by-method',
      // A provider's base URL ends in its own /v1, as in every OpenAI client.
      rewrite: { kind: 'strip-prefix', prefix: '/v1' },
      requestHeaders: NO_EDITS,
      responseHeaders: announceEnd(NO_EDITS, entry),
      timeouts: compileTimeouts(LLM_TIMEOUTS, entry.timeouts),
      bodyBytesMax: typeof entry.body_max === 'number' ? entry.body_max : READ_BODY_BYTES_MAX,
    };
  });
}

export function compileRoute(id: string, route: RouteEntry, context: RouteContext): Route {
  const { apiId, entry, asset } = context;
  const path = compilePath(route);
  const needs = compileNeeds(route.class, context, route);
  return {
    id,
    apiId,
    kind: 'proxy',
    dialect: route.dialect ?? entry.dialect ?? dialectAt(path),
    endpointClass: route.class,
    match: { methods: route.methods ?? [], path, headers: listHeaders(route.headers) },
    upstreamId: route.upstream ?? entry.upstream,
    price: route.price ?? freePrice(asset),
    durability: route.durability ?? context.durability,
    ...needs,
    operation: route.operation ?? id,
    compute: compileCompute(route.compute),
    endUserHeader: route.end_user_header ?? entry.end_user_header,
    parameters: route.parameters,
    degradedAccess: route.degraded,
    rewrite: compileRewrite(route.rewrite),
    requestHeaders: compileEdits(route.request_headers),
    responseHeaders: announceEnd(compileEdits(route.response_headers), entry),
    timeouts: compileTimeouts(compileTimeouts(DEFAULT_TIMEOUTS, entry.timeouts), route.timeouts),
    bodyBytesMax: compileBodyMax(
      route.body_max ?? entry.body_max,
      readsBody(needs.requires, route.parameters),
    ),
  };
}

/** A free route has no key to look at, and so asks for nothing. */
function compileNeeds(
  endpointClass: EndpointClass,
  { entry, requires }: RouteContext,
  route?: RouteEntry,
): Pick<Route, 'requires' | 'role'> {
  if (endpointClass === 'free') return { requires: [], role: undefined };
  const feature: readonly Requirement[] =
    route?.feature === undefined ? [] : [{ kind: 'feature', id: route.feature, when: [] }];
  return {
    requires: [...requires, ...feature, ...(route?.requires ?? [])],
    role: route?.role ?? entry.role,
  };
}

/** The formats that are known by their paths; what is not known is plain. */
const DIALECT_PATHS: readonly { readonly path: string; readonly dialect: Dialect }[] = [
  { path: '/v1/messages', dialect: 'anthropic' },
  { path: '/v1beta/models', dialect: 'gemini' },
];

function dialectAt(path: PathMatch): Dialect {
  const written = path.value.replace(/^\^/, '');
  const known = DIALECT_PATHS.find(
    (each) =>
      written.startsWith(each.path) && !/[A-Za-z0-9_-]/.test(written.charAt(each.path.length)),
  );
  return known?.dialect ?? 'plain';
}

function compileCompute(entry: RouteEntry['compute']): ComputeTerms | undefined {
  return entry === undefined ? undefined : { unitsMax: entry.units, usedHeader: entry.used_header };
}

function compileBodyMax(bodyMax: RouteEntry['body_max'], isRead: boolean): number | undefined {
  if (bodyMax === 'unlimited') return undefined;
  return bodyMax ?? (isRead ? READ_BODY_BYTES_MAX : undefined);
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

/** RFC 8594: what still answers says from when on it will not. */
function announceEnd(edits: HeaderEdits, { retired }: ApiEntry): HeaderEdits {
  if (retired === undefined) return edits;
  const sunset = { name: 'sunset', value: new Date(retired.at).toUTCString() };
  return { ...edits, set: [...edits.set, sunset] };
}

function compileTimeouts(defaults: Timeouts, entry: RouteEntry['timeouts']): Timeouts {
  return {
    connectMs: entry.connect ?? defaults.connectMs,
    headersMs: entry.headers ?? defaults.headersMs,
    idleMs: entry.idle ?? defaults.idleMs,
  };
}
