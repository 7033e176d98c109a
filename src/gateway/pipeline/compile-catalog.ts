import {
  type CompiledCustomisations,
  compileCustomisations,
} from '../../contract/customisation.ts';
import type { Api, Catalog, Route, Upstream } from '../../domain/catalog.ts';
import { toSafeNumber } from '../../domain/money.ts';
import { costOf, NO_USAGE } from '../../domain/pricing.ts';
import { NO_TAKE, type Take } from '../../domain/take.ts';
import type { UpstreamPool } from '../balancer.ts';
import { RequestHeaderPlan } from '../forward-headers-request.ts';
import { ResponseHeaderPlan } from '../forward-headers-response.ts';
import { compilePathRewrite } from '../path-rewrite.ts';
import { compileRouter, type Router } from '../router.ts';
import { answerEditsOf } from './account-headers.ts';
import { RefusalMemory } from './refusal-memory.ts';
import { RefusedBodies } from './refused-bodies.ts';
import { compileRouteGates, type RouteGate } from './route-gate.ts';

/** What a route needs at run time, worked out at load time. */
export interface CompiledRoute {
  readonly route: Route;
  /** Nano of one request, bytes apart. */
  readonly requestNano: number;
  /** What each call takes, bytes apart: where the balance pays, and where the plan's price covers it. */
  readonly flat: { readonly prepaid: FlatTake; readonly included: FlatTake };
  /** Bytes are part of the price, so the cost is known only at the end. */
  readonly perByte: boolean;
  /** Its upstream is sent credentials of the operator: what is wrong with those is not the caller's fault. */
  readonly isOurAccount: boolean;
  readonly rewrite: (path: string) => string;
  readonly responseHeaders: ResponseHeaderPlan;
  /** Undefined = a key is all it asks for. */
  readonly gate: RouteGate | undefined;
  /** By upstream: an LLM route has several. */
  readonly requestHeaders: ReadonlyMap<string, RequestHeaderPlan>;
}

/** One loaded configuration, compiled for the hot path; replaced as a whole on reload (DESIGN 9 "decide at load time"). */
export interface CompiledCatalog {
  readonly catalog: Catalog;
  readonly router: Router;
  readonly pools: ReadonlyMap<string, UpstreamPool>;
  readonly routes: ReadonlyMap<Route, CompiledRoute>;
  /** Some plan bounds the bodies it sends: how large one is matters to what is offered. */
  readonly boundsFiles: boolean;
  /** Tokens of the largest call of the plan that allows least; without any bound, Infinity. */
  readonly smallestContext: number;
  readonly customisations: CompiledCustomisations;
  /** Gone with the configuration they were worked out by. */
  readonly refusals: RefusalMemory;
  readonly refusedBodies: RefusedBodies;
}

/** `openPool` makes the balancer of an upstream; its health probes are the caller's to start and stop. */
export function compileCatalog(
  catalog: Catalog,
  openPool: (upstream: Upstream) => UpstreamPool,
): CompiledCatalog {
  const pools = new Map(
    [...catalog.upstreams.values()].map((upstream) => [upstream.id, openPool(upstream)]),
  );
  const routes = new Map<Route, CompiledRoute>();
  for (const api of catalog.apis) {
    const gates = compileRouteGates(api, catalog);
    for (const route of api.routes) {
      routes.set(route, { ...compileRoute(route, api, catalog), gate: gates.get(route) });
    }
  }
  const boundsFiles = [...catalog.plans.values()].some((plan) => plan.fileBytesMax !== undefined);
  const smallestContext = Math.min(
    Infinity,
    ...[...catalog.plans.values()].flatMap((plan) => plan.contextTiers.at(-1)?.tokensMax ?? []),
  );
  return {
    catalog,
    router: compileRouter(catalog.apis),
    pools,
    routes,
    boundsFiles,
    smallestContext,
    customisations: compileCustomisations(catalog.customisations),
    refusals: new RefusalMemory(),
    refusedBodies: new RefusedBodies(),
  };
}

function compileRoute(route: Route, api: Api, catalog: Catalog): Omit<CompiledRoute, 'gate'> {
  const ids =
    route.upstreamId === undefined
      ? [...catalog.providers.values()].map((each) => each.upstreamId)
      : [route.upstreamId];
  const requestNano = toSafeNumber(costOf(route.price, NO_USAGE));
  return {
    route,
    requestNano,
    flat: {
      prepaid: flatTake(route, requestNano),
      included: flatTake(route, 0),
    },
    perByte: route.price.perByteIn > 0n || route.price.perByteOut > 0n,
    isOurAccount: ids.some((id) => (catalog.upstreams.get(id)?.credentials.length ?? 0) > 0),
    rewrite: compilePathRewrite(route.rewrite),
    responseHeaders: new ResponseHeaderPlan({
      edits: answerEditsOf(route),
      ownsCors: api.cors !== undefined,
    }),
    requestHeaders: new Map(ids.map((id) => [id, compileRequestHeaders(route, catalog, id)])),
  };
}

/** What every call of a route takes, bytes apart. `least`: of time at the upstream it can begin with any. */
export interface FlatTake {
  readonly take: Take;
  readonly least: Take;
}

function flatTake({ compute, timeouts }: Route, nano: number): FlatTake {
  const take = {
    ...NO_TAKE,
    computeUnits: compute?.unitsMax ?? 0,
    computeMs: timeouts.headersMs,
    nano,
  };
  return { take, least: { ...take, computeMs: 1 } };
}

function compileRequestHeaders(
  route: Route,
  catalog: Catalog,
  upstreamId: string,
): RequestHeaderPlan {
  return new RequestHeaderPlan({
    edits: route.requestHeaders,
    credentials: catalog.upstreams.get(upstreamId)?.credentials ?? [],
    // A metered answer must be readable (DESIGN 5); a proxied one passes as it is.
    identityEncoding: route.upstreamId === undefined,
  });
}
