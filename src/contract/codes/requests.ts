import type { CodeRow } from '../code-row.ts';

/** What the caller can correct in the request itself. */
export const REQUEST_CODES = {
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
  API_RETIRED: {
    status: 410,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request', 'contact_admin'],
    title: 'API retired',
    sentence:
      '[{api} was retired|This API was retired][ on {retired}]. [Use {successor} instead|Ask the provider what replaces it]',
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
  HEADERS_TOO_LARGE: {
    status: 431,
    financial: false,
    retryKind: 'never_until_action',
    actions: ['fix_request'],
    title: 'Header section too large',
    sentence:
      'The request line and headers are too large[: at most {allowed_bytes} bytes]. Nothing was charged. Send fewer or shorter headers',
  },
} as const satisfies Record<string, CodeRow>;
