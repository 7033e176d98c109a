/** C402-21. What a repetition of the same request can hope for. A kind a client does not know means never. */
export const RETRY_KINDS = [
  'never_until_action',
  'after_reset',
  'when_slot_free',
  'with_proof',
  'transient',
] as const;
export type RetryKind = (typeof RETRY_KINDS)[number];

/** C402-05: the closed list of what lifts a 402. */
export const PAYMENT_ACTIONS = [
  'renew_subscription',
  'update_payment_method',
  'add_payment_method',
  'verify_payment_method',
  'upgrade_plan',
  'buy_credits',
  'pay_invoice',
  'authorize_overage',
  'raise_spending_limit',
  'wait_for_reset',
  'wait_for_slot',
  'pay_challenge',
  'contact_admin',
  'contact_support',
] as const;

/** What lifts a refusal that no payment lifts. Never sent with a 402. */
export const OTHER_ACTIONS = [
  'authenticate',
  'fix_request',
  'retry_later',
  'verify_account',
  'request_access',
] as const;

export type PaymentAction = (typeof PAYMENT_ACTIONS)[number];
export type Action = PaymentAction | (typeof OTHER_ACTIONS)[number];

/**
 * Per status: the plain dialect's `error` string, and the `error.type` of the OpenAI dialect, in the
 * words OpenAI's own API uses, so that clients which branch on the type keep working.
 */
export const STATUS_FAMILIES = {
  400: { error: 'invalid_request', openaiType: 'invalid_request_error' },
  401: { error: 'unauthorized', openaiType: 'authentication_error' },
  402: { error: 'payment_required', openaiType: 'payment_required' },
  403: { error: 'forbidden', openaiType: 'permission_error' },
  404: { error: 'not_found', openaiType: 'not_found_error' },
  405: { error: 'method_not_allowed', openaiType: 'invalid_request_error' },
  408: { error: 'request_timeout', openaiType: 'invalid_request_error' },
  409: { error: 'conflict', openaiType: 'invalid_request_error' },
  410: { error: 'gone', openaiType: 'invalid_request_error' },
  413: { error: 'payload_too_large', openaiType: 'invalid_request_error' },
  429: { error: 'too_many_requests', openaiType: 'rate_limit_error' },
  431: { error: 'headers_too_large', openaiType: 'invalid_request_error' },
  500: { error: 'internal_error', openaiType: 'api_error' },
  502: { error: 'bad_gateway', openaiType: 'api_error' },
  503: { error: 'service_unavailable', openaiType: 'api_error' },
  504: { error: 'gateway_timeout', openaiType: 'api_error' },
} as const;

export type ProblemStatus = keyof typeof STATUS_FAMILIES;

/** One row of the registry. */
export interface CodeRow {
  readonly status: ProblemStatus;
  /** The cause is an unmet financial obligation. True exactly where the status is 402 (C402-01). */
  readonly financial: boolean;
  readonly retryKind: RetryKind;
  /** In order of preference; the first one that is possible for this caller is the body's `action`. */
  readonly actions: readonly [Action, ...Action[]];
  /** Says the kind of problem and does not vary between occurrences (RFC 9457 3.1.3). */
  readonly title: string;
  /** What happened, in numbers, and the next step: a template of sentence.ts. The link follows it. */
  readonly sentence: string;
  /** RFC 6750 3.1 `error` of the WWW-Authenticate header, when a credential was sent and was refused. */
  readonly bearerError?: 'invalid_token';
}

/** Whether repeating the very same request soon may succeed without anybody doing anything. */
export function isRetryable(kind: RetryKind): boolean {
  return kind === 'transient' || kind === 'when_slot_free';
}
