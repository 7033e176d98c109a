import { formatQuantity } from '../contract/problem-words.ts';
import type { LimitLabel } from './accounts.ts';
import type { LimitFact } from './facts.ts';
import { formatMoney } from './money.ts';

/** `10,000 requests`, `1 request`, `0.0420 USD`. */
export function formatUnits(limit: LimitFact, units: number, asset: string): string {
  if (isMoney(limit)) return formatNano(units, asset);
  return formatCount(units, limit.unit === 'tokens' ? 'token' : 'request');
}

/** The same without the unit when it is a count: the first half of `9 of 10 requests`. */
export function formatBareUnits(limit: LimitFact, units: number, asset: string): string {
  return isMoney(limit) ? formatNano(units, asset) : formatNumber(units);
}

export function formatNano(nano: number, asset: string): string {
  return formatMoney({ asset, units: BigInt(nano) });
}

/** `1 token`, `1,204 tokens`. */
export function formatCount(count: number, singular: string): string {
  return `${formatNumber(count)} ${singular}${count === 1 ? '' : 's'}`;
}

export function formatNumber(count: number): string {
  return formatQuantity(count) ?? String(count);
}

/**
 * Units neither spent nor under an open hold, as the 402 counts them: `reserved` is more, because gateways lease
 * ahead. A shrunken plan can leave less than nothing, which is nothing.
 */
export function unitsFree(limit: LimitFact, held: number): number {
  return Math.max(0, limit.allowance - limit.spent - held);
}

const PERIODS: Readonly<Record<LimitLabel['window'], string>> = {
  second: 'a second',
  minute: 'a minute',
  hour: 'an hour',
  day: 'a day',
  week: 'a week',
  month: 'a month',
  year: 'a year',
  billing_cycle: 'a billing cycle',
  lifetime: 'in total',
};

/** `a month`, `in total`. */
export function periodOf(label: LimitLabel): string {
  return PERIODS[label.window];
}

/** Whose limit it is, as the beginning of a sentence. */
export function ownerOf(label: LimitLabel): string {
  return label.scope === 'key' ? 'this key' : 'this account';
}

/** `balance`, `limit requests_per_month`, `budget of this key`. */
export function nameOf(limit: LimitFact): string {
  if (limit.label === undefined) return 'Balance';
  return limit.label.id === 'key_budget' ? 'Budget of this key' : `Limit ${limit.label.id}`;
}

function isMoney(limit: LimitFact): boolean {
  return limit.kind === 'balance' || limit.unit === 'spend';
}
