import type { Route } from '../../domain/catalog.ts';
import { Forwarder } from '../forwarder.ts';
import type { InboundRequest } from '../listener.ts';
import type { UpstreamFailure, UpstreamReceiver } from '../upstream.ts';
import { failForward, logFault } from './answer.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { attempt } from './next-step.ts';

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
  const { shared, own } = plan.build(request, {
    method: request.method,
    requestId: exchange.requestId,
    remoteAddress: request.remoteAddress,
    secure: request.secure,
    trusted: context.trustsForwarded(request.remoteAddress),
    identity: access && {
      tenantId: access.tenant.id,
      keyId: access.key.id,
      planId: access.plan.id,
    },
    keepContentLength: body !== undefined && !Buffer.isBuffer(body),
  });
  if (Buffer.isBuffer(body)) own.push('content-length', String(body.length));
  return new Forwarder(
    context.upstreams,
    pool,
    {
      method: request.method,
      path: outgoing.path,
      sharedHeaders: shared,
      headers: own,
      body,
      timeouts: route.timeouts,
      onFault: (error) => endByFault(context, exchange, receiver, error),
    },
    receiver,
  );
}

const UNWORKABLE: UpstreamFailure = {
  kind: 'protocol',
  sent: true,
  message: 'what the upstream sent could not be worked on',
};

/** A fault of ours at what an upstream sent is to that call as if the upstream had broken off, and nothing to any other. */
function endByFault(
  context: GatewayContext,
  exchange: Exchange,
  receiver: UpstreamReceiver,
  error: unknown,
): void {
  logFault(context, exchange, error, UNWORKABLE.message);
  attempt(context, exchange, () => receiver.onFailure(UNWORKABLE));
  const { response } = exchange;
  // It had ended the call already, and failed at saying so.
  if (!response.headSent && !response.closed) {
    failForward(context, exchange, 'UPSTREAM_FAILED', UNWORKABLE.message);
  }
}
