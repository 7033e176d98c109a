import { z } from 'zod';
import { parseAddOnPrice } from '../money-text.ts';
import { addedLimitSchema, LIMITS_MAX, UNIQUE_LIMITS } from './limit-schema.ts';
import { featureName, grantedName, listOf, modelName, textAs, title } from './parts.ts';
import { contextSize, fileSize } from './plan-schema.ts';
import { RATE_LIMITS_MAX, rateLimit, UNIQUE_RATES } from './rate-schema.ts';

const NAMES_MAX = 1000;

/** Something sold beside plans (PLAN-05, PLAN-10). */
export function addOnSchema(asset: string) {
  const grants = z
    .strictObject({
      features: listOf(featureName, NAMES_MAX).describe('Features of routes.'),
      models: listOf(modelName, NAMES_MAX).describe('Names of models.'),
      purchases: listOf(grantedName, NAMES_MAX).describe(
        'One-time resources: "course-7", or "course-*" for all that begin so.',
      ),
      limits: listOf(addedLimitSchema(asset), LIMITS_MAX)
        .superRefine(UNIQUE_LIMITS)
        .describe(
          'Added to the limits of the plan with the same id: { requests: 10k, per: month }',
        ),
      rate_limits: listOf(rateLimit, RATE_LIMITS_MAX)
        .superRefine(UNIQUE_RATES)
        .describe('Added to count and burst of the rate limits of the plan: "500/min burst 500"'),
      max_context: contextSize.optional().describe('Raises the cap of the plan to so many tokens.'),
      max_file: fileSize.optional().describe('Raises the largest body to this: "100 MB"'),
    })
    .refine((members) => Object.values(members).some(isSomething), {
      error: 'needs something to grant',
    });
  return z.strictObject({
    title: title.describe('What people call it.'),
    price: textAs((text) => parseAddOnPrice(text, asset)).describe(
      '"5.00 USD" once, or "5.00 USD / month" for as long as it is paid.',
    ),
    grants: grants.describe('What it adds to the plan.'),
  });
}

function isSomething(member: unknown): boolean {
  return Array.isArray(member) ? member.length > 0 : member !== undefined;
}
