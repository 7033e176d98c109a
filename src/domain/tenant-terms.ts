import type { PeriodName } from '../contract/phrases/phrasebook.ts';
import type { Enforcement } from './catalog.ts';

/**
 * What is agreed with one tenant beyond its plan, and what is known about its payments. Plain JSON: the
 * store keeps it as one document. Times are epoch milliseconds. Lifecycle and payment are separate
 * questions (DESIGN 6): neither is derived from the other.
 */
export interface TenantTerms {
  /** The tenant this one belongs to: its limits hold too. Undefined = none. */
  readonly parentId: string | undefined;
  /** True: plan, balance and limits are the parent's (a pool, PLAN-16). */
  readonly pooled: boolean;
  /** IANA name; quota windows begin at its midnight. */
  readonly timeZone: string;
  /** Epoch ms in the first day of the first billing cycle; its noon where a day was agreed on. */
  readonly billingAnchorAt: number | undefined;
  readonly subscription: SubscriptionTerms;
  readonly payment: PaymentTerms;
  /** `suspended` and `unverified` are not about money: 403 whatever is paid. */
  readonly account: AccountState;
  readonly overrides: readonly Override[];
  readonly purchases: readonly Purchase[];
  /** Overage was allowed up to this moment (PLAN-11). */
  readonly overageAuthorizedUntil: number | undefined;
  /** The most that it and all below it may spend, in nano, whatever their plans allow; undefined = no such bound. */
  readonly budgetNano: number | undefined;
  /** What the budget is for: this long, by its calendar. */
  readonly budgetWindow: PeriodName;
  /** Undefined = as the plan says. */
  readonly enforcement: Enforcement | undefined;
}

export type SubscriptionState = 'trialing' | 'active' | 'paused' | 'canceled';
export interface SubscriptionTerms {
  readonly state: SubscriptionState;
  /** End of the trial, of a canceled period, or of a subscription that is not renewed; undefined = open. */
  readonly endsAt: number | undefined;
}

export type PaymentMethodState = 'not_required' | 'valid' | 'missing' | 'unverified' | 'invalid';
export interface PaymentTerms {
  readonly method: PaymentMethodState;
  /** When collecting a recurring charge first failed and has not succeeded since: the clock of the grace. */
  readonly failedAt: number | undefined;
  /** Ids of invoices past their due date. */
  readonly overdueInvoices: readonly string[];
  readonly disputed: boolean;
  /** An authorised payment has to be confirmed again (BILL-18). */
  readonly reauthorizationRequired: boolean;
}
export type AccountState = 'active' | 'unverified' | 'suspended' | 'pending_approval';

/** Replaces one number of the plan for this tenant until `expiresAt` (PLAN-13). */
export interface Override {
  readonly limitId: string;
  readonly amount: number;
  readonly expiresAt: number | undefined;
}

/** Something bought beside the plan. */
export interface Purchase {
  readonly id: string;
  readonly addOnId: string;
  readonly at: number;
  readonly expiresAt: number | undefined;
}

/** A tenant about whom nothing special is known. */
export const PLAIN_TERMS: TenantTerms = {
  parentId: undefined,
  pooled: false,
  timeZone: 'UTC',
  billingAnchorAt: undefined,
  subscription: { state: 'active', endsAt: undefined },
  payment: {
    method: 'not_required',
    failedAt: undefined,
    overdueInvoices: [],
    disputed: false,
    reauthorizationRequired: false,
  },
  account: 'active',
  overrides: [],
  purchases: [],
  overageAuthorizedUntil: undefined,
  budgetNano: undefined,
  budgetWindow: 'lifetime',
  enforcement: undefined,
};
