import type { Model } from '../../domain/catalog.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import { record } from './answer.ts';
import { permitModel } from './authorize.ts';
import { buildServedHeaders } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { KeyAccess } from './key-access.ts';

/** `GET /v1/models`: what this key may call, or what is on offer to nobody in particular, in OpenAI's list format. Free. */
export function answerModels(context: GatewayContext, exchange: Exchange): void {
  const { access, compiled } = exchange;
  const { catalog } = compiled;
  const data = [...catalog.models.values()]
    .filter((model) => access === undefined || mayCall(access, model))
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

/** Its plan has the model, and it was not narrowed to others itself (KEY-02). */
function mayCall(access: KeyAccess, model: Model): boolean {
  if (permitModel(access, model) !== undefined) return false;
  const { id, aliasOf } = model;
  const has = (name: string): boolean =>
    grantsEntitlement(access.plan, { kind: 'model', id: name });
  return has(id) || (aliasOf !== undefined && has(aliasOf));
}
