import { z } from 'zod';
import { PERIOD_NAMES, type PeriodName } from '../../../contract/phrases/phrasebook.ts';
import { KEY_BUDGET, TENANT_BUDGET } from '../../../domain/budget-tree.ts';
import type { Limit, LimitScope, LimitUnit, LimitWindow } from '../../../domain/catalog.ts';
import { slidingWindowOf } from '../../../domain/sliding-window.ts';
import { parseAllowance, parseByteSize, parseTimeSpan, wrong } from '../human-units.ts';
import type { Parsed } from '../human-units.ts';
import type { PricedUnit } from '../money-text.ts';
import { idName, report, textAs } from './parts.ts';
import { amount } from './price-schema.ts';

interface UnitRule {
  readonly unit: LimitUnit;
  /** What one more costs is said per this; undefined = more of it cannot be sold. */
  readonly pricedBy: PricedUnit | undefined;
}

/** By the member that says how much. */
const UNIT_RULES = {
  requests: { unit: 'requests', pricedBy: 'request' },
  tokens: { unit: 'tokens', pricedBy: 'token' },
  input_tokens: { unit: 'input_tokens', pricedBy: 'token' },
  output_tokens: { unit: 'output_tokens', pricedBy: 'token' },
  bytes: { unit: 'bytes', pricedBy: 'byte' },
  bytes_in: { unit: 'bytes_in', pricedBy: 'byte' },
  bytes_out: { unit: 'bytes_out', pricedBy: 'byte' },
  storage_bytes: { unit: 'storage_bytes', pricedBy: 'byte' },
  compute_units: { unit: 'compute_units', pricedBy: 'unit' },
  compute_time: { unit: 'compute_ms', pricedBy: 'millisecond' },
  operations: { unit: 'operations', pricedBy: 'operation' },
  concurrent_requests: { unit: 'concurrent_requests', pricedBy: undefined },
  spend: { unit: 'spend', pricedBy: undefined },
} as const satisfies Record<string, UnitRule>;

type UnitMember = keyof typeof UNIT_RULES;
const UNIT_MEMBERS = Object.keys(UNIT_RULES) as readonly UnitMember[];

const FORBID = 'must be more than 0: to forbid something, leave it out of the plan';
const count = z
  .union([z.int().min(1), textAs(parseAllowance)], {
    error: 'expected a whole number such as 1000, "50k" or "1M"',
  })
  .optional();
const volume = z
  .union([z.int().min(1), textAs((text) => atLeastOne(parseByteSize(text)))], {
    error: 'expected a size such as "5 GB" or "100 MiB", or a whole number of bytes',
  })
  .optional();
const time = textAs((text) => atLeastOne(parseTimeSpan(text))).optional();

function atLeastOne(parsed: Parsed<number>): Parsed<number> {
  return parsed.kind === 'ok' && parsed.value === 0 ? wrong(FORBID) : parsed;
}

/** How much of what in which window, and the id: the members every kind of limit has (QUOTA-01, QUOTA-02). */
export function measureMembers(asset: string) {
  return {
    requests: count.describe('Calls: 10000'),
    tokens: count.describe('Input and output tokens: 1M'),
    input_tokens: count.describe('Tokens that are sent: 1M'),
    output_tokens: count.describe('Tokens of answers: 200k'),
    bytes: volume.describe('Request and answer bodies: "5 GB"'),
    bytes_in: volume.describe('Request bodies: "5 GB"'),
    bytes_out: volume.describe('Answer bodies: "5 GB"'),
    storage_bytes: volume.describe('Uploads that are kept: "10 GB"'),
    compute_units: count.describe('Units that routes take under "compute": 500'),
    compute_time: time.describe('Time the upstream works: "90s"'),
    operations: count.describe('Calls of operations that "only" names: 100'),
    concurrent_requests: count.describe('Calls at the same time: 5. It has no "per".'),
    spend: amount(asset).optional().describe('Money: "10.00 USD"'),
    per: z
      .enum(PERIOD_NAMES)
      .optional()
      .describe("The window the allowance is for; it begins at midnight in the customer's zone."),
    window: z
      .enum(['calendar', 'sliding'])
      .optional()
      .describe('sliding: the limit holds over any stretch of that length, wherever it begins.'),
    id: idName
      .refine((id) => !RESERVED_IDS.has(id), {
        error: 'is the id of the budgets of keys and customers',
      })
      .refine((id) => !RATE_ID.test(id), {
        error: 'is the id of a rate limit: choose another, so that headers tell the two apart',
      })
      .optional()
      .describe('Named in refusals and by add-ons; default: from scope, unit and window.'),
  };
}

