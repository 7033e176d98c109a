import { isUtf8 } from 'node:buffer';

import type { Code } from '../../contract/codes.ts';
import type { Model, Route } from '../../domain/catalog.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import type { LlmRequest, Provider } from '../../providers/provider.ts';
import { collectBody } from './collect-body.ts';
import { failUnexpectedly, record, refuse, releaseHold } from './answer.ts';
import type { GatewayContext } from './context.ts';
import { exceedsWindow, mightExceedWindow } from './context-window.ts';
import type { Exchange } from './exchange.ts';
import type { KeyAccess } from './key-access.ts';
import { boundsOf, holdSlowly, tryHold } from './llm-admission.ts';
import { LlmAnswer } from './llm-answer.ts';
import type { LlmBounds } from './llm-hold.ts';

/** An LLM call that has been understood: everything its answer is priced by. */
export interface UnderstoodCall {
  readonly route: Route;
  readonly access: KeyAccess;
  readonly model: Model;
  readonly provider: Provider;
  readonly request: LlmRequest;
  /** The caller's bytes and what they say. */
  readonly body: Buffer;
  readonly parsed: unknown;
}

/** One call of `/v1/chat/completions` or `/v1/embeddings`: understand, entitle, hold, forward, meter. */
export function startLlmCall(
  context: GatewayContext,
  exchange: Exchange,
  route: Route,
  access: KeyAccess,
): void {
  const bytesMax = route.bodyBytesMax;
  collectBody(
    exchange,
    bytesMax,
    (body) => {
      exchange.bytesIn = body.length;
      const call = understand(context, exchange, { route, access, body });
      if (call === undefined) refuse(context, exchange);
      else if (mightExceedWindow(call)) checkWindow(context, exchange, call);
      else proceed(context, exchange, call);
    },
    (fault) => {
      if (fault === undefined) {
        record(context, exchange, 'client-gone');
        return;
      }
      exchange.understanding = fault;
      refuse(context, exchange);
    },
  );
}

/** Undefined = `exchange.understanding` says what is wrong; nothing was counted (GW-15, LLM-19). */
function understand(
  context: GatewayContext,
  exchange: Exchange,
  came: { route: Route; access: KeyAccess; body: Buffer },
): UnderstoodCall | undefined {
  const { route, access, body } = came;
  // An invalid byte may become three upstream, where the byte bound counted one (RFC 8259 8.1 asks for UTF-8).
  const parsed = isUtf8(body) ? parseJson(body) : undefined;
  if (parsed === undefined)
    return fault(exchange, {
      code: 'INVALID_REQUEST',
      problem: 'the body is not valid JSON in UTF-8',
      pointer: '',
    });
  const named = nameOfModel(parsed);
  const model = named === undefined ? undefined : context.compiled().catalog.models.get(named);
  if (named !== undefined && model === undefined) {
    exchange.model = named.slice(0, 128);
    return fault(exchange, {
      code: 'MODEL_NOT_FOUND',
      problem: `the model ${exchange.model} does not exist`,
      pointer: '/model',
    });
  }
  const provider = context.providerFor(model);
  const understood =
    route.kind === 'chat'
      ? provider.parseChat(parsed, body.length)
      : provider.parseEmbeddings(parsed, body.length);
  if (understood.kind === 'invalid')
    return fault(exchange, {
      code: 'INVALID_REQUEST',
      problem: understood.problem,
      pointer: understood.pointer,
    });
  if (model === undefined)
    return fault(exchange, {
      code: 'INVALID_REQUEST',
      problem: 'model is required',
      pointer: '/model',
    });
  exchange.model = model.id;
  return { route, access, model, provider, request: understood.request, body, parsed };
}

function fault(
  exchange: Exchange,
  found: { code: Code; problem: string; pointer: string },
): undefined {
  exchange.understanding = found;
  return undefined;
}

/** Counts a long input before anything is worked out for it. */
function checkWindow(context: GatewayContext, exchange: Exchange, call: UnderstoodCall): void {
  exceedsWindow(context, exchange, call)
    .then((exceeds) => {
      if (exceeds) refuse(context, exchange);
      else if (exchange.response.closed) leave(context, exchange);
      else proceed(context, exchange, call);
    })
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

function proceed(context: GatewayContext, exchange: Exchange, call: UnderstoodCall): void {
  if (entitle(exchange, call)) hold(context, exchange, call);
  else refuse(context, exchange);
}

function entitle(exchange: Exchange, call: UnderstoodCall): boolean {
  const { plan } = call.access;
  const { model, route } = call;
  const granted =
    grantsEntitlement(plan, { kind: 'model', id: model.id }) ||
    (model.aliasOf !== undefined && grantsEntitlement(plan, { kind: 'model', id: model.aliasOf }));
  exchange.entitlements = [{ kind: 'model', id: model.id, granted }];
  for (const { kind, id } of route.requires) {
    exchange.entitlements = [
      ...exchange.entitlements,
      { kind, id, granted: grantsEntitlement(plan, { kind, id }) },
    ];
  }
  return exchange.entitlements.every((each) => each.granted);
}

function hold(context: GatewayContext, exchange: Exchange, call: UnderstoodCall): void {
  const bounds = boundsOf(call);
  if (tryHold(context, exchange, call, bounds)) {
    forward(context, exchange, call, bounds);
    return;
  }
  holdSlowly(context, exchange, call, bounds)
    .then((held) => {
      if (held === undefined) refuse(context, exchange);
      else if (exchange.response.closed) leave(context, exchange);
      else forward(context, exchange, call, held);
    })
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

function forward(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  bounds: LlmBounds,
): void {
  new LlmAnswer(context, exchange, call, bounds).start();
}

function leave(context: GatewayContext, exchange: Exchange): void {
  releaseHold(context, exchange);
  record(context, exchange, 'client-gone');
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function nameOfModel(parsed: unknown): string | undefined {
  if (typeof parsed !== 'object' || parsed === null || !('model' in parsed)) return undefined;
  return typeof parsed.model === 'string' ? parsed.model : undefined;
}
