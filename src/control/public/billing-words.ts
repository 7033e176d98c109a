import type { Action } from '../../contract/code-row.ts';
import { ACTION_WORDS } from '../../domain/action-words.ts';
import type { BillingError, BillingErrorKind } from '../../providers/billing-errors.ts';
import { findProvider } from '../../providers/provider-directory.ts';

/** Who can do something about an answer. */
export type Blame = 'caller' | 'account' | 'operator' | 'provider' | 'nobody' | 'unknown';

interface Words {
  readonly title: string;
  /** `%s` is the provider. */
  readonly cause: string;
  readonly blame: Blame;
  /** Whether the same call may pass when it is repeated. */
  readonly retry: 'no' | 'soon' | 'later' | 'paid';
  readonly actions: readonly Action[];
}

const KINDS: Readonly<Record<BillingErrorKind, Words>> = {
  credit_exhausted: {
    title: 'The account at the provider is out of credit',
    cause: 'The balance of the account at %s, whose key the call was made with, is used up.',
    blame: 'account',
    retry: 'no',
    actions: ['buy_credits', 'contact_admin'],
  },
  request_exceeds_balance: {
    title: 'The call could cost more than is left',
    cause: 'There is credit at %s, but less than this call could cost at most.',
    blame: 'account',
    retry: 'no',
    actions: ['fix_request', 'buy_credits'],
  },
  in_flight_budget: {
    title: 'Running calls hold the credit',
    cause:
      'There is credit at %s, but calls that still run hold it. It is free again when they end.',
    blame: 'caller',
    retry: 'soon',
    actions: ['retry_later'],
  },
  spend_limit: {
    title: 'A spending limit is reached',
    cause:
      'Somebody set a limit on the organisation, project or key at %s, and it is reached. Adding credit does not lift it.',
    blame: 'account',
    retry: 'later',
    actions: ['raise_spending_limit', 'wait_for_reset'],
  },
  tier_cap: {
    title: "The cap of the account's tier is reached",
    cause: '%s allows an account of this tier only so much a month.',
    blame: 'account',
    retry: 'later',
    actions: ['wait_for_reset', 'contact_support'],
  },
  plan_quota_exhausted: {
    title: 'An included allowance is used up',
    cause:
      'The free, daily or included allowance at %s is used up. Retrying for minutes is useless.',
    blame: 'account',
    retry: 'later',
    actions: ['wait_for_reset', 'upgrade_plan'],
  },
  payment_overdue: {
    title: 'An invoice is overdue',
    cause: 'A bill of the account at %s was not paid.',
    blame: 'account',
    retry: 'no',
    actions: ['pay_invoice', 'contact_admin'],
  },
  payment_method_invalid: {
    title: 'The account has no card that can be charged',
    cause: '%s could not charge the payment method of the account, or there is none.',
    blame: 'account',
    retry: 'no',
    actions: ['update_payment_method', 'contact_admin'],
  },
  account_inactive: {
    title: 'Billing of the account is not active',
    cause: 'Nobody has set up at %s how the account pays, or it was switched off.',
    blame: 'account',
    retry: 'no',
    actions: ['add_payment_method', 'contact_admin'],
  },
  not_purchased: {
    title: 'The account has not bought this',
    cause: 'The account at %s has to buy or activate this model or product first.',
    blame: 'account',
    retry: 'no',
    actions: ['upgrade_plan', 'contact_admin'],
  },
  account_suspended: {
    title: 'The account is suspended for money',
    cause: '%s has blocked the account, usually for an unpaid invoice or a spending limit.',
    blame: 'account',
    retry: 'no',
    actions: ['pay_invoice', 'contact_support'],
  },
  downstream_budget: {
    title: 'A budget of a gateway is used up',
    cause: 'A gateway before the provider (%s) has a budget on the key, and it is used up.',
    blame: 'operator',
    retry: 'later',
    actions: ['raise_spending_limit', 'wait_for_reset', 'contact_admin'],
  },
  downstream_balance: {
    title: 'The balance at a gateway is used up',
    cause: 'A gateway before the provider (%s) keeps a balance for the caller, and it is used up.',
    blame: 'account',
    retry: 'no',
    actions: ['buy_credits', 'contact_admin'],
  },
  downstream_quota: {
    title: 'A quota of a gateway is used up',
    cause:
      'A gateway before the provider (%s) allows so many calls in a period, and they are made.',
    blame: 'operator',
    retry: 'later',
    actions: ['wait_for_reset', 'upgrade_plan', 'contact_admin'],
  },
  upstream_exhausted_behind_gateway: {
    title: 'A gateway has no account left to use',
    cause:
      'All accounts that the gateway before the provider (%s) has for this model are used up or down.',
    blame: 'operator',
    retry: 'later',
    actions: ['retry_later', 'contact_support'],
  },
  suspect_402: {
    title: 'Perhaps not about money at all',
    cause:
      'Some providers (%s) answer 402 for a minute after a burst of calls, although there is credit. Look at the balance there before paying.',
    blame: 'provider',
    retry: 'soon',
    actions: ['retry_later', 'contact_support'],
  },
  budget_backend_down: {
    title: 'A gateway cannot check its budgets',
    cause:
      'The gateway before the provider (%s) could not reach its own books. Nobody owes anything.',
    blame: 'operator',
    retry: 'soon',
    actions: ['retry_later', 'contact_support'],
  },
  x402_challenge: {
    title: 'The call has a price for machines',
    cause: 'The sender asks for a payment of this one call (x402), with its price in the answer.',
    blame: 'caller',
    retry: 'paid',
    actions: ['pay_challenge'],
  },
  l402_challenge: {
    title: 'The call has a price for machines',
    cause:
      'The sender asks for a payment of this one call (L402): the Lightning invoice is in the header WWW-Authenticate.',
    blame: 'caller',
    retry: 'paid',
    actions: ['pay_challenge'],
  },
  rate_limited: {
    title: 'Too fast',
    cause: '%s limits how fast it is called. This is not about money: nothing has to be paid.',
    blame: 'caller',
    retry: 'soon',
    actions: ['wait_for_reset'],
  },
  overloaded: {
    title: 'The sender is overloaded',
    cause: '%s is overloaded or down. This is not about money.',
    blame: 'provider',
    retry: 'soon',
    actions: ['retry_later'],
  },
  auth: {
    title: 'The key is wrong or may not do this',
    cause: '%s does not accept the key, or the key may not do this. Paying changes nothing.',
    blame: 'caller',
    retry: 'no',
    actions: ['authenticate', 'contact_admin'],
  },
  bad_request: {
    title: 'The request is wrong',
    cause: '%s cannot use the request as it is. This is not about money.',
    blame: 'caller',
    retry: 'no',
    actions: ['fix_request'],
  },
  policy_block: {
    title: 'The content is refused',
    cause: '%s does not answer such content. This is not about money.',
    blame: 'caller',
    retry: 'no',
    actions: ['fix_request'],
  },
};

