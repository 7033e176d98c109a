import type { Model, Route } from '../../domain/catalog.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import { normalizePath } from '../request-path.ts';
import { record, refuse } from './answer.ts';
import { permitModel } from './authorize.ts';
import { buildServedHeaders } from './answer-headers.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { KeyAccess } from './key-access.ts';

/**
 * `GET /v1/models`: what this key may call, or what is on offer to nobody in particular, in OpenAI's list format;
 * `GET /v1/models/{name}`: one of these, or 404. Free.
 */
export function answerModels(context: GatewayContext, exchange: Exchange, route: Route): void {
  const { access, compiled } = exchange;
  const { models } = compiled.catalog;
  const name = nameAsked(exchange, route);
  if (name === '') {
    const data = [...models.values()].filter((model) => isOffered(access, model)).map(describe);
    send(context, exchange, { object: 'list', data });
    return;
  }
  const model = models.get(name);
  if (model !== undefined && isOffered(access, model)) send(context, exchange, describe(model));
  else {
    noteUnknownModel(exchange, name, undefined);
    refuse(context, exchange);
  }
}

/** `pointer`: where in the body it is named, if there is one. */
export function noteUnknownModel(
  exchange: Exchange,
  name: string,
  pointer: string | undefined,
): void {
  exchange.model = name.slice(0, 128);
  exchange.understanding = {
    code: 'MODEL_NOT_FOUND',
    problem: `the model ${exchange.model} does not exist`,
    pointer,
  };
}

/** What stands below the path of the list; empty = the list itself. */
function nameAsked({ path }: Exchange, { match }: Route): string {
  const normal = normalizePath(path);
  return normal.kind === 'path' ? normal.value.slice(match.path.value.length + 1) : '';
}

function describe({ id, providerId }: Model): object {
  return { id, object: 'model', created: 0, owned_by: providerId };
}

function send(context: GatewayContext, exchange: Exchange, answer: object): void {
  const { catalog } = exchange.compiled;
  const body = Buffer.from(JSON.stringify(answer));
  const { own, shared } = buildServedHeaders(exchange, context.engine, catalog.asset, true);
  own.push(
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    ...exchange.corsHeaders,
  );
  exchange.status = 200;
  exchange.response.writeHead(200, own, shared);
  if (exchange.request.method === 'HEAD') exchange.response.end();
  else exchange.response.end(body);
  record(context, exchange, 'complete');
}

function isOffered(access: KeyAccess | undefined, model: Model): boolean {
  return access === undefined || mayCall(access, model);
}

/** Its plan has the model, and it was not narrowed to others itself (KEY-02). */
function mayCall(access: KeyAccess, model: Model): boolean {
  if (permitModel(access, model) !== undefined) return false;
  const { id, aliasOf } = model;
  const has = (name: string): boolean =>
    grantsEntitlement(access.plan, { kind: 'model', id: name });
  return has(id) || (aliasOf !== undefined && has(aliasOf));
}
