import type { CodeRow } from './code-row.ts';

/**
 * The registry of DESIGN 3: every refusal the gateway can give, and nothing else about it elsewhere.
 * A new code is one row here and one page in docs/errors. Words in `sentence` are the members of
 * `details` and those that problem.ts derives from them. Part of the public contract: a code never
 * changes its meaning.
 */
const ROWS = {
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
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Free allowance used up',
    sentence:
      '[{subject} used {current_usage} of {allowed_usage} free {unit} {period}|{subject} used {current_usage} of {allowed_usage} free {unit}|The free allowance is used up]. [All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a paid plan|Ask for a paid plan]',
  },
  TOKEN_QUOTA_EXCEEDED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['upgrade_plan', 'wait_for_reset', 'contact_admin'],
    title: 'Token quota used up',
    sentence:
      'Token quota exceeded[: {subject_inside} used {current_usage} of {allowed_usage} tokens {period}|: {subject_inside} used {current_usage} of {allowed_usage} tokens][, and this call could use up to {needed} more]. [Lower max_tokens to {affordable_max_tokens} to fit. ][All that is left is held by calls still running: retry in {retry_after} s|Upgrade to {upgrade} or wait until {resets}|Upgrade to {upgrade}|Wait until {resets} or ask for a larger quota|Ask for a larger quota]',
  },
  SPENDING_LIMIT_REACHED: {
    status: 402,
    financial: true,
    retryKind: 'after_reset',
    actions: ['raise_spending_limit', 'wait_for_reset', 'contact_admin'],
    title: 'Spending limit reached',
    sentence:
      '[{subject} spent {current_usage} of a limit of {allowed_usage} {period}|{subject} spent {current_usage} of a limit of {allowed_usage}|{subject} reached the spending limit][, and this call could cost up to {needed}]. [Lower max_tokens to {affordable_max_tokens} to fit. ][All that is left is held by calls still running: retry in {retry_after} s|Raise the spending limit or wait until {resets}|Raise the spending limit, then retry]',
  },
  MODEL_NOT_IN_PLAN: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'Model not in your plan',
    sentence:
      '[The model {model} is not part of the {current_plan} plan|The model {model} is not part of your plan|This model is not part of your plan]. [Upgrade to {upgrade} to use it|Upgrade to a plan that includes it]',
  },
  FEATURE_NOT_IN_PLAN: {
    status: 402,
    financial: true,
    retryKind: 'never_until_action',
    actions: ['upgrade_plan', 'contact_admin'],
    title: 'Feature not in your plan',
    sentence:
      '[The feature {feature} is not part of the {current_plan} plan|The feature {feature} is not part of your plan|This feature is not part of your plan]. [Upgrade to {upgrade} to use it|Upgrade to a plan that includes it]',
  },
  INVALID_REQUEST: {
    status: 400,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Invalid request',
    sentence:
      '[{parameter}: {reason}|{reason}|The request is not valid]. Nothing was charged. Correct it and send it again',
  },
  MALFORMED_REQUEST: {
    status: 400,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Not a readable HTTP request',
    sentence:
      'The bytes received are not a valid HTTP request[: {reason}]. Nothing was charged. Use a standard HTTP client',
  },
  CONTEXT_LENGTH_EXCEEDED: {
    status: 400,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Longer than the context window',
    sentence:
      '[This call needs at least {needed} tokens and the context window of {model} is {allowed_usage}|This call needs at least {needed} tokens and the context window is {allowed_usage}|This call does not fit the context window of {model}|This call does not fit the context window]. Nothing was charged. Shorten the input or lower max_tokens',
  },
  KEY_MISSING: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate'],
    title: 'API key missing',
    sentence: 'No API key was sent. Send yours as Authorization: Bearer <key>',
  },
  KEY_UNKNOWN: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'API key unknown',
    sentence:
      '[{reason}|The API key sent is not known here]. Check that it was copied whole and belongs to this gateway',
    bearerError: 'invalid_token',
  },
  KEY_REVOKED: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'API key revoked',
    sentence:
      'This API key was revoked[ on {revoked}]. Use another key, or ask the owner of the account for a new one',
    bearerError: 'invalid_token',
  },
  KEY_EXPIRED: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate', 'contact_admin'],
    title: 'API key expired',
    sentence:
      'This API key expired[ on {expired}]. Use another key, or ask the owner of the account for a new one',
    bearerError: 'invalid_token',
  },
  ADMIN_TOKEN_INVALID: {
    status: 401,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['authenticate'],
    title: 'Admin token missing or wrong',
    sentence:
      'The admin API needs its token. Send the content of the file admin.token in the data directory as Authorization: Bearer <token>',
    bearerError: 'invalid_token',
  },
  MODEL_NOT_AVAILABLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Model not available to you',
    sentence:
      '[The model {model} is not open to this account|This model is not open to this account], and no plan on sale includes it. Use another model, or ask the provider',
  },
  FEATURE_NOT_AVAILABLE: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['contact_admin'],
    title: 'Feature not available to you',
    sentence:
      '[The feature {feature} is not open to this account|This feature is not open to this account], and no plan on sale includes it. Ask the provider',
  },
  HOST_NOT_ALLOWED: {
    status: 403,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Host or origin not allowed',
    sentence:
      '[The admin API does not answer to {host}|The admin API does not answer to this host or origin]. Call it by the address it listens on',
  },
  ROUTE_NOT_FOUND: {
    status: 404,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'No such route',
    sentence:
      '[No route answers {method} {path}|No route answers this request]. Check the path and the host name',
  },
  MODEL_NOT_FOUND: {
    status: 404,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'No such model',
    sentence:
      '[The model {model} does not exist here|No model of this name exists here]. [Did you mean {nearest}? ]GET /v1/models lists the models you can use',
  },
  NOT_FOUND: {
    status: 404,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Nothing here',
    sentence: '[Nothing is found at {path}|Nothing is found at this address]. Check the address',
  },
  TENANT_NOT_FOUND: {
    status: 404,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'No such tenant',
    sentence:
      '[There is no tenant {id}|There is no such tenant]. GET /admin/tenants lists the tenants',
  },
  KEY_NOT_FOUND: {
    status: 404,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'No such key',
    sentence: '[There is no key {id}|There is no such key]. GET /admin/keys lists the keys',
  },
  PLAN_NOT_FOUND: {
    status: 404,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'No such plan',
    sentence:
      '[There is no plan {id} in the configuration|There is no such plan in the configuration]. [Did you mean {nearest}? ]Use the id of a plan in the configuration file',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Method not allowed',
    sentence:
      '[{path} does not answer {method}|This address does not answer the method used]. [Use {methods}|Use another method]',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later'],
    title: 'The request took too long to arrive',
    sentence:
      'The request did not arrive in full[ within {timeout_seconds} s| in time]. Nothing was charged. Send it again on a new connection',
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Idempotency key used for another request',
    sentence:
      'This Idempotency-Key was already used with a different body. Nothing was changed. Repeat the first body, or take a new key for a new request',
  },
  BODY_TOO_LARGE: {
    status: 413,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Body too large',
    sentence:
      'The body is larger than this route takes[: at most {allowed_bytes} bytes]. Nothing was charged. Send less at a time',
  },
  RATE_LIMITED: {
    status: 429,
    financial: false,
    retryKind: 'transient',
    actions: ['wait_for_reset'],
    title: 'Too many requests',
    sentence:
      '[{subject} sent requests faster than {allowed_usage} per {window}|{subject} sent requests too fast]. Nothing was charged. [Slow down and retry in {retry_after} s|Slow down and retry]',
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
  HEADERS_TOO_LARGE: {
    status: 431,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Header section too large',
    sentence:
      'The request line and headers are too large[: at most {allowed_bytes} bytes]. Nothing was charged. Send fewer or shorter headers',
  },
  INTERNAL_ERROR: {
    status: 500,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later', 'contact_support'],
    title: 'The gateway failed',
    sentence:
      'The gateway failed while it handled this request; the fault is not yours. Retry, and report the request id if it stays',
  },
  UPSTREAM_FAILED: {
    status: 502,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later', 'contact_support'],
    title: 'The upstream failed',
    sentence:
      'The service behind the gateway broke off or answered something unreadable[: {reason}]. Retry, and tell the provider if it stays',
  },
  BILLING_UNAVAILABLE: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later', 'contact_support'],
    title: 'Billing is unavailable',
    sentence:
      'The gateway cannot check or book money just now[: {reason}]. This is our fault, not your balance, and nothing was charged. [Retry in {retry_after} s|Retry shortly]',
  },
  UPSTREAM_UNAVAILABLE: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later', 'contact_support'],
    title: 'No upstream is available',
    sentence:
      'No healthy server is behind this route just now. Nothing was charged. [Retry in {retry_after} s|Retry shortly]',
  },
  OVERLOADED: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later'],
    title: 'The gateway is busy',
    sentence:
      'The gateway has more work than it can take on just now. Nothing was charged. [Retry in {retry_after} s|Retry shortly]',
  },
  UPSTREAM_TIMEOUT: {
    status: 504,
    financial: false,
    retryKind: 'transient',
    actions: ['retry_later', 'contact_support'],
    title: 'The upstream took too long',
    sentence:
      'The service behind the gateway did not answer[ within {timeout_seconds} s| in time]. Retry, and tell the provider if it stays',
  },
} as const satisfies Record<string, CodeRow>;

/** Every code the gateway can answer with. */
export type Code = keyof typeof ROWS;

for (const row of Object.values(ROWS)) Object.freeze(row);
export const CODES: Readonly<Record<Code, CodeRow>> = Object.freeze(ROWS);

export function isCode(text: string): text is Code {
  return Object.hasOwn(ROWS, text);
}
