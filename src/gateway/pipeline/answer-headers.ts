import { buildRateLimitHeaders, type RateLimitReading } from '../../contract/headers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { CountedCall } from '../../domain/accounts.ts';
import type { Exchange } from './exchange.ts';

const NANO_PER_WHOLE = 1_000_000_000;

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
function countedCall({ route, model, endUser }: Exchange): CountedCall {
  return { routeId: route?.id ?? '', operation: route?.operation ?? '', model, endUser };
}

/** What is left of every quota this request counts in (QUOTA-08), up to 1 s old on success. */
export function readRateLimits(
  exchange: Exchange,
  engine: Pick<Engine, 'peek'>,
): RateLimitReading[] {
  const readings: RateLimitReading[] = [];
  const { access } = exchange;
  if (access === undefined) return readings;
  for (const { spec, policy } of access.accountsAt(countedCall(exchange), exchange.at)) {
    if (policy === undefined) continue;
    const numbers = engine.peek(spec);
    const remaining =
      numbers === undefined ? spec.allowance : Math.max(0, numbers.allowance - numbers.spent);
    readings.push({ policy, remaining, resetsAtMs: spec.windowEndsAt });
  }
  return readings;
}

/** Cost, balance and limits of an answer that is served, as a flat list. `final`: the cost is exact, not the most it can be. */
export function buildServedHeaders(
  exchange: Exchange,
  engine: Pick<Engine, 'peek'>,
  asset: string,
  final: boolean,
): string[] {
  const headers = ['X-Request-Id', exchange.requestId];
  const { access } = exchange;
  if (access === undefined) return headers;
  if (final) headers.push('x-tollkeeper-cost', `${formatNano(exchange.costNano)} ${asset}`);
  else headers.push('x-tollkeeper-cost-max', `${formatNano(exchange.holdNano)} ${asset}`);
  const balance = readBalance(exchange, engine);
  if (balance !== undefined)
    headers.push('x-tollkeeper-balance', `${formatNano(balance)} ${asset}`);
  for (const part of buildRateLimitHeaders(readRateLimits(exchange, engine), exchange.at))
    headers.push(part);
  if (exchange.clampedOutputTokens !== undefined)
    headers.push('x-tollkeeper-max-tokens', String(exchange.clampedOutputTokens));
  return headers;
}

/** Settled balance in nano, open holds included; undefined when this key has none or it was never asked for. */
function readBalance(exchange: Exchange, engine: Pick<Engine, 'peek'>): number | undefined {
  const balance = exchange.access
    ?.accountsAt(countedCall(exchange), exchange.at)
    .find((view) => view.policy === undefined);
  const numbers = balance && engine.peek(balance.spec);
  return numbers && numbers.allowance - numbers.spent;
}
