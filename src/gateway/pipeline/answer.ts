import type { Code } from '../../contract/codes.ts';
import { renderProblemEvent } from '../../contract/dialects.ts';
import { decide, type Refusal } from '../../domain/decide.ts';
import type { Facts, Fault } from '../../domain/facts.ts';
import { findOffers } from '../../domain/offers.ts';
import { goOnIn, recordStage } from '../round.ts';
import type { CompiledCatalog } from './compile-catalog.ts';
import type { GatewayContext } from './context.ts';
import { fileSizeFact } from './entitle.ts';
import { type Exchange, factsOf, type GatheredFacts, outcomeOf } from './exchange.ts';
import { composeRefusal, prepareRefusal } from './refusal.ts';

const STORM_PERIOD_MS = 60_000;

/** Answers with what `decide` says of the facts gathered so far; they must amount to a refusal. */
export function refuse(context: GatewayContext, exchange: Exchange): void {
  releaseHold(context, exchange);
  noteFileSize(exchange);
  const facts = gatherFacts(context, exchange);
  const decision = decide(facts);
  if (decision.kind === 'admit') throw new Error(`refusing ${exchange.requestId} without a reason`);
  const slowed = countRefusal(context, exchange, facts, decision);
  if (typeof slowed === 'number') {
    send(context, exchange, { facts, refusal: decision, slowedMs: slowed });
    return;
  }
  // The count needs the store; if that fails the refusal itself still stands.
  slowed
    .catch(() => 0)
    .then((slowedMs) => send(context, exchange, { facts, refusal: decision, slowedMs }))
    .catch((error: unknown) => failUnexpectedly(context, exchange, error));
}

/** Another plan may take no body of this size: what is offered has to be tried with it (C402-07). */
function noteFileSize(exchange: Exchange): void {
  const { access, compiled, entitlements, request, bytesIn } = exchange;
  if (access === undefined || !compiled.boundsFiles) return;
  const bytes = Math.max(bytesIn, request.contentLength);
  if (bytes <= 0 || entitlements.some(({ kind }) => kind === 'file_size')) return;
  exchange.entitlements = [...entitlements, fileSizeFact(bytes, access.plan.fileBytesMax)];
}

/** The body could not be read: without a fault the client simply went away, and nobody waits for an answer. */
export function refuseBody(
  context: GatewayContext,
  exchange: Exchange,
  fault: Fault | undefined,
): void {
  if (fault === undefined) {
    record(context, exchange, 'client-gone');
    return;
  }
  exchange.understanding = fault;
  refuse(context, exchange);
}

/** A fault of ours must not leave a client waiting, nor say more than that it was ours. */
export function failUnexpectedly(
  context: GatewayContext,
  exchange: Exchange,
  error: unknown,
): void {
  logFault(context, exchange, error, 'request failed inside the gateway');
  if (exchange.response.headSent) {
    releaseHold(context, exchange);
    exchange.response.destroy();
    record(context, exchange, 'cut');
    return;
  }
  failForward(context, exchange, 'INTERNAL_ERROR', 'the gateway failed');
}

/** Refuses after admission: the upstream or the books did not do their part. Nothing is charged. */
export function failForward(
  context: GatewayContext,
  exchange: Exchange,
  code: Code,
  problem: string,
): void {
  failForwarding(context, exchange, { code, problem, pointer: undefined });
}

