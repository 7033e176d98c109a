import { isUtf8 } from 'node:buffer';

import type { Model, Route } from '../../domain/catalog.ts';
import { grantsEntitlement } from '../../domain/offers.ts';
import { forwardStage, reserveStage } from '../round.ts';
import { AskedRequest } from './asked-request.ts';
import { permitModel } from './authorize.ts';
import { collectBody } from './collect-body.ts';
import type { CompiledRoute } from './compile-catalog.ts';
import { failUnexpectedly, record, refuse, refuseBody, releaseHold } from './answer.ts';
import type { GatewayContext } from './context.ts';
import {
  countInput,
  entitleContext,
  exceedsWindow,
  mustCount,
  mustCountToOffer,
  noteSize,
} from './context-window.ts';
import { findEndUser } from './end-user.ts';
import { entitle, isHeldBack } from './entitle.ts';
import type { Exchange } from './exchange.ts';
import { findContentFault } from './gate.ts';
import type { KeyAccess } from './key-access.ts';
import { askFor, boundsOf, holdSlowly, tryHold } from './llm-admission.ts';
import { LlmAnswer } from './llm-answer.ts';
import type { CallPrice, LlmBounds } from './llm-hold.ts';
import { attempt, takeNext } from './next-step.ts';
import { noteUnknownModel } from './models.ts';
import { observe } from './observe.ts';
import type { ReadCall } from './refused-bodies.ts';
import type { RouteGate } from './route-gate.ts';
import { secureAnswer } from './secured-answer.ts';

/** An LLM call that has been understood: everything its answer is priced by. */
export interface UnderstoodCall extends ReadCall {
  readonly route: Route;
  readonly gate: RouteGate | undefined;
  readonly access: KeyAccess;
  /** The one that answers, and is priced: another while a payment is pending, where the plan says so (DEG-03). */
  readonly model: Model;
  readonly price: CallPrice;
  /** Tokens of its input as they are held for: never below the true count. */
  readonly inputTokens: number;
  /** And as they are compared with what a plan allows. */
  readonly inputSize: number;
  /** What a tokenizer made of it, when one had to be asked. */
  readonly counted: number | undefined;
  /** Of one completion. */
  readonly outputTokensMost: number;
  readonly body: Buffer;
}

/** One whose body has been read. */
interface CallWithBody {
  readonly compiled: CompiledRoute;
  readonly access: KeyAccess;
  readonly body: Buffer;
}

/** One call of `/v1/chat/completions` or `/v1/embeddings`: understand, entitle, hold, forward, meter. */
export function startLlmCall(
  context: GatewayContext,
  exchange: Exchange,
  compiled: CompiledRoute,
  access: KeyAccess,
): void {
  const bytesMax = compiled.route.bodyBytesMax;
  collectBody(
    exchange,
    bytesMax,
    (body) =>
      attempt(context, exchange, () => judge(context, exchange, { compiled, access, body })),
    (fault) => attempt(context, exchange, () => refuseBody(context, exchange, fault)),
  );
}

function judge(context: GatewayContext, exchange: Exchange, came: CallWithBody): void {
  exchange.bytesIn = came.body.length;
  const call = understand(context, exchange, came);
  if (call === undefined) refuse(context, exchange);
  else if (mustCount(exchange, call)) countFirst(context, exchange, call);
  else takeNext(reserveStage, context, exchange, () => proceed(context, exchange, call));
}

/** Undefined = `exchange.understanding` says what is wrong; nothing was counted (GW-15, LLM-19). */
function understand(
  context: GatewayContext,
  exchange: Exchange,
  came: CallWithBody,
): UnderstoodCall | undefined {
  const { access, body } = came;
  const { route, gate } = came.compiled;
  const known = exchange.compiled.refusedBodies.find({ route, access, body });
  const read = known ?? readCall(context, exchange, came);
  if (read === undefined) return undefined;
  exchange.authorization = permitModel(access, read.asked);
  const call = complete(exchange, came, read);
  exchange.understanding = findContentFault(gate, askedBy(exchange, call), {
    parsed: read.parsed,
    bytes: body,
  });
  const isRefused = exchange.authorization !== undefined || exchange.understanding !== undefined;
  return isRefused ? undefined : call;
}

function readCall(
  context: GatewayContext,
  exchange: Exchange,
  came: CallWithBody,
): ReadCall | undefined {
  const { access, body } = came;
  const { route } = came.compiled;
  // An invalid byte may become three upstream, where the byte bound counted one (RFC 8259 8.1 asks for UTF-8).
  const parsed = isUtf8(body) ? parseJson(body) : undefined;
  if (parsed === undefined) return fault(exchange, '', 'the body is not valid JSON in UTF-8');
  const named = nameOfModel(parsed);
  const asked = named === undefined ? undefined : exchange.compiled.catalog.models.get(named);
  if (named !== undefined && asked === undefined) {
    noteUnknownModel(exchange, named, '/model');
    return undefined;
  }
  const provider = context.providerFor(asked);
  const understood =
    route.kind === 'chat'
      ? provider.parseChat(parsed, body.length)
      : provider.parseEmbeddings(parsed, body.length);
  if (understood.kind === 'invalid') {
    // What the key may not use is told before what is wrong with the call.
    exchange.authorization = asked && permitModel(access, asked);
    return fault(exchange, understood.pointer, understood.problem);
  }
  if (asked === undefined) return fault(exchange, '/model', 'model is required');
  return { parsed, asked, provider, request: understood.request };
}

