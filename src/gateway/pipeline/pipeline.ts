import type { RequestHandler } from '../listener.ts';
import type { Api, Route } from '../../domain/catalog.ts';
import { requestId as createRequestId } from '../../platform/ids.ts';
import { buildCorsHeaders, buildPreflightHeaders, isPreflight } from '../cors.ts';
import { isAtItsEnd } from '../max-forwards.ts';
import { subnetOf } from '../subnet.ts';
import { accept, shed } from './accept.ts';
import { failUnexpectedly, refuse } from './answer.ts';
import { addressOf } from './caller-address.ts';
import type { CompiledRoute } from './compile-catalog.ts';
import type { GatewayContext } from './context.ts';
import { Exchange } from './exchange.ts';
import { admitCaller, judgeProxied } from './gate.ts';
import type { Identification } from './key-directory.ts';
import { startLlmCall } from './llm-call.ts';
import { answerModels } from './models.ts';
import { attempt } from './next-step.ts';
import { readHeader } from './outgoing.ts';
import { ProxyCall } from './proxy-call.ts';
import { readCredential } from './read-credential.ts';

/**
 * One request, in the order of DESIGN 2: route, identify, understand, entitle, reserve, forward, meter,
 * settle, record. Each step refuses by leaving its reason on the exchange; `decide` turns it into the answer.
 */
export function createPipeline(context: GatewayContext): RequestHandler {
  return (request, response) => {
    const at = context.clock.now();
    const requestId = createRequestId(at);
    const exchange = new Exchange(request, response, {
      requestId,
      at,
      startedMs: context.clock.monotonicMs(),
      compiled: context.compiled(),
    });
    attempt(context, exchange, () => {
      const { addressLimiter } = context;
      if (addressLimiter !== undefined && !accept(context, exchange, addressLimiter)) return;
      if (context.servePage(request, response, requestId)) return;
      if (context.isOverloaded()) shed(context, exchange);
      else judge(context, exchange);
    });
  };
}

/** Decides about a request and sends it on: every step of DESIGN 2 from routing on. */
export function judge(context: GatewayContext, exchange: Exchange): void {
  const { request } = exchange;
  const host = readHeader(request.headers, 'host') ?? '';
  const { router } = exchange.compiled;
  const hasOrigin = readHeader(request.headers, 'origin') !== undefined;
  if (hasOrigin && applyCors(exchange, host)) return;
  const match = router.match(request.method, host, exchange.path, request.headers);
  switch (match.kind) {
    case 'route':
      exchange.route = match.route;
      exchange.api = match.api;
      if (!isRetired(match.api, exchange.at)) {
        if (answerAtItsEnd(exchange, host)) return;
        identify(context, exchange, match.route);
        return;
      }
      exchange.routing = {
        code: 'API_RETIRED',
        problem: `the API ${match.api.id} was retired`,
        pointer: undefined,
      };
      break;
    case 'method-not-allowed':
      exchange.allowedMethods = match.allow;
      exchange.routing = {
        code: 'METHOD_NOT_ALLOWED',
        problem: `${request.method} is not served here`,
        pointer: undefined,
      };
      break;
    case 'bad-path':
      exchange.routing = { code: 'MALFORMED_REQUEST', problem: match.reason, pointer: undefined };
      break;
    case 'not-found':
      exchange.routing = {
        code: 'ROUTE_NOT_FOUND',
        problem: 'no route has this path',
        pointer: undefined,
      };
      break;
  }
  refuse(context, exchange);
}

/** C402-17: before anybody is asked for a key, which would be good for nothing here. */
function isRetired({ retirement }: Api, at: number): boolean {
  return retirement !== undefined && at >= retirement.at;
}

