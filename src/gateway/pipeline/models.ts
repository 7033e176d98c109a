import { grantsEntitlement } from '../../domain/offers.ts';
import { record } from './answer.ts';
import { buildServedHeaders } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';

/** `GET /v1/models`: what this key may call, in OpenAI's list format. Free: it is how a client finds out. */
export function answerModels(context: GatewayContext, exchange: Exchange): void {
  const { access, compiled } = exchange;
  const { catalog } = compiled;
  const data = [...catalog.models.values()]
    .filter(
      (model) =>
        access === undefined ||
        grantsEntitlement(access.plan, { kind: 'model', id: model.id }) ||
        (model.aliasOf !== undefined &&
          grantsEntitlement(access.plan, { kind: 'model', id: model.aliasOf })),
    )
    .map((model) => ({ id: model.id, object: 'model', created: 0, owned_by: model.providerId }));
  const body = Buffer.from(JSON.stringify({ object: 'list', data }));
  const headers = buildServedHeaders(exchange, context.engine, catalog.asset, true);
  headers.push(
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    ...exchange.corsHeaders,
  );
  exchange.status = 200;
  exchange.response.writeHead(200, headers);
  if (exchange.request.method === 'HEAD') exchange.response.end();
  else exchange.response.end(body);
  record(context, exchange, 'complete');
}
