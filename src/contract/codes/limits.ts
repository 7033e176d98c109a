import type { CodeRow } from '../code-row.ts';

/** A balance, quota, budget or rate does not cover the call. One code per unit and cause (QUOTA-06). */
export const LIMIT_CODES = {
  INSUFFICIENT_CREDITS: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['buy_credits', 'upgrade_plan', 'contact_admin'],
    title: 'Not enough credit',
    sentence:
      '[This call could cost up to {needed} and your available balance is {available}|Your balance does not cover this call]. [{held} is held by calls still running: retry in {retry_after} s or add credit|Lower max_tokens to {affordable_max_tokens} or add credit|Add credit, then retry]',
  },
  REQUEST_QUOTA_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Request quota used up',
    sentence:
      '[{subject} used {current_usage} of {allowed_usage} requests {period}|{subject} used {current_usage} of {allowed_usage} requests|Your request quota is used up]. [All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a larger quota|Ask for a larger quota]',
  },
  FREE_TIER_EXHAUSTED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['pay_challenge', 'upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Free allowance used up',
    sentence:
      '[{subject} used {current_usage} of {allowed_usage} free {unit} {period}|{subject} used {current_usage} of {allowed_usage} free {unit}|The free allowance is used up]. [All that is left is held by calls still running: retry in {retry_after} s|Pay {offer_price} for this call or wait until {resets}|Pay {offer_price} for this call|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a paid plan|Ask for a paid plan]',
  },
  TOKEN_QUOTA_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Token quota used up',
    sentence:
      '[{cadence} token quota exceeded|Token quota exceeded][: {subject_inside} used {current_usage} of {allowed_usage} {token_unit} {period}|: {subject_inside} used {current_usage} of {allowed_usage} {token_unit}][, and this call could use up to {needed} more]. [Lower max_tokens to {affordable_max_tokens} to fit. ][All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a larger quota|Ask for a larger quota]',
  },
  COMPUTE_UNITS_EXHAUSTED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Compute allowance used up',
    sentence:
      'Compute units exhausted[: {subject_inside} used {current_usage} of {allowed_usage} {compute_unit} {period}|: {subject_inside} used {current_usage} of {allowed_usage} {compute_unit}][, and this call could use up to {needed} more]. [All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a larger allowance|Ask for a larger allowance]',
  },
  OPERATION_LIMIT_REACHED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Limit of an operation reached',
    sentence:
      '[{cadence} processing limit reached|Processing limit reached][: {subject_inside} used {current_usage} of {allowed_usage} {operation} operations {period}|: {subject_inside} used {current_usage} of {allowed_usage} operations {period}|: {subject_inside} used {current_usage} of {allowed_usage} operations]. [All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a higher limit|Ask for a higher limit]',
  },
  DATA_QUOTA_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Data volume used up',
    sentence:
      '[{subject} transferred {current_usage} of {allowed_usage} {period}|{subject} transferred {current_usage} of {allowed_usage}|Your data volume is used up][, and this call could add up to {needed}]. [All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for more volume|Ask for more volume]',
  },
  STORAGE_QUOTA_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'Storage used up',
    sentence:
      '[{subject} filled {current_usage} of {allowed_usage} of storage|Your storage is full][, and this call would add {needed}]. [Upgrade to {upgrade} or delete something|Delete something or ask for more storage]',
  },
  SPENDING_LIMIT_REACHED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['raise_spending_limit', 'wait_for_reset', 'contact_admin'],
    title: 'Spending limit reached',
    sentence:
      '[{subject} spent {current_usage} of a limit of {allowed_usage} {period}|{subject} spent {current_usage} of a limit of {allowed_usage}|{subject} reached the spending limit][, and this call could cost up to {needed}]. [Lower max_tokens to {affordable_max_tokens} to fit. ][All that is left is held by calls still running: retry in {retry_after} s|Ask {organisation} to raise it or wait until {resets}|Ask {organisation} to raise it, then retry|Raise the spending limit or wait until {resets}|Raise the spending limit, then retry]',
  },
  CONCURRENCY_LIMIT_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'when_slot_free',
    actions: ['wait_for_slot', 'upgrade_plan', 'contact_admin'],
    title: 'All paid slots are busy',
    sentence:
      '[Calls running: {current_usage}; the {current_plan} plan allows {allowed_usage} at a time|Calls running: {current_usage}, allowed at a time: {allowed_usage}|As many calls are running as your plan allows at a time]. [Retry when one has ended or upgrade to {upgrade}|Retry when one has ended]',
  },
  RATE_CAPACITY_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Paid request rate used up',
    sentence:
      '[{subject} used the {allowed_usage} requests per {window} of the {current_plan} plan|{subject} used the {allowed_usage} requests per {window} that were bought|The request rate of your plan is used up]. [Upgrade to {an_upgrade} plan for higher rate limits or wait until {resets}|Upgrade to {an_upgrade} plan for higher rate limits|Wait until {resets} or ask for higher rate limits|Ask for higher rate limits]',
  },
  OVERAGE_AUTHORIZATION_REQUIRED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['authorize_overage', 'upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Use beyond the plan needs approval',
    sentence:
      '[{subject} used {current_usage} of {allowed_usage} {unit} {period}|{subject} used {current_usage} of {allowed_usage} {unit}|What the plan includes is used up]. [More costs {price} each and needs your approval|More is billed on top and needs your approval]: approve it[, upgrade to {upgrade}][ or wait until {resets}]',
  },
  RATE_LIMITED: {
    status: 429,
    financial: false,
    retryKind: 'transient',
    actions: ['wait_for_reset'],
    title: 'Too many requests',
    sentence:
      '[This call needs {too_much} and no more than {allowed_usage} are allowed per {window}|{subject} sent requests faster than {allowed_usage} per {window}|{subject} sent requests too fast]. Nothing was charged. [No waiting makes room for {too_much}: ask for less|Slow down and retry in {retry_after} s|Slow down and retry]',
  },
  CONCURRENCY_LIMITED: {
    status: 429,
    financial: false,
    retryKind: 'when_slot_free',
    actions: ['wait_for_slot'],
    title: 'Too many calls at a time',
    sentence:
      '[Calls running: {current_usage}, allowed at a time: {allowed_usage}|More calls are running than are allowed at a time]. Nothing was charged. Retry when one has ended',
  },
  PAYMENT_RETRY_STORM: {
    status: 429,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['wait_for_reset', 'contact_admin'],
    title: 'Repeated too often after a 402',
    sentence:
      'The same unpaid call is repeated too often[: more than {allowed_usage} times a minute]. Retrying cannot lift the 402 [{cause} |]that was answered: stop, resolve it, then call again',
  },
} as const satisfies Record<string, CodeRow>;
