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

/** The words of each dialect for a status: those its own API uses, so that clients which branch on them keep working. */
export interface StatusFamily {
  /** RFC 9110. */
  readonly phrase: string;
  /** The plain dialect's `error`. */
  readonly error: string;
  /** `error.type` of OpenAI. */
  readonly openaiType: string;
  /** `error.type` of Anthropic. */
  readonly anthropicType: string;
  /** `error.status` of Google: a name of google.rpc.Code. */
  readonly googleStatus: string;
  /** JSON-RPC 2.0 5.1, MCP: a pre-defined error, or -32000 for a server's own. */
  readonly jsonRpcCode: number;
}

export const STATUS_FAMILIES = {
  400: {
    phrase: 'Bad Request',
    error: 'invalid_request',
    openaiType: 'invalid_request_error',
    anthropicType: 'invalid_request_error',
    googleStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32600,
  },
  401: {
    phrase: 'Unauthorized',
    error: 'unauthorized',
    openaiType: 'authentication_error',
    anthropicType: 'authentication_error',
    googleStatus: 'UNAUTHENTICATED',
    jsonRpcCode: -32000,
  },
  402: {
    phrase: 'Payment Required',
    error: 'payment_required',
    openaiType: 'payment_required',
    anthropicType: 'billing_error',
    googleStatus: 'RESOURCE_EXHAUSTED',
    jsonRpcCode: -32000,
  },
  403: {
    phrase: 'Forbidden',
    error: 'forbidden',
    openaiType: 'permission_error',
    anthropicType: 'permission_error',
    googleStatus: 'PERMISSION_DENIED',
    jsonRpcCode: -32000,
  },
  404: {
    phrase: 'Not Found',
    error: 'not_found',
    openaiType: 'not_found_error',
    anthropicType: 'not_found_error',
    googleStatus: 'NOT_FOUND',
    jsonRpcCode: -32601,
  },
  405: {
    phrase: 'Method Not Allowed',
    error: 'method_not_allowed',
    openaiType: 'invalid_request_error',
    anthropicType: 'invalid_request_error',
    googleStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32600,
  },
  408: {
    phrase: 'Request Timeout',
    error: 'request_timeout',
    openaiType: 'invalid_request_error',
    anthropicType: 'timeout_error',
    googleStatus: 'DEADLINE_EXCEEDED',
    jsonRpcCode: -32000,
  },
  409: {
    phrase: 'Conflict',
    error: 'conflict',
    openaiType: 'invalid_request_error',
    anthropicType: 'invalid_request_error',
    googleStatus: 'ABORTED',
    jsonRpcCode: -32000,
  },
  410: {
    phrase: 'Gone',
    error: 'gone',
    openaiType: 'invalid_request_error',
    anthropicType: 'not_found_error',
    googleStatus: 'NOT_FOUND',
    jsonRpcCode: -32601,
  },
  413: {
    phrase: 'Content Too Large',
    error: 'payload_too_large',
    openaiType: 'invalid_request_error',
    anthropicType: 'request_too_large',
    googleStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32600,
  },
  429: {
    phrase: 'Too Many Requests',
    error: 'too_many_requests',
    openaiType: 'rate_limit_error',
    anthropicType: 'rate_limit_error',
    googleStatus: 'RESOURCE_EXHAUSTED',
    jsonRpcCode: -32000,
  },
  431: {
    phrase: 'Request Header Fields Too Large',
    error: 'headers_too_large',
    openaiType: 'invalid_request_error',
    anthropicType: 'request_too_large',
    googleStatus: 'INVALID_ARGUMENT',
    jsonRpcCode: -32600,
  },
  500: {
    phrase: 'Internal Server Error',
    error: 'internal_error',
    openaiType: 'api_error',
    anthropicType: 'api_error',
    googleStatus: 'INTERNAL',
    jsonRpcCode: -32603,
  },
  502: {
    phrase: 'Bad Gateway',
    error: 'bad_gateway',
    openaiType: 'api_error',
    anthropicType: 'api_error',
    googleStatus: 'UNAVAILABLE',
    jsonRpcCode: -32603,
  },
  503: {
    phrase: 'Service Unavailable',
    error: 'service_unavailable',
    openaiType: 'api_error',
    anthropicType: 'overloaded_error',
    googleStatus: 'UNAVAILABLE',
    jsonRpcCode: -32603,
  },
  504: {
    phrase: 'Gateway Timeout',
    error: 'gateway_timeout',
    openaiType: 'api_error',
    anthropicType: 'timeout_error',
    googleStatus: 'DEADLINE_EXCEEDED',
    jsonRpcCode: -32603,
  },
} as const satisfies Record<number, StatusFamily>;

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
  /** What Retry-After says where nothing tells it better. */
  readonly retryAfterSeconds?: number;
  /** RFC 6750 3.1 `error` of the WWW-Authenticate header, when a credential was sent and was refused. */
  readonly bearerError?: 'invalid_token';
}

/** Whether repeating the very same request soon may succeed without anybody doing anything. */
export function isRetryable(kind: RetryKind): boolean {
  return kind === 'transient' || kind === 'when_slot_free';
}
