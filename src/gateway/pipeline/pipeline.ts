import type { RawHeaders, RequestHandler } from '../listener.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import { requestId as createRequestId } from '../../platform/ids.ts';
import { buildCorsHeaders, buildPreflightHeaders, isPreflight } from '../cors.ts';
import { failUnexpectedly, refuse } from './answer.ts';
import type { GatewayContext } from './context.ts';
import { Exchange } from './exchange.ts';
import type { Identification } from './key-directory.ts';
import { startLlmCall } from './llm-call.ts';
import { answerModels } from './models.ts';
import { readHeader } from './outgoing.ts';
import { ProxyCall } from './proxy-call.ts';

/**
 * One request, in the order of DESIGN 2: route, identify, understand, entitle, reserve, forward, meter,
 * settle, record. Each step refuses by leaving its reason on the exchange; `decide` turns it into the answer.
 */
export function createPipeline(context: GatewayContext): RequestHandler {
  return (request, response) => {
    const at = context.clock.now();
    const requestId = createRequestId(at);
    const { catalog } = context.compiled();
    const exchange = new Exchange(request, response, {
      requestId,
      at,
      startedMs: context.clock.monotonicMs(),
      catalogVersion: catalog.version,
    });
    try {
      if (!context.servePage(request, response, requestId)) judge(context, exchange);
    } catch (error) {
      failUnexpectedly(context, exchange, error);
    }
  };
}

/** Decides about a request and sends it on: every step of DESIGN 2 from routing on. */
export function judge(context: GatewayContext, exchange: Exchange): void {
  const { request } = exchange;
  const host = readHeader(request.headers, 'host') ?? '';
  const { router } = context.compiled();
  const hasOrigin = readHeader(request.headers, 'origin') !== undefined;
  if (hasOrigin && applyCors(context, exchange, host)) return;
  const match = router.match(request.method, host, exchange.path, request.headers);
  switch (match.kind) {
    case 'route':
      exchange.route = match.route;
      exchange.api = match.api;
      identify(context, exchange);
      return;
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

/** True = it was a pre-flight, answered before anybody is identified and never charged (DESIGN 10). */
function applyCors(context: GatewayContext, exchange: Exchange, host: string): boolean {
  const api = context.compiled().router.findApi(host, exchange.path);
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

function identify(context: GatewayContext, exchange: Exchange): void {
  if (exchange.route?.endpointClass === 'free') {
    dispatch(context, exchange);
    return;
  }
  const found = context.keys.identify(readCredential(exchange.request.headers));
  if (!(found instanceof Promise)) {
    proceed(context, exchange, found);
    return;
  }
  found
    .then(
      (identification) => proceed(context, exchange, identification),
      (error: unknown) => failIdentification(context, exchange, error),
    )
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

/** The key is not known here and the store does not answer: 503, not 401 (DESIGN 1, promise 2). */
function failIdentification(context: GatewayContext, exchange: Exchange, error: unknown): void {
  context.logger.error(
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

function proceed(context: GatewayContext, exchange: Exchange, found: Identification): void {
  if (found.kind === 'refused') {
    exchange.identity = found;
    refuse(context, exchange);
    return;
  }
  exchange.access = found.access;
  exchange.identity = found.access.identity;
  dispatch(context, exchange);
}

function dispatch(context: GatewayContext, exchange: Exchange): void {
  const { route, access } = exchange;
  if (route === undefined) return;
  if (route.kind === 'models') {
    answerModels(context, exchange);
    return;
  }
  if (route.kind !== 'proxy') {
    if (access === undefined) throw new Error(`LLM route ${route.id} without a key`);
    startLlmCall(context, exchange, route, access);
    return;
  }
  const compiled = context.compiled().routes.get(route);
  if (compiled === undefined) throw new Error(`route ${route.id} was not compiled`);
  if (access !== undefined && route.requires.length > 0) {
    exchange.entitlements = route.requires.map(({ kind, id }) => ({
      kind,
      id,
      granted: grantsEntitlement(access.plan, { kind, id }),
    }));
    if (exchange.entitlements.some(({ granted }) => !granted)) {
      refuse(context, exchange);
      return;
    }
  }
  new ProxyCall(context, exchange, route, compiled).start();
}

/** `Authorization: Bearer KEY`, or `X-Api-Key: KEY`. */
export function readCredential(headers: RawHeaders): string | undefined {
  const authorization = readHeader(headers, 'authorization');
  if (authorization === undefined) return readHeader(headers, 'x-api-key');
  // RFC 9110 11.1: the scheme's name is case-insensitive.
  return /^bearer +/i.test(authorization) ? authorization.slice(7).trim() : authorization;
}