/** What the call is served and priced by. */
function complete(
  exchange: Exchange,
  came: CallWithBody,
  { parsed, asked, provider, request }: ReadCall,
): UnderstoodCall {
  const { access, body } = came;
  const { route, gate } = came.compiled;
  const model = substituteOf(exchange, asked);
  exchange.model = model.id;
  exchange.countedModel = model.aliasOf ?? model.id;
  if (access.accounts.countsEndUsers) {
    exchange.endUser = findEndUser(exchange.request.headers, route, parsed);
  }
  const isChat = route.kind === 'chat';
  // Member by member, here and wherever every request comes by: on Node 20 a spread takes microseconds.
  return {
    route,
    gate,
    access,
    asked,
    model,
    price: {
      model,
      prepaid: access.accounts.prepaid,
      tiers: isChat ? access.plan.contextTiers : [],
    },
    provider,
    request,
    inputTokens: request.inputTokensBound,
    inputSize: request.inputTokensBound,
    counted: undefined,
    outputTokensMost: isChat ? (request.outputTokensMax ?? model.outputTokensMax) : 0,
    body,
    parsed,
  };
}

/** While a payment is pending a cheaper model may answer, where the plan names one. */
function substituteOf({ degraded, compiled }: Exchange, asked: Model): Model {
  if (degraded === undefined) return asked;
  const { substitutes } = degraded;
  const name = substitutes.get(asked.id) ?? substitutes.get(asked.aliasOf ?? asked.id);
  return (name && compiled.catalog.models.get(name)) || asked;
}

function askedBy(
  exchange: Exchange,
  { body, parsed }: Pick<UnderstoodCall, 'body' | 'parsed'>,
): AskedRequest {
  return new AskedRequest(exchange.request, { parsed, bytes: body.length });
}

function fault(exchange: Exchange, pointer: string, problem: string): undefined {
  exchange.understanding = { code: 'INVALID_REQUEST', problem, pointer };
  return undefined;
}

/** Counts a long input before anything is worked out for it. */
function countFirst(context: GatewayContext, exchange: Exchange, call: UnderstoodCall): void {
  countInput(context, call)
    .then((counted) => {
      if (exceedsWindow(exchange, counted)) refuse(context, exchange);
      else proceed(context, exchange, counted);
    })
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

function proceed(context: GatewayContext, exchange: Exchange, understood: UnderstoodCall): void {
  if (exchange.response.closed) {
    leave(context, exchange);
    return;
  }
  entitleModel(exchange, understood);
  const call = entitleContext(exchange, understood);
  const { gate, access } = call;
  if (gate !== undefined || access.gate !== undefined) {
    entitle(exchange, gate, askedBy(exchange, call));
  }
  if (isHeldBack(exchange)) turnAway(context, exchange, call, boundsOf(call));
  else hold(context, exchange, call);
}

/** Refuses a call, or lets it pass where that is only observed. What is offered instead is tried with its size. */
function turnAway(
  context: GatewayContext,
  exchange: Exchange,
  call: UnderstoodCall,
  bounds: LlmBounds,
): void {
  const finish = (sized: UnderstoodCall): void => {
    if (exchange.compiled.smallestContext < Infinity) noteSize(exchange, sized);
    if (observe(context, exchange)) {
      forward(context, exchange, call, bounds);
      return;
    }
    exchange.compiled.refusedBodies.keep(call);
    refuse(context, exchange);
  };
  if (!mustCountToOffer(call, exchange.compiled.smallestContext)) {
    finish(call);
    return;
  }
  countInput(context, call)
    .then(finish)
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

function entitleModel(exchange: Exchange, { access: { plan }, asked }: UnderstoodCall): void {
  const granted =
    grantsEntitlement(plan, { kind: 'model', id: asked.id }) ||
    (asked.aliasOf !== undefined && grantsEntitlement(plan, { kind: 'model', id: asked.aliasOf }));
  exchange.entitlements = [{ kind: 'model', id: asked.id, granted }];
}

function hold(context: GatewayContext, exchange: Exchange, call: UnderstoodCall): void {
  const bounds = boundsOf(call);
  if (tryHold(context, exchange, call, askFor(exchange, call, bounds))) {
    takeNext(forwardStage, context, exchange, () => forward(context, exchange, call, bounds));
    return;
  }
  holdSlowly(context, exchange, call, bounds)
    .then((held) => {
      if (held === undefined) turnAway(context, exchange, call, bounds);
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
  if (exchange.response.closed) {
    leave(context, exchange);
    return;
  }
  secureAnswer(context, exchange, call.model.durability ?? call.route.durability);
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
