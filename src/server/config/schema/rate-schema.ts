import { z } from 'zod';
import type { RateLimit } from '../../../domain/catalog.ts';
import { ok, parseRate, wrong } from '../human-units.ts';
import type { Parsed, RateText } from '../human-units.ts';
import { limitClass, refineUnique } from './limit-schema.ts';
import { textAs, wholeNumber } from './parts.ts';

export const RATE_LIMITS_MAX = 16;
export const UNIQUE_RATES = refineUnique('keep one');
const RATE = { min: 1, max: 1_000_000_000 };
const PERIODS_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

const scope = z
  .enum(['tenant', 'key'])
  .prefault('tenant')
  .describe('tenant: all keys of a customer together. key: each key by itself.');

const rateObject = z.strictObject({
  count: wholeNumber(RATE).describe('Sustained calls a period.'),
  per: z.enum(['second', 'minute', 'hour', 'day']).describe('The period.'),
  burst: wholeNumber(RATE).optional().describe('Most calls at once; default: the count.'),
  scope,
  class: limitClass,
});

function parseBoundedRate(text: string): Parsed<RateText> {
  const rate = parseRate(text);
  if (rate.kind === 'wrong') return rate;
  const numbers = [rate.value.count, rate.value.burst ?? 1];
  if (numbers.every((number) => number >= RATE.min && number <= RATE.max)) return rate;
  return wrong(`count and burst must be from ${RATE.min} to ${RATE.max}`);
}

/** "100/s burst 200": how often, and how often at once. */
export const pace = textAs((text): Parsed<Pick<RateLimit, 'count' | 'periodMs' | 'burst'>> => {
  const rate = parseBoundedRate(text);
  return rate.kind === 'wrong' ? rate : ok(toPace(rate.value));
});

/** `class`: undefined = as the plan's `rate_exceeded` says. */
export type RateEntry = Omit<RateLimit, 'class'> & {
  readonly class: RateLimit['class'] | undefined;
};

export const rateLimit = z
  .union([textAs(parseBoundedRate), rateObject], {
    error:
      'expected "60/min", "60/min burst 10" or { count: 60, per: minute, burst: 10, scope: key }',
  })
  .transform((rate): RateEntry => {
    const { scope: counted, class: refuses } =
      'scope' in rate ? rate : { scope: 'tenant' as const, class: undefined };
    return { id: rateIdOf(rate.per, counted), scope: counted, class: refuses, ...toPace(rate) };
  });

interface Written {
  readonly count: number;
  readonly per: RateText['per'];
  readonly burst?: number | undefined;
}

function toPace(rate: Written): Pick<RateLimit, 'count' | 'periodMs' | 'burst'> {
  return { count: rate.count, periodMs: PERIODS_MS[rate.per], burst: rate.burst ?? rate.count };
}

function rateIdOf(per: string, counted: string): string {
  return `${counted === 'key' ? 'key_' : ''}rate_per_${per}`;
}

/** Of a rate limit that has not been checked yet; undefined when it says too little. */
export function rateIdAsWritten(rate: unknown): string | undefined {
  const parsed = rateLimit.safeParse(rate);
  return parsed.success ? parsed.data.id : undefined;
}
