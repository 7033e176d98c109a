import type { CodeRow } from '../code-row.ts';

/** Faults on our side of the caller: never a 402 (C402-19). */
export const FAULT_CODES = {
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
    retryAfterSeconds: 1,
    actions: ['retry_later', 'contact_support'],
    title: 'Billing is unavailable',
    sentence:
      'The gateway cannot check or book money just now[: {reason}]. This is our fault, not your balance, and [{charged_before}|nothing was charged]. [Retry in {retry_after} s|Retry shortly]',
  },
  UPSTREAM_UNAVAILABLE: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    retryAfterSeconds: 5,
    actions: ['retry_later', 'contact_support'],
    title: 'No upstream is available',
    sentence:
      'No healthy server is behind this route just now. Nothing was charged. [Retry in {retry_after} s|Retry shortly]',
  },
  UPSTREAM_PROVIDER_QUOTA_EXHAUSTED: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    retryAfterSeconds: 60,
    actions: ['retry_later', 'contact_support'],
    title: 'The upstream has no quota left for us',
    sentence:
      '[{provider} serves no more calls of this gateway just now|The service behind the gateway serves no more calls of it just now]; this is not your quota, and [{charged_before}|nothing was charged]. The operator has been told. [Retry in {retry_after} s|Retry later]',
  },
  OVERLOADED: {
    status: 503,
    financial: false,
    retryKind: 'transient',
    retryAfterSeconds: 1,
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
