import { z } from 'zod';
import type { Limit, OveragePolicy } from '../../../domain/catalog.ts';
import { ok, wrong } from '../human-units.ts';
import type { Parsed } from '../human-units.ts';
import { parseUnitPrice } from '../money-text.ts';
import { measure, measureMembers, pricedUnitOf, refineMeasure } from './limit-units.ts';
import { flag, listOf, modelName, report } from './parts.ts';

const SCOPES = ['tenant', 'app', 'key', 'end_user', 'model', 'route', 'operation'] as const;
const scope = z
  .enum(SCOPES)
  .prefault('tenant')
  .describe('What is counted by itself: the customer, or each of its keys, models and so on.');

export const LIMITS_MAX = 32;
const NAMES_MAX = 256;
const callName = z.string().min(1).max(2048);
const filters = z
  .strictObject({
    models: listOf(modelName, NAMES_MAX).describe('Names of models.'),
    routes: listOf(callName, NAMES_MAX).describe('Ids of routes: "shop.items".'),
    operations: listOf(callName, NAMES_MAX).describe('What routes say under "operation".'),
  })
  .prefault({})
  .describe('Only these are counted; default: every call.');

const overage = z
  .union(
    [
      z.literal('block'),
      z.strictObject({
        price: z.string().optional().describe('Each unit more is billed: "0.002 USD / request"'),
        authorize: z.string().optional().describe('The same, once the customer has agreed to it.'),
      }),
    ],
    { error: 'expected "block", { price: "0.002 USD" } or { authorize: "0.002 USD" }' },
  )
  .prefault('block')
  .describe('What comes after the allowance: a 402, or a price for each unit more (PLAN-11).');

export const limitClass = z
  .enum(['commercial', 'protective'])
  .optional()
  .describe('What refuses: commercial = 402, it is bought. protective = 429, waiting helps.');
const soft = flag.prefault(false).describe('Counted and warned about, never refused.');

/** A limit of a plan. */
export function limitSchema(asset: string) {
  return z
    .strictObject({
      ...measureMembers(asset),
      scope,
      class: limitClass,
      soft,
      only: filters,
      overage,
    })
    .superRefine(refineMeasure)
    .transform((written, context): Limit => {
      const limit = {
        ...measure(written),
        scope: written.scope,
        class: written.class ?? 'commercial',
        soft: written.soft,
        ...written.only,
      };
      const policy = readOverage(written.overage, limit, asset);
      if (policy.kind === 'ok') return { ...limit, overage: policy.value };
      report(context, ['overage'], policy.problem);
      return z.NEVER;
    });
}

/** A limit of the provider itself, over all callers: it protects, unless it says otherwise. */
export function houseLimitSchema(asset: string) {
  return z
    .strictObject({
      ...measureMembers(asset),
      scope: z.literal('global').prefault('global').describe('All callers together.'),
      class: limitClass,
      soft,
      only: filters,
    })
    .superRefine(refineMeasure)
    .transform((written): Limit => {
      return {
        ...measure(written),
        scope: written.scope,
        class: written.class ?? 'protective',
        soft: written.soft,
        ...written.only,
        overage: { kind: 'block' },
      };
    });
}

/** Two limits with one id would share an account. `fix`: what to do about it. */
export function refineUnique(fix: string) {
  return (limits: readonly { readonly id: string }[], context: z.RefinementCtx): void => {
    for (const [index, { id }] of limits.entries()) {
      const first = limits.findIndex((each) => each.id === id);
      if (first === index) continue;
      const message = `has the same id as the one at [${first}], "${id}": ${fix}`;
      report(context, [index], message);
    }
  };
}

export const UNIQUE_LIMITS = refineUnique('keep one, or give it an "id"');

/** How much an add-on adds to the limit with the same id. */
export function addedLimitSchema(asset: string) {
  return z
    .strictObject({ ...measureMembers(asset), scope })
    .superRefine(refineMeasure)
    .transform((written) => measure(written));
}

function readOverage(
  written: z.output<typeof overage>,
  limit: Pick<Limit, 'unit' | 'class' | 'soft'>,
  asset: string,
): Parsed<OveragePolicy> {
  if (written === 'block') return ok({ kind: 'block' });
  const { price, authorize } = written;
  const text = price ?? authorize;
  if (text === undefined || (price !== undefined && authorize !== undefined)) {
    return wrong('needs exactly one of "price" and "authorize"');
  }
  const unit = pricedUnitOf(limit.unit);
  if (unit === undefined) return wrong(`more of "${limit.unit}" cannot be sold one by one`);
  if (limit.soft) return wrong('does not fit "soft": nothing is refused beyond a soft limit');
  if (limit.class === 'protective') {
    return wrong('does not fit "class: protective": that is not for sale');
  }
  const parsed = parseUnitPrice(text, unit, asset);
  if (parsed.kind === 'wrong') return parsed;
  return ok({ kind: price === undefined ? 'authorize' : 'bill', unitPico: parsed.value });
}
