import { z } from 'zod';
import type { ContextTier } from '../../../domain/catalog.ts';
import { ok, parseTimeSpan, wrong } from '../human-units.ts';
import { limitSchema, LIMITS_MAX, UNIQUE_LIMITS } from './limit-schema.ts';
import {
  byteSize,
  featureName,
  flag,
  idName,
  listOf,
  modelName,
  textAs,
  title,
  wholeNumber,
} from './parts.ts';
import { amount, monthlyPrice } from './price-schema.ts';
import { RATE_LIMITS_MAX, rateLimit, UNIQUE_RATES } from './rate-schema.ts';

const NAMES_MAX = 1000;
const TOKENS = { min: 1, max: 100_000_000 };
export const contextSize = wholeNumber(TOKENS);
export const fileSize = byteSize({ min: 1, max: Number.MAX_SAFE_INTEGER });

const MULTIPLIER_MAX = 1000;
const multiplier = z
  .number()
  .min(0)
  .max(MULTIPLIER_MAX)
  // Whole thousandths, whatever binary fraction 1.1 is.
  .refine((times) => Math.abs(times * 1000 - Math.round(times * 1000)) < 1e-6, {
    error: 'has more than three decimals',
  })
  .prefault(1)
  .describe('The price is multiplied by this: 1.5');

const contextTiers = z
  .array(
    z
      .strictObject({
        up_to: contextSize.describe('Tokens of input and output: 9000'),
        price: multiplier,
      })
      .transform(({ up_to, price }): ContextTier => ({
        tokensMax: up_to,
        priceMultiplierPermille: Math.round(price * 1000),
      })),
  )
  .max(16)
  .superRefine((tiers, context) => {
    for (const [index, tier] of tiers.entries()) {
      const before = tiers[index - 1]?.tokensMax ?? 0;
      if (tier.tokensMax > before) continue;
      const message = `must be more than the ${before} before it: the smallest size comes first`;
      context.addIssue({ code: 'custom', path: [index, 'up_to'], message });
    }
  })
  .prefault([])
  .describe("Sizes of a call and their price (LLM-10); the last is the plan's cap (LLM-09).");

const degraded = z
  .strictObject({
    read_only: flag
      .prefault(true)
      .describe('GET and HEAD are served; what a route says under "degraded" wins.'),
    during_grace: flag
      .prefault(false)
      .describe('Already while a failed renewal is forgiven, without refusing anything.'),
    max_context: contextSize.optional().describe('Most tokens of a call: 4000'),
    rate: rateLimit.optional().describe('"10/min": lower than the rate limits of the plan.'),
    substitute: z
      .record(modelName, modelName)
      .prefault({})
      .describe('Model asked for: cheaper model that answers.'),
    withhold: listOf(featureName, NAMES_MAX).describe('Features that rest meanwhile.'),
  })
  .optional()
  .describe('What is served while a payment is pending (DEG-01); default: nothing.');

const DAY_MS = 86_400_000;
const GRACE_DAYS_MAX = 30;
const grace = textAs((text) => {
  const span = parseTimeSpan(text);
  if (span.kind === 'wrong') return span;
  const days = span.value / DAY_MS;
  if (Number.isInteger(days) && days <= GRACE_DAYS_MAX) return ok(days);
  return wrong(`must be whole days, from 0d to ${GRACE_DAYS_MAX}d, got "${text}"`);
});

export const enforcement = z.enum(['observe', 'enforce']);

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
      limits: listOf(limitSchema(asset), LIMITS_MAX)
        .superRefine(UNIQUE_LIMITS)
        .describe('Allowances that are bought: used up, the answer is 402.'),
      rate_limits: listOf(rateLimit, RATE_LIMITS_MAX)
        .superRefine(UNIQUE_RATES)
        .describe('Protection against too fast callers: the answer is 429.'),
      rate_exceeded: z
        .enum(['wait', 'pay'])
        .prefault('wait')
        .describe('pay: faster is for sale, too fast is 402. wait: it is 429 (QUOTA-09).'),
      context: contextTiers,
      max_file: fileSize
        .optional()
        .describe("Largest request body (PLAN-06): 1 MB. Default: the route's own bound."),
      models: z
        .union([z.literal('*'), z.array(modelName).max(NAMES_MAX)], {
          error: 'expected "*" or a list of model names',
        })
        .prefault('*')
        .describe('Models it includes; "*" = all.'),
      features: listOf(featureName, NAMES_MAX).describe('Features of routes it includes.'),
      apis: z
        .union([z.literal('*'), z.array(idName).max(NAMES_MAX)], {
          error: 'expected "*" or a list of API names',
        })
        .prefault('*')
        .describe('APIs it may call; "*" = all.'),
      degraded,
      grace: grace
        .prefault('7d')
        .describe('So long a failed renewal is forgiven: whole days, 0d to 30d.'),
      enforcement: enforcement
        .prefault('enforce')
        .describe('observe: what would be refused is recorded, and passes (EVID-01).'),
      on_sale: flag.prefault(true).describe('Whether a 402 may offer it.'),
    })
    .superRefine((plan, context) => {
      for (const [index, limit] of plan.limits.entries()) {
        if (plan.usage === 'prepaid' || limit.overage.kind === 'block') continue;
        const message =
          'needs "usage: prepaid": what goes beyond the allowance is drawn from the balance';
        context.addIssue({ code: 'custom', path: ['limits', index, 'overage'], message });
      }
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