/** True = it was a pre-flight, answered before anybody is identified and never charged (DESIGN 10). */
function applyCors(exchange: Exchange, host: string): boolean {
  const api = exchange.compiled.router.findApi(host, exchange.path);
  if (api?.cors === undefined) return false;
  const { method, headers } = exchange.request;
  if (!isPreflight(method, headers)) {
    exchange.corsHeaders = buildCorsHeaders(api.cors, headers);
    return false;
  }
  exchange.response.writeHead(204, [
    ...buildPreflightHeaders(api.cors, headers),
    'X-Request-Id',
    exchange.requestId,
  ]);
  exchange.response.end();
  return true;
}

/** True = it may go no further (RFC 9110 7.6.2): it is answered here, before anybody is identified, and never charged. */
function answerAtItsEnd(exchange: Exchange, host: string): boolean {
  const { method, headers } = exchange.request;
  if (method !== 'OPTIONS' || !isAtItsEnd(readHeader(headers, 'max-forwards'))) return false;
  const allowed = exchange.compiled.router.allowedMethods(host, exchange.path, headers);
  exchange.response.writeHead(204, [
    ...['Allow', allowed.join(', '), ...exchange.corsHeaders],
    ...['X-Request-Id', exchange.requestId],
  ]);
  exchange.response.end();
  return true;
}

function identify(context: GatewayContext, exchange: Exchange, route: Route): void {
  const compiled = exchange.compiled.routes.get(route);
  if (compiled === undefined) throw new Error(`route ${route.id} was not compiled`);
  const isFree = route.endpointClass === 'free';
  // The list of models is the key's own where one is sent; other free routes look at none.
  const credential =
    isFree && route.kind !== 'models' ? undefined : readCredential(exchange.request.headers);
  if (isFree && credential === undefined) {
    dispatch(context, exchange, compiled);
    return;
  }
  const anonymous = compiled.gate?.anonymous;
  if (anonymous !== undefined && credential === undefined) {
    const caller = anonymous.callerFrom(subnetOf(addressOf(context, exchange)));
    exchange.identity = caller.identity;
    exchange.accounts = caller.accounts;
    dispatch(context, exchange, compiled);
    return;
  }
  const found = context.keys.identify(credential);
  if (!(found instanceof Promise)) {
    proceed(context, exchange, compiled, found);
    return;
  }
  found
    .then(
      (identification) => proceed(context, exchange, compiled, identification),
      (error: unknown) => failIdentification(context, exchange, error),
    )
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

/** The key is not known here and the store does not answer: 503, not 401 (DESIGN 1, promise 2). */
function failIdentification(context: GatewayContext, exchange: Exchange, error: unknown): void {
  context.repeats.error(
    { request_id: exchange.requestId, error: String(error) },
    'key lookup failed',
  );
  exchange.forwarding = {
    code: 'BILLING_UNAVAILABLE',
    problem: 'the key could not be looked up',
    pointer: undefined,
  };
  exchange.reservation = { kind: 'held' };
  refuse(context, exchange);
}

function proceed(
  context: GatewayContext,
  exchange: Exchange,
  compiled: CompiledRoute,
  found: Identification,
): void {
  if (found.kind === 'refused') {
    exchange.identity = found;
    refuse(context, exchange);
    return;
  }
  exchange.access = found.access;
  exchange.accounts = found.access.accounts;
  exchange.identity = found.access.identity;
  dispatch(context, exchange, compiled);
}

/** Most routes and keys ask for nothing more than each other: those calls go straight on. */
function dispatch(context: GatewayContext, exchange: Exchange, compiled: CompiledRoute): void {
  const { route, gate } = compiled;
  const { access } = exchange;
  const isPlain = gate === undefined && access?.gate === undefined;
  if (!isPlain && !admitCaller(context, exchange, compiled)) return;
  if (route.kind === 'models') {
    answerModels(context, exchange, route);
    return;
  }
  if (route.kind !== 'proxy') {
    if (access === undefined) throw new Error(`LLM route ${route.id} without a key`);
    startLlmCall(context, exchange, compiled, access);
    return;
  }
  if (isPlain) new ProxyCall(context, exchange, route, compiled).start();
  else judgeProxied(context, exchange, compiled);
}
