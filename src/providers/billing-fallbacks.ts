import type { BillingRule } from './billing-rules.ts';

/** With which an account is turned away. A 400 is about the request, whose words its message may repeat. */
const OF_ACCOUNTS = [401, 402, 403, 412, 429] as const;

/**
 * How providers that no other rule knows say it: names of codes that are common, then words. On a 402 the words only
 * tell which money it is; elsewhere they tell an account without money from a wrong key or a caller that is too fast.
 */
export const BY_COMMON_WORDS: readonly BillingRule[] = [
  {
    kind: 'spend_limit',
    codeLike:
      /^((monthly|daily|hard)_)?(spend|spending|usage|billing)_(limit|cap)_(reached|exceeded)$/,
  },
  {
    kind: 'payment_overdue',
    codeLike:
      /^(((account|payment|invoice|bill)_)?(overdue|past_due)|overdue_(payment|invoice|balance))$/,
  },
  {
    kind: 'payment_method_invalid',
    codeLike:
      /^((no|invalid|missing)_payment_method|payment_method_(required|invalid|missing)|card_(declined|expired))$/,
  },
  {
    kind: 'plan_quota_exhausted',
    codeLike:
      /^(free_(tier|quota|trial|credits?)|trial_(quota|credits?)|included_credits?)_(exhausted|exceeded|expired|used_up)$/,
  },
  {
    kind: 'credit_exhausted',
    codeLike:
      /^(insufficient_(account_)?(balance|credits?|funds)|not_enough_(balance|credits?|funds)|(out_of|no)_credits?|(balance|credits?)_(insufficient|exhausted|depleted|too_low))$/,
  },
  { kind: 'downstream_budget', codeLike: /^(\w+_)?budget_exhausted$/ },
  {
    kind: 'account_suspended',
    status: OF_ACCOUNTS,
    message: /\bsuspended\b[^.]{0,60}\b(payments?|billing|invoices?|balance)\b/i,
  },
  { kind: 'account_suspended', status: [402], codes: ['account_suspended'] },
  {
    kind: 'payment_overdue',
    status: OF_ACCOUNTS,
    message:
      /\b(past[- ]due|overdue|in arrears|(unpaid|outstanding) (invoices?|bills?|balance))\b|欠费/i,
  },
  { kind: 'spend_limit', status: OF_ACCOUNTS, message: /\bspend(ing)? (limit|cap)\b/i },
  {
    kind: 'payment_method_invalid',
    status: [402],
    message: /\b(payment method|(credit )?card (was|is|has))\b/i,
  },
  {
    kind: 'plan_quota_exhausted',
    status: [402, 403],
    message:
      /\b(free|trial|included|daily|monthly)\b[^.]{0,40}\b(quota|tier|allowance|credits?|limit)\b[^.]{0,30}\b(exceeded|exhausted|used up|reached|depleted)\b/i,
  },
  {
    kind: 'credit_exhausted',
    status: OF_ACCOUNTS,
    message:
      /\b(insufficient|not enough|out of)\b[^.]{0,20}\b(balance|credits?|funds)\b|\b(balance|credits?)\b[^.]{0,20}\b(insufficient|exhausted|depleted|too low|used up)\b|(余额|餘額|额度)不足/i,
  },
  {
    kind: 'not_purchased',
    status: [403],
    message:
      /\brequires an? (\w+ )?(paid|pro|plus|premium|enterprise)\b[^.]{0,20}\b(plan|subscription|tier)\b/i,
  },
];
