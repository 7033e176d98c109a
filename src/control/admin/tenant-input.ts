import { z } from 'zod';

import type { Limit, Plan } from '../../domain/catalog.ts';
import type {
  AccountState,
  Override,
  PaymentMethodState,
  SubscriptionState,
} from '../../domain/tenant-terms.ts';
import type { TenantChange, TermsChange } from '../../stores/store.ts';
import { budgetShape, refineBudget, toBudget } from './budget-input.ts';
import {
  clearable,
  daySchema,
  describeUnknown,
  happenedSchema,
  idSchema,
  listSchema,
  momentSchema,
  nameSchema,
  parseQuantity,
  quantitySchema,
  renameMembers,
  timeZoneSchema,
} from './input-values.ts';

const OVERRIDES_MAX = 100;
const INVOICES_MAX = 100;
const SUBSCRIPTION_STATES = [
  'trialing',
  'active',
  'paused',
  'canceled',
] as const satisfies readonly SubscriptionState[];
const PAYMENT_METHODS = [
  'not_required',
  'valid',
  'missing',
  'unverified',
  'invalid',
] as const satisfies readonly PaymentMethodState[];
const ACCOUNT_STATES = [
  'active',
  'unverified',
  'suspended',
  'pending_approval',
] as const satisfies readonly AccountState[];

export interface TenantInputTerms {
  readonly now: number;
  readonly asset: string;
  /** The tenant's plan: overrides are of its limits. Undefined = the configuration lacks it, and takes no overrides. */
  readonly plan: Plan | undefined;
  /** Of the tenant afterwards: its dates are days there. */
  readonly timeZone: string;
}

/** A new tenant: name and plan, and whatever is agreed from the beginning. */
export function newTenantSchema(terms: TenantInputTerms) {
  return z
    .strictObject({ name: nameSchema, plan: idSchema, ...termsShape(terms) })
    .superRefine(refineBudget)
    .transform(({ name, plan, ...rest }) => ({ name, planId: plan, terms: toTerms(rest) }));
}

/** Members that are left out stay as they are, also inside `subscription` and `payment`; null takes away. */
export function tenantChangeSchema(terms: TenantInputTerms) {
  return z
    .strictObject({
      name: nameSchema.exactOptional(),
      plan: idSchema.exactOptional(),
      ...termsShape(terms),
    })
    .refine((body) => Object.keys(body).length > 0, {
      error: 'nothing to change: give at least one member, such as "plan"',
    })
    .superRefine(refineBudget)
    .transform(({ name, plan, ...rest }): TenantChange => ({
      ...(name === undefined ? {} : { name }),
      ...(plan === undefined ? {} : { planId: plan }),
      terms: toTerms(rest),
    }));
}

function termsShape({ now, asset, plan, timeZone }: TenantInputTerms) {
  const moment = clearable(momentSchema(now));
  return {
    parent_id: clearable(idSchema),
    pooled: z.boolean().exactOptional(),
    time_zone: timeZoneSchema.exactOptional(),
    billing_anchor: clearable(daySchema(now, timeZone)),
    subscription: z
      .strictObject({ state: z.enum(SUBSCRIPTION_STATES).exactOptional(), ends_at: moment })
      .transform((value) => renameMembers(value, { state: 'state', ends_at: 'endsAt' }))
      .exactOptional(),
    payment: z
      .strictObject({
        method: z.enum(PAYMENT_METHODS).exactOptional(),
        failed_at: clearable(happenedSchema(now)),
        overdue_invoices: listSchema(idSchema, INVOICES_MAX).exactOptional(),
        disputed: z.boolean().exactOptional(),
        reauthorization_required: z.boolean().exactOptional(),
      })
      .transform((value) =>
        renameMembers(value, {
          method: 'method',
          failed_at: 'failedAt',
          overdue_invoices: 'overdueInvoices',
          disputed: 'disputed',
          reauthorization_required: 'reauthorizationRequired',
        }),
      )
      .exactOptional(),
    account_state: z.enum(ACCOUNT_STATES).exactOptional(),
    overrides: overridesSchema(plan, asset, now).exactOptional(),
    overage_authorized_until: moment,
    ...budgetShape(asset),
    enforcement: clearable(z.enum(['observe', 'enforce'])),
  };
}

type TermsBody = z.output<z.ZodObject<ReturnType<typeof termsShape>>>;

function toTerms(body: TermsBody): TermsChange {
  const { budget: _, budget_per: __, ...rest } = body;
  const terms = renameMembers(rest, {
    parent_id: 'parentId',
    pooled: 'pooled',
    time_zone: 'timeZone',
    billing_anchor: 'billingAnchorAt',
    subscription: 'subscription',
    payment: 'payment',
    account_state: 'account',
    overrides: 'overrides',
    overage_authorized_until: 'overageAuthorizedUntil',
    enforcement: 'enforcement',
  });
  return 'budget' in body ? { ...terms, ...toBudget(body) } : terms;
}

function overridesSchema(plan: Plan | undefined, asset: string, now: number) {
  return z
    .array(
      z
        .strictObject({
          limit_id: idSchema,
          amount: quantitySchema,
          expires_at: clearable(momentSchema(now)),
        })
        .transform((given, context): Override => {
          // Nobody can say what the amount counts: nothing of this is taken, and the plan is what is told.
          if (plan === undefined)
            return { limitId: given.limit_id, amount: 0, expiresAt: given.expires_at };
          const limit = plan.limits.find(({ id }) => id === given.limit_id);
          if (limit === undefined) {
            reject(context, 'limit_id', describeUnknownLimit(given.limit_id, plan));
            return z.NEVER;
          }
          const quantity = parseQuantity(given.amount, limit.unit, asset);
          if (quantity.kind === 'wrong') {
            reject(context, 'amount', quantity.problem);
            return z.NEVER;
          }
          const { amount } = quantity;
          return { limitId: given.limit_id, amount, expiresAt: given.expires_at };
        }),
    )
    .max(OVERRIDES_MAX)
    .refine((all) => new Set(all.map(({ limitId }) => limitId)).size === all.length, {
      error: 'names a limit twice: one override a limit',
    });
}

function describeUnknownLimit(id: string, plan: Plan): string {
  const known = plan.limits.map((limit: Limit) => limit.id);
  return describeUnknown(`limit of plan ${plan.id} that is called`, id, known);
}

function reject(context: z.RefinementCtx, member: string, message: string): void {
  context.addIssue({ code: 'custom', path: [member], message });
}
