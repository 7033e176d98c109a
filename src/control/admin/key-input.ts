import { z } from 'zod';

import { PERIOD_NAMES, UNIT_NAMES } from '../../contract/phrases/phrasebook.ts';
import type { Catalog, Limit, LimitUnit, LimitWindow } from '../../domain/catalog.ts';
import { SLIDING_WINDOWS } from '../../domain/sliding-window.ts';
import { isSlot } from '../../domain/take.ts';
import type { KeyChange } from '../../stores/store.ts';
import { budgetShape, refineBudget, toBudget } from './budget-input.ts';
import {
  addressRangeSchema,
  clearable,
  expirySchema,
  idSchema,
  knownNameSchema,
  listSchema,
  nameSchema,
  parseQuantity,
  quantitySchema,
  renameMembers,
} from './input-values.ts';

const LIMITS_MAX = 32;
const TOKENS_MAX = 100_000_000;
/**
 * Limits of a key live among those of its plan that count by key: with the same name both would be one account,
 * and each call would count twice.
 */
const OWN = 'own_';
/** Windows of the calendar, and stretches that begin anywhere, of those that are always of one length. */
const WINDOWS = [...PERIOD_NAMES, ...SLIDING_WINDOWS];
const LIMIT_ID = /^[a-z0-9][a-z0-9_]{0,59}$/;
const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;

export function newKeySchema(catalog: Catalog, now: number) {
  return z
    .strictObject({
      tenant_id: idSchema,
      name: nameSchema.default('default'),
      environment: z.enum(['live', 'test']).default('live'),
      ...keyShape(catalog, now),
    })
    .superRefine(refineBudget)
    .transform(({ tenant_id: tenantId, name, environment, ...rest }) => {
      return { tenantId, name, environment, ...toChange(rest) };
    });
}

/** Members that are left out stay as they are; null takes away, an empty list means all again. */
export function keyChangeSchema(catalog: Catalog, now: number) {
  return z
    .strictObject({ name: nameSchema.exactOptional(), ...keyShape(catalog, now) })
    .refine((body) => Object.keys(body).length > 0, {
      error: 'nothing to change: give at least one member, such as "name"',
    })
    .superRefine(refineBudget)
    .transform(({ name, ...rest }): KeyChange => ({
      ...(name === undefined ? {} : { name }),
      ...toChange(rest),
    }));
}

function keyShape(catalog: Catalog, now: number) {
  const { apis, models, operations } = namesOf(catalog);
  return {
    ...budgetShape(catalog.asset),
    expires_at: clearable(expirySchema(now)),
    apis: apis.exactOptional(),
    models: models.exactOptional(),
    operations: operations.exactOptional(),
    addresses: listSchema(addressRangeSchema).exactOptional(),
    roles: listSchema(
      z.string().regex(ROLE, 'must be letters, digits and _ . : -, at most 64'),
    ).exactOptional(),
    context_tokens_max: clearable(z.number().int().min(1).max(TOKENS_MAX)),
    limits: limitsSchema(catalog).exactOptional(),
  };
}

type KeyBody = z.output<z.ZodObject<ReturnType<typeof keyShape>>>;

function toChange(body: KeyBody): Omit<KeyChange, 'name' | 'secret'> {
  const { budget: _, budget_per: __, ...rest } = body;
  const { expiresAt, ...terms } = renameMembers(rest, {
    expires_at: 'expiresAt',
    apis: 'apis',
    models: 'models',
    operations: 'operations',
    addresses: 'addresses',
    roles: 'roles',
    context_tokens_max: 'contextTokensMax',
    limits: 'limits',
  });
  const { budgetNano, ...window } = 'budget' in body ? toBudget(body) : {};
  return {
    ...('budget' in body ? { budgetNano } : {}),
    ...('expires_at' in body ? { expiresAt } : {}),
    terms: { ...terms, ...window },
  };
}

/** What exists to be named: a key that may call nothing that exists is a mistake in the name. */
function namesOf({ apis, models }: Catalog) {
  const routes = apis.flatMap((api) => api.routes);
  const names = (what: string, known: readonly string[]) =>
    listSchema(knownNameSchema(what, new Set(known)));
  return {
    apis: names(
      'API',
      apis.map(({ id }) => id),
    ),
    models: names('model', [...models.keys()]),
    operations: names(
      'operation',
      routes.map(({ operation }) => operation),
    ),
    routes: names(
      'route',
      routes.map(({ id }) => id),
    ),
  };
}

function limitsSchema(catalog: Catalog) {
  const { models, routes, operations } = namesOf(catalog);
  return z
    .array(
      z
        .strictObject({
          id: z
            .string()
            .regex(LIMIT_ID, 'must be lower-case letters, digits and _, at most 60')
            .optional(),
          unit: z.enum(UNIT_NAMES),
          window: clearable(z.enum(WINDOWS)),
          amount: quantitySchema,
          class: z.enum(['commercial', 'protective']).default('commercial'),
          soft: z.boolean().default(false),
          models: models.default([]),
          routes: routes.default([]),
          operations: operations.default([]),
        })
        .transform((given, context): Limit => {
          const { id, unit, window, amount, ...rest } = given;
          const problem = findWindowProblem(unit, window);
          const quantity = parseQuantity(amount, unit, catalog.asset);
          if (problem !== undefined || quantity.kind === 'wrong') {
            const path = problem === undefined ? ['amount'] : ['window'];
            const message = problem ?? (quantity.kind === 'wrong' ? quantity.problem : '');
            context.addIssue({ code: 'custom', path, message });
            return z.NEVER;
          }
          return {
            ...rest,
            id: ownId(id ?? defaultId(unit, window)),
            unit,
            // A slot has no window: only the end of a call opens it again.
            window: window ?? 'lifetime',
            scope: 'key',
            amount: quantity.amount,
            overage: { kind: 'block' },
          };
        }),
    )
    .max(LIMITS_MAX)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, {
      error: 'has two limits with one id: give one of them another "id"',
    });
}

function findWindowProblem(unit: LimitUnit, window: LimitWindow | undefined): string | undefined {
  if (isSlot(unit)) {
    return window === undefined || window === 'lifetime'
      ? undefined
      : `does not fit ${unit}: they are counted at each moment; leave it out`;
  }
  return window === undefined ? `is required: one of ${WINDOWS.join(', ')}` : undefined;
}

function defaultId(unit: LimitUnit, window: LimitWindow | undefined): string {
  return window === undefined || isSlot(unit) ? unit : `${unit}_per_${window}`;
}

function ownId(id: string): string {
  return id.startsWith(OWN) ? id : OWN + id;
}
