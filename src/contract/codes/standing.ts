import type { CodeRow } from '../code-row.ts';

/** The subscription's lifecycle and the standing of its payments (SUB, BILL-15 to BILL-20). */
export const STANDING_CODES = {
  SUBSCRIPTION_EXPIRED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['renew_subscription', 'contact_admin'],
    title: 'Subscription expired',
    sentence:
      '[The subscription of {account} has expired|Your subscription has expired][ (it ended on {plan_end})]. Renew it, and access returns at once',
  },
  SUBSCRIPTION_CANCELED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['renew_subscription', 'contact_admin'],
    title: 'Subscription canceled',
    sentence:
      '[The subscription of {account} was canceled|Your subscription was canceled][ and ended on {plan_end}]. Subscribe again, and access returns at once',
  },
  SUBSCRIPTION_PAUSED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['renew_subscription', 'contact_admin'],
    title: 'Subscription paused',
    sentence:
      '[The subscription of {account} is paused|Your subscription is paused][ until {resumes}]. Resume it, and access returns at once',
  },
  TRIAL_EXPIRED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'add_payment_method', 'contact_admin'],
    title: 'Trial expired',
    sentence:
      'Trial expired. Please upgrade your plan[ to {upgrade}][; the trial ended on {plan_end}]',
  },
  PAYMENT_METHOD_MISSING: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['add_payment_method', 'contact_admin'],
    title: 'No payment method',
    sentence:
      '[The account {account} has no payment method|This account has no payment method], and this call is billed as it is used. Add one, then retry',
  },
  PAYMENT_METHOD_INVALID: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['update_payment_method', 'pay_invoice', 'contact_support'],
    title: 'Subscription payment failed',
    sentence:
      'Subscription payment failed[: {decline}][, and the days of grace ended on {grace_end}]. Please update your payment method; access returns as soon as the payment goes through',
  },
  PAYMENT_METHOD_UNVERIFIED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['verify_payment_method', 'contact_support'],
    title: 'Payment method not verified',
    sentence: 'Your payment method has not been verified yet. Verify it, and access opens at once',
  },
  PAYMENT_REAUTHORIZATION_REQUIRED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['verify_payment_method', 'update_payment_method', 'contact_support'],
    title: 'Payment has to be authorised again',
    sentence:
      '[The authorised payment of {price} was not confirmed|The authorised payment was not confirmed][: {decline}]. Authorise it again, then retry',
  },
  INVOICE_OVERDUE: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['pay_invoice', 'contact_support'],
    title: 'Invoice overdue',
    sentence:
      'Outstanding invoices pending[: {invoices}, {amount_due} in all|: {invoices}]. Pay, and access returns at once',
  },
  PAYMENT_DISPUTED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['contact_support', 'pay_invoice'],
    title: 'Payment disputed',
    sentence:
      '[A payment of {price} by this account|A payment of this account] is in dispute, and what it paid for is on hold until that is settled. Settle it with us or pay another way',
  },
} as const satisfies Record<string, CodeRow>;