/** `Retry-After` in seconds, or undefined when it is a date or none. */
function secondsOf(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && /^\d{1,7}$/.test(retryAfter)
    ? Number.parseInt(retryAfter, 10)
    : undefined;
}

/** What a provider's error means and what to do about it, in words. */
export function describeBillingError(
  { kind, provider }: BillingError,
  retryAfter: string | undefined,
) {
  const { title, cause, blame, retry, actions } = KINDS[kind];
  const name = provider === undefined ? 'the sender' : (findProvider(provider)?.name ?? provider);
  const text = cause.replace('%s', name);
  return {
    title,
    cause: text.charAt(0).toUpperCase() + text.slice(1),
    blame,
    retry: describeRetry(retry, secondsOf(retryAfter)),
    actions: actions.map((action) => ({ action, text: ACTION_WORDS[action], url: undefined })),
  };
}

function describeRetry(retry: Words['retry'], seconds: number | undefined) {
  switch (retry) {
    case 'no':
      return { helps: false, text: 'No: not before somebody has paid or changed something.' };
    case 'later':
      return {
        helps: false,
        text: 'Not now: when the period begins anew, or the limit was raised.',
      };
    case 'paid':
      return { helps: false, text: 'Only with the proof of the payment.' };
    case 'soon': {
      const when =
        seconds === undefined
          ? 'after a moment, at most three times'
          : `in ${seconds} s, not sooner`;
      return { helps: true, text: `Yes, ${when}.` };
    }
  }
}
