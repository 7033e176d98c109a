import type { CodeRow } from '../code-row.ts';

/** One payment for one call, the credentials it buys, and payments that did not go through. */
export const PAYMENT_CODES = {
  PAYMENT_REQUIRED: {
    status: 402,
    financial: true,
    retryKind: 'with_proof',
    actions: ['pay_challenge', 'contact_admin'],
    title: 'This call has a price',
    sentence:
      '[This call costs {offer_price}|This call has a price], and no payment came with it. Pay the challenge in the headers of this answer and send the call again with the proof',
  },
  CREDENTIAL_EXPIRED: {
    status: 402,
    financial: true,
    retryKind: 'with_proof',
    actions: ['pay_challenge', 'contact_admin'],
    title: 'Paid credential expired',
    sentence:
      'The payment credential expired[ on {expired}]. Pay the new challenge in the headers of this answer[, {offer_price},] and send the call again with the proof',
  },
  CREDENTIAL_USED_UP: {
    status: 402,
    financial: true,
    retryKind: 'with_proof',
    actions: ['pay_challenge', 'contact_admin'],
    title: 'Paid credential used up',
    sentence:
      '[The payment credential has paid for {allowed_usage} of {allowed_usage} calls|What the payment credential paid for is used up]. Pay the new challenge in the headers of this answer[, {offer_price},] and send the call again with the proof',
  },
  PAYMENT_DECLINED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['update_payment_method', 'contact_support'],
    title: 'Payment declined',
    sentence:
      '[The payment of {price} was declined|The payment was declined][: {decline}]. Nothing was bought. [Retry in {retry_after} s|Correct it or pay another way]',
  },
  UPSTREAM_PAYMENT_REQUIRED: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['buy_credits', 'contact_admin'],
    title: 'Your own provider account is out of funds',
    sentence:
      '[{provider} refuses your own provider key|The provider refuses your own provider key] because the account behind it has no funds or quota left[ ("{upstream_reason}")]. Add funds there, then retry',
  },
  CREDENTIAL_INVALID: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_support'],
    title: 'Payment credential not valid',
    sentence:
      'The payment credential is not valid[: {reason}]. Send it exactly as it was issued, with the proof that belongs to it',
    bearerError: 'invalid_token',
  },
  CREDENTIAL_REVOKED: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'Payment credential revoked',
    sentence:
      'This payment credential, or one it was derived from, was revoked[ on {revoked}]. Ask whoever issued it for a new one',
    bearerError: 'invalid_token',
  },
  CREDENTIAL_OUT_OF_SCOPE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request', 'contact_admin'],
    title: 'Payment credential not valid for this call',
    sentence:
      'This payment credential does not cover this call[: its restriction {caveat} forbids it]. Use it for what it was issued for, or get one for this call',
  },
  PAYMENT_BACKEND_UNAVAILABLE: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later', 'contact_support'],
    title: 'Payments cannot be taken just now',
    sentence:
      'This call has a price, and the service that takes payments does not answer just now. Nothing was charged. [Retry in {retry_after} s|Retry shortly]',
  },
} as const satisfies Record<string, CodeRow>;