/** A limit with one of these would share its account. */
const RESERVED_IDS: ReadonlySet<string> = new Set([KEY_BUDGET, TENANT_BUDGET]);
/** RateLimit-Policy names every policy once. */
const RATE_ID = /^(degraded_)?(key_)?rate_per_(second|minute|hour|day)$/;

export interface Measured extends Partial<Record<UnitMember, number | bigint | undefined>> {
  readonly per?: PeriodName | undefined;
  readonly window?: 'calendar' | 'sliding' | undefined;
  readonly id?: string | undefined;
  readonly scope: LimitScope;
}

/** What cannot be measured as it is written. */
export function refineMeasure(limit: Measured, context: z.RefinementCtx): void {
  const [member, other] = UNIT_MEMBERS.filter((each) => limit[each] !== undefined);
  if (member === undefined || other !== undefined) {
    report(context, [], 'needs exactly one unit, such as "requests", "tokens", "bytes" or "spend"');
    return;
  }
  if (limit.spend === 0n) {
    report(
      context,
      ['spend'],
      'must be more than 0: to forbid spending, sell the plan without credit',
    );
  }
  if (member === 'concurrent_requests') refineSlots(limit, context);
  else refineWindow(limit, context);
}

function refineSlots(limit: Measured, context: z.RefinementCtx): void {
  for (const name of ['per', 'window'] as const) {
    if (limit[name] === undefined) continue;
    report(context, [name], 'does not fit "concurrent_requests": they are counted at each moment');
  }
}

function refineWindow({ per, window }: Measured, context: z.RefinementCtx): void {
  if (per === undefined) {
    report(context, ['per'], 'is required');
  } else if (window === 'sliding' && slidingWindowOf(per) === undefined) {
    const message = `does not fit "per: ${per}": only second, minute, hour, day and week can slide; choose one of them, or leave "window" out`;
    report(context, ['window'], message);
  }
}

/** For what `refineMeasure` let pass. */
export function measure(limit: Measured): Pick<Limit, 'id' | 'unit' | 'window' | 'amount'> {
  const member = unitMemberOf(limit) ?? 'requests';
  return {
    id: limitIdOf(limit) ?? member,
    unit: UNIT_RULES[member].unit,
    window: windowOf(limit),
    // Money is bounded well below 2^53 nano where it is parsed.
    amount: Number(limit[member]),
  };
}

function windowOf({ per, window }: Measured): LimitWindow {
  // A slot has no window: only the end of a call opens it again.
  const period = per ?? 'lifetime';
  return (window === 'sliding' ? slidingWindowOf(period) : undefined) ?? period;
}

/** A limit as the file says it, checked or not: references to limits are told together with other mistakes. */
type Written = Partial<Record<UnitMember | 'id' | 'scope' | 'per' | 'window', unknown>>;

/** As written, else `requests_per_month`, `key_tokens_per_sliding_day`, `concurrent_requests`. */
export function limitIdOf(limit: Written): string | undefined {
  if (typeof limit.id === 'string') return limit.id;
  const member = unitMemberOf(limit);
  if (member === undefined) return undefined;
  const { scope = 'tenant', per, window } = limit;
  const prefix = scope === 'tenant' || typeof scope !== 'string' ? '' : `${scope}_`;
  if (typeof per !== 'string') return `${prefix}${member}`;
  return `${prefix}${member}_per_${window === 'sliding' ? 'sliding_' : ''}${per}`;
}

export function unitMemberOf(limit: Written): UnitMember | undefined {
  return UNIT_MEMBERS.find((each) => limit[each] !== undefined);
}

/** What one more of a limit's unit is priced by; undefined = it cannot be sold one by one. */
export function pricedUnitOf(unit: LimitUnit): PricedUnit | undefined {
  return Object.values(UNIT_RULES).find((rule) => rule.unit === unit)?.pricedBy;
}
