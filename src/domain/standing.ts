import type { Code } from '../contract/codes.ts';
import type { DegradedProfile, Route } from './catalog.ts';
import type { PaymentMethodState, SubscriptionState, TenantTerms } from './tenant-terms.ts';

const DAY_MS = 86_400_000;

/** Derived from what is known, at one moment: good, grace, delinquent, disputed (DESIGN 6). */
export type Standing = 'good' | 'grace' | 'delinquent' | 'disputed';
export type Lifecycle = 'trialing' | 'trial_expired' | 'active' | 'paused' | 'canceled' | 'expired';

/** How a tenant stands when a request comes. `code`: what a call is refused with; undefined = served. */
export interface StandingFact {
  readonly lifecycle: Lifecycle;
  readonly standing: Standing;
  readonly code: Code | undefined;
  /** `degraded`: reads and what the profile leaves are served though `code` says why not more (DEG-01). */
  readonly level: 'full' | 'degraded';
  /** Whether this call is among what a degraded service still does. */
  readonly stillServed: boolean;
  /** Epoch ms: when the lifecycle ended, or the grace does. */
  readonly since: number | undefined;
  readonly graceEndsAt: number | undefined;
  readonly invoices: readonly string[];
}

/** What a subscription that has not ended, and one that has, mean for a call. Total. */
const LIFECYCLES: Readonly<
  Record<
    SubscriptionState,
    Record<'running' | 'ended', { readonly lifecycle: Lifecycle; readonly code: Code | undefined }>
  >
> = {
  trialing: {
    running: { lifecycle: 'trialing', code: undefined },
    ended: { lifecycle: 'trial_expired', code: 'TRIAL_EXPIRED' },
  },
  active: {
    running: { lifecycle: 'active', code: undefined },
    ended: { lifecycle: 'expired', code: 'SUBSCRIPTION_EXPIRED' },
  },
  // A cancelled subscription runs to the end of what was paid.
  canceled: {
    running: { lifecycle: 'canceled', code: undefined },
    ended: { lifecycle: 'expired', code: 'SUBSCRIPTION_CANCELED' },
  },
  paused: {
    running: { lifecycle: 'paused', code: 'SUBSCRIPTION_PAUSED' },
    ended: { lifecycle: 'expired', code: 'SUBSCRIPTION_EXPIRED' },
  },
};

/** What a payment method's state refuses, when nothing worse is known. Total. */
const METHODS: Readonly<Record<PaymentMethodState, Code | undefined>> = {
  not_required: undefined,
  valid: undefined,
  missing: 'PAYMENT_METHOD_MISSING',
  unverified: 'PAYMENT_METHOD_UNVERIFIED',
  invalid: 'PAYMENT_METHOD_INVALID',
};

export interface StandingTerms {
  readonly graceDays: number;
  readonly degraded: DegradedProfile | undefined;
}

/** Whether the call only reads: what a read-only service goes on doing (DEG-02). */
export type CallKind = 'read' | 'write';

/** What a route says of itself wins over the method. */
export function kindOfCall(degradedAccess: Route['degradedAccess'], method: string): CallKind {
  if (degradedAccess === 'allow') return 'read';
  if (degradedAccess === 'refuse') return 'write';
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write';
}

/**
 * Lifecycle first, then payment: what ended is not owed. Grace is only for a failed recurring charge
 * (REQUIREMENTS "grace"); whatever else is held against the tenant refuses during it too.
 */
export function standOf(
  terms: TenantTerms,
  plan: StandingTerms,
  call: CallKind,
  at: number,
): StandingFact {
  const { state, endsAt } = terms.subscription;
  const ended = endsAt !== undefined && at >= endsAt;
  const { lifecycle, code: lifecycleCode } = LIFECYCLES[state][ended ? 'ended' : 'running'];
  const { standing, code: paymentCode, graceEndsAt } = payOf(terms, plan.graceDays, at);
  const code = lifecycleCode ?? paymentCode;
  const isDegraded =
    plan.degraded !== undefined &&
    (code !== undefined || (standing === 'grace' && plan.degraded.duringGrace));
  return {
    lifecycle,
    standing,
    code,
    level: isDegraded ? 'degraded' : 'full',
    stillServed: isDegraded && (call === 'read' || plan.degraded?.readOnly === false),
    since: ended ? endsAt : terms.payment.failedAt,
    graceEndsAt,
    invoices: terms.payment.overdueInvoices,
  };
}

interface PaymentStanding {
  readonly standing: Standing;
  readonly code: Code | undefined;
  readonly graceEndsAt: number | undefined;
}

function payOf({ payment }: TenantTerms, graceDays: number, at: number): PaymentStanding {
  if (payment.disputed) return blocked('disputed', 'PAYMENT_DISPUTED');
  if (payment.overdueInvoices.length > 0) return blocked('delinquent', 'INVOICE_OVERDUE');
  if (payment.reauthorizationRequired) {
    return blocked('delinquent', 'PAYMENT_REAUTHORIZATION_REQUIRED');
  }
  const code = METHODS[payment.method];
  const { failedAt } = payment;
  // A charge fails because the method does not work: that alone is what the grace forgives, not that there is none.
  if (failedAt === undefined || (code !== undefined && code !== 'PAYMENT_METHOD_INVALID')) {
    return code === undefined
      ? { standing: 'good', code, graceEndsAt: undefined }
      : blocked('delinquent', code);
  }
  const graceEndsAt = failedAt + graceDays * DAY_MS;
  if (at >= graceEndsAt) return blocked('delinquent', 'PAYMENT_METHOD_INVALID');
  return { standing: 'grace', code: undefined, graceEndsAt };
}

function blocked(standing: Standing, code: Code): PaymentStanding {
  return { standing, code, graceEndsAt: undefined };
}
