import { isUtf8 } from 'node:buffer';

import type { Route } from '../../domain/catalog.ts';
import type { Fault } from '../../domain/facts.ts';
import { findAmbiguity } from '../../platform/scan-json.ts';
import { refuse, refuseBody } from './answer.ts';
import { AskedRequest, type ReadBody } from './asked-request.ts';
import { authorize } from './authorize.ts';
import { bodyTooLarge, collectBody } from './collect-body.ts';
import type { CompiledRoute } from './compile-catalog.ts';
import type { GatewayContext } from './context.ts';
import { entitle, isHeldBack } from './entitle.ts';
import type { Exchange } from './exchange.ts';
import type { KeyGate } from './key-gate.ts';
import { attempt } from './next-step.ts';
import { observe } from './observe.ts';
import { ProxyCall } from './proxy-call.ts';
import { ReplayedRequest } from './replayed-request.ts';
import type { RouteGate } from './route-gate.ts';
import { stand } from './stand.ts';

/**
 * The steps that only some calls have: authorise, and stand. False = the call is refused. What is known
 * against it that needs its body to be told apart is judged by whoever reads that.
 */
export function admitCaller(
  context: GatewayContext,
  exchange: Exchange,
  { route, gate }: CompiledRoute,
): boolean {
  if (isObserved(gate, exchange.access?.gate)) exchange.enforcement = 'observe';
  exchange.authorization = authorize(context, exchange, route, gate);
  if (exchange.authorization !== undefined) {
    refuse(context, exchange);
    return false;
  }
  stand(exchange, route);
  return true;
}

/** The most specific word counts: of the customer, of its plan, of the API (DESIGN 3). */
function isObserved(route: RouteGate | undefined, key: KeyGate | undefined): boolean {
  return key?.observes === true || (route?.observes === true && key?.enforces !== true);
}

/** Understands and entitles a call of a proxied route, then sends it on (DESIGN 2). */
export function judgeProxied(
  context: GatewayContext,
  exchange: Exchange,
  compiled: CompiledRoute,
): void {
  const bytesMax = compiled.gate?.readsBodyUpTo;
  if (bytesMax === undefined || exchange.request.contentLength === 0) {
    judgeCall(context, exchange, { compiled, body: undefined });
    return;
  }
  collectBody(
    exchange,
    bytesMax,
    (bytes) => attempt(context, exchange, () => judgeBody(context, exchange, { compiled, bytes })),
    (fault) => attempt(context, exchange, () => refuseBody(context, exchange, fault)),
  );
}

/** What is wrong with the parameters of a call; undefined = nothing (GW-15). */
function findParameterFault(gate: RouteGate | undefined, asked: AskedRequest): Fault | undefined {
  for (const check of gate?.parameters ?? []) {
    const fault = check(asked);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** As it came, and as it is read here. */
interface WholeBody {
  readonly parsed: unknown;
  readonly bytes: Buffer;
}

/** What is judged must be what the upstream reads, however that treats duplicates and the case of names (GW-19). */
function findBodyFault(
  gate: RouteGate | undefined,
  { parsed, bytes }: WholeBody,
): Fault | undefined {
  for (const path of gate?.judged ?? []) {
    if (Array.isArray(parsed) && isMember(path)) return BATCH;
    const name = findAmbiguity(bytes, path);
    if (name !== undefined) {
      const pointer = `/${path.join('/')}`;
      const problem = `${name} must be there once, spelled as in ${pointer}`;
      return { code: 'INVALID_REQUEST', problem, pointer };
    }
  }
  return undefined;
}

/** The same, and its parameters: of a call whose body was read anyway. */
export function findContentFault(
  gate: RouteGate | undefined,
  asked: AskedRequest,
  body: WholeBody,
): Fault | undefined {
  return findBodyFault(gate, body) ?? findParameterFault(gate, asked);
}

function judgeBody(
  context: GatewayContext,
  exchange: Exchange,
  came: { compiled: CompiledRoute; bytes: Buffer },
): void {
  const { compiled, bytes } = came;
  exchange.request = new ReplayedRequest(exchange.request, bytes);
  // An empty body is none, however its length was told.
  const parsed = bytes.length === 0 ? null : parseJson(bytes);
  if (parsed === undefined) {
    exchange.understanding = NOT_JSON;
    refuse(context, exchange);
    return;
  }
  if (compiled.route.dialect === 'jsonrpc') exchange.jsonRpcId = idOf(parsed);
  exchange.understanding = findBodyFault(compiled.gate, { parsed, bytes });
  if (exchange.understanding !== undefined) {
    refuse(context, exchange);
    return;
  }
  judgeCall(context, exchange, { compiled, body: { parsed, bytes: bytes.length } });
}

function judgeCall(
  context: GatewayContext,
  exchange: Exchange,
  came: { compiled: CompiledRoute; body: ReadBody | undefined },
): void {
  const { compiled, body } = came;
  const { route, gate } = compiled;
  const asked = new AskedRequest(exchange.request, body);
  exchange.understanding = findSizeFault(exchange, route) ?? findParameterFault(gate, asked);
  if (exchange.understanding !== undefined) {
    refuse(context, exchange);
    return;
  }
  entitle(exchange, gate, asked);
  const call = new ProxyCall(context, exchange, route, compiled);
  if (!isHeldBack(exchange)) call.start();
  else if (observe(context, exchange)) call.pass();
  else refuse(context, exchange);
}

/** Too large for the route is 413, before anybody is told what they would have to pay for it. */
function findSizeFault({ request }: Exchange, { bodyBytesMax }: Route): Fault | undefined {
  if (bodyBytesMax === undefined || request.contentLength <= bodyBytesMax) return undefined;
  return bodyTooLarge(bodyBytesMax);
}

/** Whether the pointer is into an object: a list has places, and no members. */
function isMember([first]: readonly string[]): boolean {
  return first !== undefined && !/^\d+$/.test(first);
}

/** Its calls would have to be judged and priced one by one. */
const BATCH: Fault = {
  code: 'INVALID_REQUEST',
  problem: 'a list of calls is not taken here: send them one at a time',
  pointer: '',
};

/** What stands in the body decides what the call needs: one that cannot be read is refused, not guessed at. */
const NOT_JSON: Fault = {
  code: 'INVALID_REQUEST',
  problem: 'the body is not valid JSON in UTF-8',
  pointer: '',
};

/** JSON-RPC 2.0: what the caller knows the answer by. A batch has none of its own. */
function idOf(call: unknown): string | number | null {
  if (typeof call !== 'object' || call === null || !('id' in call)) return null;
  return typeof call.id === 'string' || typeof call.id === 'number' ? call.id : null;
}

/** Undefined = it is none: no JSON text stands for `undefined`. */
function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