/** The same, in the words of a fault. A stream that has begun ends with it, and costs nothing either. */
export function failForwarding(context: GatewayContext, exchange: Exchange, fault: Fault): void {
  if (fault.code === 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED') tellOperator(context, exchange, fault);
  exchange.forwarding = fault;
  // The reservation stood: only the forwarding failed.
  exchange.reservation = { kind: 'held' };
  const { response } = exchange;
  if (!response.headSent) {
    refuse(context, exchange);
    return;
  }
  releaseHold(context, exchange);
  response.end(buildLastEvent(context, exchange));
  record(context, exchange, 'cut');
}

/** The provider serves no more calls of ours: the caller is not at fault, and can do nothing about it. */
export function tellOperator(
  { repeats }: GatewayContext,
  exchange: Exchange,
  { upstream }: Fault,
): void {
  repeats.error(
    { request_id: exchange.requestId, target: exchange.target, upstream },
    'an upstream refuses for reasons of money: look after the account with it',
  );
}

/** The last event of a stream that may not go on and was charged for until here. */
export function buildCutEvent(context: GatewayContext, exchange: Exchange): string {
  exchange.isChargedBefore = exchange.needs.length > 0;
  return buildLastEvent(context, exchange);
}

/**
 * The last event of a stream that may not go on: its head is out, so the refusal for what the exchange says is
 * told there, in the words and the envelope that the route's clients read.
 */
function buildLastEvent(context: GatewayContext, exchange: Exchange): string {
  const facts = gatherFacts(context, exchange);
  const decision = decide(facts);
  if (decision.kind === 'admit') throw new Error(`cutting ${exchange.requestId} without a reason`);
  const document = composeRefusal(context, exchange, facts, decision);
  exchange.code = document.code;
  return renderProblemEvent(document, exchange.dialect, { id: exchange.jsonRpcId });
}

/** Writes the log row and the counters of a request that has ended, at the end of the round. At most once. */
export function record(
  context: GatewayContext,
  exchange: Exchange,
  ending: Exchange['ending'],
): void {
  if (exchange.recorded || exchange.secured?.postpones(ending) === true) return;
  exchange.ending = ending;
  const durationMs = durationOf(context, exchange);
  writeDown(context, exchange, () => gatherFacts(context, exchange, durationMs));
}

/** The facts it was refused by, and how that was answered. */
function recordRefusal(context: GatewayContext, exchange: Exchange, facts: GatheredFacts): void {
  if (exchange.recorded) return;
  exchange.ending = 'refused';
  facts.outcome = outcomeOf(exchange, durationOf(context, exchange));
  writeDown(context, exchange, () => facts);
}

/** The answer has left: a fault here costs its row, and nobody their connection. */
function writeDown(context: GatewayContext, exchange: Exchange, tell: () => Facts): void {
  exchange.recorded = true;
  goOnIn(recordStage, {
    proceed: () => {
      try {
        const facts = tell();
        context.metrics.count(facts);
        context.recorder.add(facts);
      } catch (error) {
        logFault(context, exchange, error, 'a request could not be recorded');
      }
    },
  });
}

export function logFault(
  { logger }: GatewayContext,
  { requestId }: Exchange,
  error: unknown,
  message: string,
): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  logger.error({ request_id: requestId, error: cause }, message);
}

export function releaseHold(context: GatewayContext, exchange: Exchange): void {
  const { hold } = exchange;
  if (hold === undefined) return;
  exchange.hold = undefined;
  context.engine.release(hold);
}

export function gatherFacts(
  context: GatewayContext,
  exchange: Exchange,
  durationMs = durationOf(context, exchange),
): GatheredFacts {
  return factsOf(exchange, (need) => context.engine.peek(need.account), durationMs);
}

function durationOf({ clock }: GatewayContext, { startedMs }: Exchange): number {
  return clock.monotonicMs() - startedMs;
}

function send(
  context: GatewayContext,
  exchange: Exchange,
  refused: { facts: GatheredFacts; refusal: Refusal; slowedMs: number },
): void {
  let { facts, refusal } = refused;
  if (refused.slowedMs > 0) {
    exchange.storm = { cause: refusal.code, retryAfterMs: refused.slowedMs };
    facts = { ...facts, storm: exchange.storm };
    const slowed = decide(facts);
    if (slowed.kind === 'refuse') refusal = slowed;
  }
  const prepared = prepareRefusal(context, exchange, facts, refusal);
  exchange.status = prepared.status;
  exchange.code = prepared.code;
  const { response } = exchange;
  if (!response.closed) {
    const { status, headers, shared, body } = prepared;
    for (const part of exchange.corsHeaders) headers.push(part);
    if (exchange.request.method === 'HEAD') {
      response.writeHead(status, headers, shared);
      response.end();
    } else {
      headers.push('Content-Length', String(body.length));
      response.writeHead(status, headers, shared);
      response.end(body);
    }
  }
  recordRefusal(context, exchange, facts);
}

/** A refusal that would be repeated in vain: every 402 that only an action lifts (QUOTA-13). */
function isRepeatable({ catalog }: CompiledCatalog, facts: Facts, refusal: Refusal): boolean {
  const { step, transient, limit, retryAfterMs } = refusal;
  if (transient) return false;
  // What nothing on sale grants is a 403: no client is told to pay for it, and none repeats it for that.
  if (step === 'entitle') return findOffers(facts, refusal, catalog).length > 0;
  return step === 'stand' || (limit !== undefined && retryAfterMs === undefined);
}

/** Counts this refusal; milliseconds to be slowed by, 0 = not a storm. The first is free, hence the one more. */
function countRefusal(
  context: GatewayContext,
  { compiled }: Exchange,
  facts: Facts,
  refusal: Refusal,
): number | Promise<number> {
  const perMinute = compiled.catalog.retryStormPerMinute;
  if (perMinute === 0 || facts.identity.kind !== 'key') return 0;
  if (!isRepeatable(compiled, facts, refusal)) return 0;
  return context.engine.takeToken({
    bucketId: `storm:${facts.identity.keyId}:${refusal.code}`,
    count: perMinute,
    periodMs: STORM_PERIOD_MS,
    burst: perMinute + 1,
  });
}
