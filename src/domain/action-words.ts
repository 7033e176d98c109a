import type { Action } from '../contract/code-row.ts';

/** What to do, in one sentence, for whoever has nothing but the action's name. */
export const ACTION_WORDS: Readonly<Record<Action, string>> = {
  renew_subscription: 'Renew the subscription.',
  update_payment_method: 'Update the payment method.',
  add_payment_method: 'Add a payment method.',
  verify_payment_method: 'Confirm the payment method.',
  upgrade_plan: 'Take a larger plan.',
  buy_credits: 'Add credit.',
  pay_invoice: 'Pay the open invoice.',
  authorize_overage: 'Allow use beyond the plan, billed by the unit.',
  raise_spending_limit: 'Ask the owner of the key to raise its limit, or use another key.',
  wait_for_reset: 'Wait until the limit is full again.',
  wait_for_slot: 'Retry when one of the running calls has ended.',
  pay_challenge: 'Pay for this call alone.',
  contact_admin: 'Ask the owner of the account or the provider, with the request id.',
  contact_support: 'Write to the provider, with the request id.',
  authenticate: 'Send a valid API key as Authorization: Bearer <key>.',
  fix_request: 'Correct the request and send it again.',
  retry_later: 'Retry shortly.',
  verify_account: 'Verify the account.',
  request_access: 'Ask for access to this API.',
};
