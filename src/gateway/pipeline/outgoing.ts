import type { Route } from '../../domain/catalog.ts';
import { Forwarder } from '../forwarder.ts';
import type { InboundRequest, RawHeaders } from '../listener.ts';
import type { UpstreamReceiver } from '../upstream.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

export interface Outgoing {
  readonly route: Route;
  readonly upstreamId: string;
  /** With its query, below the target's base path. */
  readonly path: string;
  readonly body: Buffer | InboundRequest | undefined;
}

/** A call to the route's upstream, headers built, not yet started. */
export function openForwarder(
  context: GatewayContext,
  exchange: Exchange,
  outgoing: Outgoing,
  receiver: UpstreamReceiver,
): Forwarder {
  const { route, upstreamId, body } = outgoing;
  const compiled = exchange.compiled;
  const pool = compiled.pools.get(upstreamId);
  const plan = compiled.routes.get(route)?.requestHeaders.get(upstreamId);
  if (pool === undefined || plan === undefined)
    throw new Error(`route ${route.id} has no upstream ${upstreamId}`);
  const { request, access } = exchange;
  const headers = plan.build(request.headers, {
    requestId: exchange.requestId,
    remoteAddress: request.remoteAddress,
    secure: request.secure,
    trusted: context.trustsForwarded(request.remoteAddress),
    identity: access && {
      tenantId: access.tenant.id,
      keyId: access.key.id,
      planId: access.plan.id,
    },
    keepContentLength: !Buffer.isBuffer(body),
  });
  if (Buffer.isBuffer(body)) headers.push('content-length', String(body.length));
  return new Forwarder(
    context.upstreams,
    pool,
    { method: request.method, path: outgoing.path, headers, body, timeouts: route.timeouts },
    receiver,
  );
}

/** The upstream's headers as the route passes them on, then ours. A metered answer brings its own length, or has none. */
export function buildAnswerHeaders(
  exchange: Exchange,
  upstream: RawHeaders,
  ours: string[],
): RawHeaders {
  for (const part of exchange.corsHeaders) ours.push(part);
  const { route } = exchange;
  const compiled = route && exchange.compiled.routes.get(route);
  if (compiled === undefined) return ours;
  return compiled.responseHeaders.build(upstream, ours, route?.kind === 'proxy');
}

/** Value of the first header of this name (lower case); undefined = absent. */
export function readHeader(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const candidate = headers[i];
    if (
      candidate !== undefined &&
      candidate.length === name.length &&
      candidate.toLowerCase() === name
    )
      return headers[i + 1];
  }
  return undefined;
}
