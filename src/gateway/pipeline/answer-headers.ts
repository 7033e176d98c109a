import { buildRateLimitHeaders, type RateLimitReading } from '../../contract/headers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { AccountSpec, CountedCall } from '../../domain/accounts.ts';
import { isSlot } from '../../domain/take.ts';
import type { AccountNumbers } from '../../stores/store.ts';
import type { RawHeaders } from '../listener.ts';
import { roundUnderWay } from '../round.ts';
import type { Exchange } from './exchange.ts';
import { ratesOf } from './stand.ts';

const NANO_PER_WHOLE = 1_000_000_000;
const COST = 'x-tollkeeper-cost';

/** "0.0010" from nano: what formatMoney gives, without bigint: it is written on every answer. */
export function formatNano(nano: number): string {
  const magnitude = Math.abs(nano);
  const fraction = magnitude % NANO_PER_WHOLE;
  const whole = (magnitude - fraction) / NANO_PER_WHOLE;
  const fewest = whole === 0 ? 4 : 2;
  let digits = fraction.toString().padStart(9, '0');
  let end = 9;
  while (end > fewest && digits.charCodeAt(end - 1) === 48) end -= 1;
  digits = digits.slice(0, end);
  return `${nano < 0 ? '-' : ''}${whole}.${digits}`;
}

/** What limits this request is counted as; before it is routed, as nothing in particular. */
function countedCall({ route, countedModel: model, endUser }: Exchange): CountedCall {
  return { routeId: route?.id ?? '', operation: route?.operation ?? '', model, endUser };
}

type Peeking = Pick<Engine, 'peek' | 'peekRate'>;

/**
 * What is left of every quota and rate this request counts in (QUOTA-08), up to 1 s old on success. Of what nobody here has
 * asked for lately nothing is told: a request that was refused before it was counted knows no numbers.
 */
export function readRateLimits(exchange: Exchange, engine: Peeking): RateLimitReading[] {
  const readings: RateLimitReading[] = [];
  const { accounts } = exchange;
  if (accounts === undefined) return readings;
  for (const { spec, policy } of accounts.accountsAt(countedCall(exchange), exchange.at)) {
    if (policy === undefined) continue;
    const numbers = engine.peek(spec);
    if (numbers === undefined) continue;
    const remaining = Math.max(0, leftOf(spec, numbers));
    readings.push({ policy, remaining, resetsAtMs: spec.windowEndsAt ?? numbers.resetsAt });
  }
  for (const rate of ratesOf(exchange)) {
    const left = engine.peekRate(rate);
    if (left === undefined) continue;
    // Until it is full again, as time goes on at the rate that is sustained.
    const resetsAtMs = exchange.at + (rate.burst - left) * (rate.periodMs / rate.count);
    readings.push({ policy: rate.policy, remaining: Math.floor(left), resetsAtMs });
  }
  return readings;
}

/** A slot is never spent: what is left of them is what no call holds. A soft limit is told as what it is set to. */
function leftOf({ unit, limit }: AccountSpec, numbers: AccountNumbers): number {
  const all = limit?.softAt ?? numbers.allowance;
  return all - (isSlot(unit) ? numbers.reserved : numbers.spent);
}

/** What an answer that is served says of its call, as flat lists. */
export interface ServedHeaders {
  readonly own: string[];
  /** Balance and limits: one list for all answers of one round to calls of one kind by one key. */
  readonly shared: readonly string[];
}

/**
 * Cost, balance and limits of an answer that is served. `final`: the cost is exact, not the most it can
 * be, which is told where there is one.
 */
