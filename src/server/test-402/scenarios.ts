import type { Code } from '../../contract/codes.ts';
import type { Plan } from '../../domain/catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';

/** One customer in trouble, and what the gateway must say to it (C402-24). */
export interface Scenario {
  readonly name: string;
  readonly terms: (plan: Plan, now: number) => TenantTerms;
  readonly keyTerms: KeyTerms;
  /** Money the customer has; `none` for an empty balance. */
  readonly credit: 'plenty' | 'none';
  readonly key: 'valid' | 'unknown' | 'absent';
  /** Codes that are right; empty = served. */
  readonly expected: (plan: Plan) => readonly Code[];
  /** Undefined = it can be tried on every plan. */
  readonly appliesTo?: (plan: Plan, priced: boolean) => boolean;
}

const DAY_MS = 86_400_000;
const YEAR_DAYS = 366;

const LEGITIMATE: Scenario = {
  name: 'legitimate access',
  terms: () => PLAIN_TERMS,
  keyTerms: PLAIN_KEY_TERMS,
  credit: 'plenty',
  key: 'valid',
  expected: () => [],
};

function lapsed(name: string, code: Code, terms: (now: number) => Partial<TenantTerms>): Scenario {
  return {
    ...LEGITIMATE,
    name,
    terms: (_plan, now) => ({ ...PLAIN_TERMS, ...terms(now) }),
    expected: () => [code],
  };
}

function owing(name: string, code: Code, payment: Partial<TenantTerms['payment']>): Scenario {
  return lapsed(name, code, () => ({ payment: { ...PLAIN_TERMS.payment, ...payment } }));
}

/** In the order a person would go through them. */
export const SCENARIOS: readonly Scenario[] = [
  LEGITIMATE,
  lapsed('expired subscription', 'SUBSCRIPTION_EXPIRED', (now) => ({
    subscription: { state: 'active', endsAt: now - DAY_MS },
  })),
  lapsed('ended trial', 'TRIAL_EXPIRED', (now) => ({
    subscription: { state: 'trialing', endsAt: now - DAY_MS },
  })),
  owing('no payment method', 'PAYMENT_METHOD_MISSING', { method: 'missing' }),
  owing('invalid payment method', 'PAYMENT_METHOD_INVALID', { method: 'invalid' }),
  lapsed('failed renewal, grace over', 'PAYMENT_METHOD_INVALID', (now) => ({
    payment: { ...PLAIN_TERMS.payment, failedAt: now - YEAR_DAYS * DAY_MS },
  })),
  owing('overdue invoice', 'INVOICE_OVERDUE', { overdueInvoices: ['inv_test'] }),
  {
    ...LEGITIMATE,
    name: 'quota overrun',
    // An allowance of nothing is one that is used up.
    terms: (plan) => ({
      ...PLAIN_TERMS,
      overrides: blocking(plan).map(({ id }) => ({ limitId: id, amount: 0, expiresAt: undefined })),
    }),
    expected: () => QUOTA_CODES,
    appliesTo: (plan) => blocking(plan).length > 0,
  },
  {
    ...LEGITIMATE,
    name: 'no credit',
    credit: 'none',
    expected: () => ['INSUFFICIENT_CREDITS'],
    appliesTo: (plan, priced) => plan.usage === 'prepaid' && priced,
  },
  {
    ...LEGITIMATE,
    name: 'wrong role',
    keyTerms: { ...PLAIN_KEY_TERMS, apis: ['none-of-these'] },
    expected: () => ['KEY_PERMISSION_DENIED'],
  },
  {
    ...LEGITIMATE,
    name: 'suspended account',
    terms: () => ({ ...PLAIN_TERMS, account: 'suspended' }),
    expected: () => ['ACCOUNT_SUSPENDED'],
  },
  { ...LEGITIMATE, name: 'wrong key', key: 'unknown', expected: () => ['KEY_UNKNOWN'] },
  { ...LEGITIMATE, name: 'no key', key: 'absent', expected: () => ['KEY_MISSING'] },
];

const QUOTA_CODES: readonly Code[] = [
  'REQUEST_QUOTA_EXCEEDED',
  'FREE_TIER_EXHAUSTED',
  'TOKEN_QUOTA_EXCEEDED',
  'DATA_QUOTA_EXCEEDED',
  'STORAGE_QUOTA_EXCEEDED',
  'COMPUTE_UNITS_EXHAUSTED',
  'OPERATION_LIMIT_REACHED',
  'CONCURRENCY_LIMIT_EXCEEDED',
  'SPENDING_LIMIT_REACHED',
  'OVERAGE_AUTHORIZATION_REQUIRED',
];

/** The quotas of a plan that every call counts in and that refuse when they are used up. */
function blocking(plan: Plan): Plan['limits'] {
  return plan.limits.filter(
    ({ class: limitClass, soft, overage, unit, models, routes, operations }) =>
      limitClass === 'commercial' &&
      !soft &&
      overage.kind !== 'bill' &&
      unit === 'requests' &&
      models.length + routes.length + operations.length === 0,
  );
}
