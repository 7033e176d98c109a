import { formatSize } from '../contract/number-words.ts';
import { ENGLISH } from '../contract/phrases/english.ts';
import { formatQuantity } from '../contract/problem-words.ts';
import type { LimitLabel } from './accounts.ts';
import { KEY_BUDGET, TENANT_BUDGET } from './budget-tree.ts';
import type { LimitScope, LimitUnit } from './catalog.ts';
import type { LimitFact } from './facts.ts';
import { formatMoney } from './money.ts';
import { isSliding } from './sliding-window.ts';
import { isMoney, isSlot } from './take.ts';

/** One of each; sizes and money have words of their own. */
const SINGULARS: Readonly<Partial<Record<LimitUnit, string>>> = {
  requests: 'request',
  tokens: 'token',
  input_tokens: 'input token',
  output_tokens: 'output token',
  compute_units: 'compute unit',
  operations: 'operation',
  concurrent_requests: 'call',
};
const SIZES: ReadonlySet<string> = new Set(['bytes', 'bytes_in', 'bytes_out', 'storage_bytes']);

type Counted = Pick<LimitFact, 'kind' | 'unit'>;

/** `10,000 requests`, `1 request`, `2.5 MB`, `300 ms of compute`, `0.0420 USD`. */
export function formatUnits(limit: Counted, units: number, asset: string): string {
  const singular = SINGULARS[limit.unit as LimitUnit];
  const bare = formatBareUnits(limit, units, asset);
  if (singular !== undefined) return `${bare} ${singular}${units === 1 ? '' : 's'}`;
  return limit.unit === 'compute_ms' ? `${bare} ms of compute` : bare;
}

/** The same without the unit when it is a count: the first half of `9 of 10 requests`. */
export function formatBareUnits(limit: Counted, units: number, asset: string): string {
  if (isMoney(limit)) return formatNano(units, asset);
  return SIZES.has(limit.unit) ? formatBytes(units) : formatNumber(units);
}

/** `requests`, `output tokens`, `bytes out`, `ms of compute`; of money `credit` or `spend`. */
export function unitOf(limit: Counted): string {
  if (isMoney(limit)) return limit.kind === 'balance' ? 'credit' : 'spend';
  const singular = SINGULARS[limit.unit as LimitUnit];
  if (singular !== undefined) return `${singular}s`;
  return limit.unit === 'compute_ms' ? 'ms of compute' : limit.unit.replaceAll('_', ' ');
}

export function formatNano(nano: number, asset: string): string {
  return formatMoney({ asset, units: BigInt(nano) });
}

/** `900 bytes`, `2.5 MB`. */
export function formatBytes(bytes: number): string {
  return formatSize(bytes, 'down', ENGLISH) ?? String(bytes);
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
  sliding_second: 'in any second',
  sliding_minute: 'in any minute',
  sliding_hour: 'in any hour',
  sliding_day: 'in any day',
  sliding_week: 'in any week',
};

/** `a month`, `in any hour`, `in total`; of a slot, whose window nobody asks for, `at a time`. */
export function periodOf(label: LimitLabel): string {
  return isSlot(label.unit) ? 'at a time' : PERIODS[label.window];
}

/** Whether what was used comes free by and by, not at the end of a window. */
export function slides({ label }: Pick<LimitFact, 'label'>): boolean {
  return label !== undefined && isSliding(label.window);
}

const MINUTE_MS = 60_000;

/** The full minute that has come by then: times are told to the minute, and whoever waits must not be too early. */
export function fullMinuteFrom(at: number): number {
  return Math.ceil(at / MINUTE_MS) * MINUTE_MS;
}

/** What it is when waiting has helped: `full again`, `free enough again`. */
export function againOf(limit: Pick<LimitFact, 'label'> | undefined): string {
  return limit !== undefined && slides(limit) ? 'free enough again' : 'full again';
}

/** Whose use is counted, as the beginning of a sentence. */
export function ownerOf({ scope, of = '', from }: LimitLabel): string {
  if (from === 'ancestor') return 'the organisation above this account';
  if (scope === 'end_user' && of === '') return 'callers who name no end user';
  return OWNERS[scope] + of;
}

const OWNERS: Readonly<Record<LimitScope, string>> = {
  global: 'all callers together',
  tenant: 'this account',
  app: 'this app',
  key: 'this key',
  end_user: 'end user ',
  model: 'model ',
  route: 'route ',
  operation: 'operation ',
};

export function isBudget({ id }: Pick<LimitLabel, 'id'>): boolean {
  return id === KEY_BUDGET || id === TENANT_BUDGET;
}

/** `Balance`, `Limit requests_per_month`, `Budget of this key`, `Budget of the organisation above this account`. */
export function nameOf({ label }: Pick<LimitFact, 'label'>): string {
  if (label === undefined) return 'Balance';
  return isBudget(label) ? `Budget of ${ownerOf(label)}` : `Limit ${label.id}`;
}

/** An account that counts without an end: a soft limit, or what is billed beyond an allowance. */
export function hasNoEnd(limit: Pick<LimitFact, 'allowance'>): boolean {
  return limit.allowance >= Number.MAX_SAFE_INTEGER;
}