export function buildServedHeaders(
  exchange: Exchange,
  engine: Peeking,
  asset: string,
  final: boolean,
): ServedHeaders {
  const headers = ['X-Request-Id', exchange.requestId];
  const { access, clientRequestId, wouldRefuse } = exchange;
  if (clientRequestId !== undefined) headers.push('X-Client-Request-Id', clientRequestId);
  if (wouldRefuse !== undefined) headers.push('x-tollkeeper-would-refuse', wouldRefuse);
  if (access !== undefined) {
    if (final) {
      headers.push(COST, formatCost(exchange, asset));
    } else {
      const most = exchange.costIsOpen ? exchange.costMostNano : exchange.holdNano;
      if (most !== undefined) headers.push('x-tollkeeper-cost-max', `${formatNano(most)} ${asset}`);
    }
    if (exchange.standing !== undefined) headers.push(...buildStandingHeaders(exchange));
  }
  if (exchange.clampedOutputTokens !== undefined)
    headers.push('x-tollkeeper-max-tokens', String(exchange.clampedOutputTokens));
  return { own: headers, shared: tellAccounts(exchange, engine, asset) };
}

/** What the house pays of it costs the caller nothing. */
function formatCost({ costNano, overrunNano }: Exchange, asset: string): string {
  return `${formatNano(costNano - overrunNano)} ${asset}`;
}

/** Of a head that waited for its charge: what the house pays is known only now. */
export function amendCost(exchange: Exchange, headers: RawHeaders): RawHeaders {
  if (exchange.overrunNano === 0) return headers;
  const value = headers.indexOf(COST) + 1;
  if (value === 0) return headers;
  return headers.with(value, formatCost(exchange, exchange.compiled.catalog.asset));
}

/**
 * Answers of one round to calls of one kind by one key are told the same: up to 1 s old is good enough on success
 * (DESIGN 12), and with ten limits these fields cost more than anything else in an answer.
 */
function tellAccounts(exchange: Exchange, engine: Peeking, asset: string): readonly string[] {
  const round = roundUnderWay();
  const { accounts } = exchange;
  if (round === undefined || accounts === undefined || accounts !== exchange.access?.accounts)
    return buildAccountHeaders(exchange, engine, asset);
  const shape = accounts.shapeAt(countedCall(exchange), exchange.at);
  const rates = ratesOf(exchange);
  if (shape.told?.round === round && shape.told.rates === rates) return shape.told.headers;
  const headers = buildAccountHeaders(exchange, engine, asset);
  shape.told = { round, rates, headers };
  return headers;
}

function buildAccountHeaders(
  exchange: Exchange,
  engine: Peeking,
  asset: string,
): readonly string[] {
  const limits = buildRateLimitHeaders(readRateLimits(exchange, engine), exchange.at);
  const balance = readBalance(exchange, engine);
  if (balance === undefined) return limits;
  return ['x-tollkeeper-balance', `${formatNano(balance)} ${asset}`, ...limits];
}

/** That a payment is pending, and what the service is reduced to meanwhile (DEG-05, SUB-08). */
export function buildStandingHeaders({ standing, degraded, model }: Exchange): string[] {
  if (standing === undefined) return [];
  const headers: string[] = [];
  if (degraded !== undefined) {
    headers.push('X-Service-Level', 'degraded');
    // DEG-03: a cheaper one may stand in for the model that was asked for.
    if (model !== undefined) headers.push('X-Routed-Model', model);
  }
  // What is forgiven is refused with this code once the days of grace are over.
  const code = standing.code ?? 'PAYMENT_METHOD_INVALID';
  const until = standing.graceEndsAt;
  const grace = until === undefined ? '' : `;grace_ends_at="${new Date(until).toISOString()}"`;
  headers.push('X-Billing-Warning', `${code}${grace}`);
  return headers;
}

/** Settled balance in nano, open holds included; undefined when this key has none or it was never asked for. */
function readBalance(exchange: Exchange, engine: Peeking): number | undefined {
  const balance = exchange.access?.accounts
    .accountsAt(countedCall(exchange), exchange.at)
    .find((view) => view.policy === undefined);
  const numbers = balance && engine.peek(balance.spec);
  return numbers && numbers.allowance - numbers.spent;
}
