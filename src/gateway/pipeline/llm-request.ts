import type { Route } from '../../domain/catalog.ts';
import type { Forwarder } from '../forwarder.ts';
import type { UpstreamReceiver } from '../upstream.ts';
import type { RawHeaders } from '../listener.ts';
import { buildServedHeaders } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { UnderstoodCall } from './llm-call.ts';
import { buildAnswerHeaders } from './outgoing.ts';
import { openForwarder } from './open-forwarder.ts';

/** The call to the model's provider, with the caller's body edited as far as it has to be; not yet started. */
export function openLlmForwarder(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  receiver: UpstreamReceiver,
): Forwarder {
  const { model, provider, request, body, parsed, route } = call;
  const { providers } = exchange.compiled.catalog;
  const edited = provider.editBody(body, parsed, {
    upstreamModel: model.upstreamModel,
    outputTokensMax: exchange.clampedOutputTokens,
    includeUsage: request.stream && !request.wantsUsageChunk,
  });
  const upstreamId = providers.get(model.providerId)?.upstreamId ?? '';
  const outgoing = { route, upstreamId, path: endpointOf(route), body: edited };
  return openForwarder(context, exchange, outgoing, receiver);
}

/** What the head of the answer says. `length`: of its body, where it is whole; `final`: nothing is charged any more. */
export function buildLlmHeaders(
  context: GatewayContext,
  exchange: Exchange,
  { asked, model }: UnderstoodCall,
  answer: { headers: RawHeaders; length: number | undefined; final: boolean },
): { readonly own: RawHeaders; readonly shared: RawHeaders } {
  const { asset } = exchange.compiled.catalog;
  const { own, shared } = buildServedHeaders(exchange, context.engine, asset, answer.final);
  if (model !== asked) own.push('X-Tollkeeper-Model', model.id);
  if (answer.length !== undefined) own.push('Content-Length', String(answer.length));
  return { own: buildAnswerHeaders(exchange, answer.headers, own), shared };
}

/** Below the provider's base URL, which names the version (`https://host/v1`). */
function endpointOf(route: Route): string {
  return route.kind === 'embeddings' ? '/embeddings' : '/chat/completions';
}
