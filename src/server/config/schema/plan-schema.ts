import { z } from 'zod';
import { parseAllowance, parseRate } from '../human-units.ts';
import type { RateText } from '../human-units.ts';
import { idName, modelName, textAs, title, wholeNumber } from './parts.ts';
import { amount, monthlyPrice } from './price-schema.ts';

const WINDOWS = ['minute', 'hour', 'day', 'week', 'month', 'lifetime'] as const;
const UNITS = ['requests', 'tokens', 'spend'] as const;
const scope = z
  .enum(['tenant', 'key'])
  .prefault('tenant')
  .describe('tenant: all keys of a customer together. key: each key by itself.');

const allowance = z
  .union([z.int().min(1), textAs(parseAllowance)], {
    error: 'expected a whole number such as 1000, "50k" or "1M"',
  })
  .optional();

function limitSchema(asset: string) {
  return z
    .strictObject({
      requests: allowance.describe('Calls: 10000'),
      tokens: allowance.describe('Input and output tokens: 1M'),
      spend: amount(asset).optional().describe('Money: "10.00 USD"'),
      per: z.enum(WINDOWS).describe('The window the allowance is for; windows begin at 00:00 UTC.'),
      scope,
    })
    .superRefine((limit, context) => {
      const units = UNITS.filter((unit) => limit[unit] !== undefined);
      if (units.length !== 1) {
        context.addIssue({
          code: 'custom',
          message: 'needs exactly one of "requests", "tokens" and "spend"',
        });
      }
      if (limit.spend !== 0n) return;
      const message = 'must be more than 0: to forbid spending, sell the plan without credit';
      context.addIssue({ code: 'custom', path: ['spend'], message });
    });
}

const RATE = { min: 1, max: 1_000_000_000 };
const rateObject = z.strictObject({
  count: wholeNumber(RATE).describe('Sustained calls a period.'),
  per: z.enum(['second', 'minute', 'hour', 'day']).describe('The period.'),
  burst: wholeNumber(RATE).optional().describe('Most calls at once; default: the count.'),
  scope,
});

const rateText = textAs(parseRate).pipe(
  z.custom<RateText>().superRefine((rate, context) => {
    const numbers = [rate.count, rate.burst ?? 1];
    if (numbers.every((number) => number >= RATE.min && number <= RATE.max)) return;
    const message = `count and burst must be from ${RATE.min} to ${RATE.max}`;
    context.addIssue({ code: 'custom', message });
  }),
);

const rateLimit = z
  .union([rateText, rateObject], {
    error:
      'expected "60/min", "60/min burst 10" or { count: 60, per: minute, burst: 10, scope: key }',
  })
  .transform((rate) => ('scope' in rate ? rate : { ...rate, scope: 'tenant' as const }));

export function planSchema(asset: string) {
  return z
    .strictObject({
      title: title.describe('What people call it.'),
      price: monthlyPrice(asset).describe('"49.00 USD / month", or "free".'),
      usage: z
        .enum(['prepaid', 'included'])
        .prefault('prepaid')
        .describe(
          "prepaid: priced calls draw on the customer's balance. included: the price covers them.",
        ),
      limits: z
        .array(limitSchema(asset))
        .max(32)
        .prefault([])
        .describe('Allowances that are bought: used up, the answer is 402.'),
      rate_limits: z
        .array(rateLimit)
        .max(16)
        .prefault([])
        .describe('Protection against too fast callers: the answer is 429.'),
      models: z
        .union([z.literal('*'), z.array(modelName)], {
          error: 'expected "*" or a list of model names',
        })
        .prefault('*')
        .describe('Models it includes; "*" = all.'),
      features: z.array(idName).prefault([]).describe('Features of routes it includes.'),
      on_sale: z.boolean().prefault(true).describe('Whether a 402 may offer it.'),
    })
    .superRefine((plan, context) => {
      const limits = plan.limits.map((limit) => ({
        ...limit,
        unit: UNITS.find((unit) => limit[unit] !== undefined),
      }));
      for (const [index, first] of repeated(
        limits.map((each) => `${each.scope} ${each.unit} ${each.per}`),
      )) {
        const message = `limits the same as limits[${first}] (unit, window and scope): keep one`;
        context.addIssue({ code: 'custom', path: ['limits', index], message });
      }
      for (const [index, first] of repeated(
        plan.rate_limits.map((each) => `${each.scope} ${each.per}`),
      )) {
        const message = `limits the same as rate_limits[${first}] (period and scope): keep one`;
        context.addIssue({ code: 'custom', path: ['rate_limits', index], message });
      }
    });
}

/** Pairs of the index of a value that was there before, and where it was first. */
function repeated(values: readonly string[]): [number, number][] {
  return values.flatMap((value, index): [number, number][] => {
    const first = values.indexOf(value);
    return first < index ? [[index, first]] : [];
  });
}

export function packSchema(asset: string) {
  return z
    .strictObject({
      title: title.describe('What people call it.'),
      price: amount(asset).describe('What the customer pays: "5.00 USD"'),
      credit: amount(asset).describe('What is added to the balance.'),
    })
    .superRefine((pack, context) => {
      if (pack.credit > 0n) return;
      context.addIssue({ code: 'custom', path: ['credit'], message: 'must be more than 0' });
    });
}
