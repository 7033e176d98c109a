import { CODES } from './codes.ts';
import type { ProblemForm } from './dialects.ts';
import { PROBLEM_VERSION } from './problem-document.ts';
import type { ProblemDocument, UpstreamNote } from './problem-document.ts';
import { PAGE_POLICY } from './problem-html.ts';

/** Names and values in turn: [name, value, name, value, ...]. */
export type HeaderList = readonly string[];

/** RFC 9651 3.3.1: the largest Integer a structured field can carry. Spend limits in nano can exceed it. */
const INTEGER_MAX = 999_999_999_999_999;
/** Below this a number is a small integer to V8, and so are both halves of a larger one, split at LOW_SIZE. */
const SMALL_MAX = 1_000_000_000;
const LOW_SIZE = 1_000_000;
const REALM = 'tollkeeper';
const PAGE_HEADERS = [
  'Content-Security-Policy',
  PAGE_POLICY,
  'X-Content-Type-Options',
  'nosniff',
] as const;

/** One limit as it is advertised; compiled once when the configuration is loaded. */
export interface RateLimitPolicy {
  /** The item of `RateLimit-Policy`: `"month";q=10000;w=2592000;qu="requests"`. */
  readonly item: string;
  /** The policy's name as a structured-field string, quotes included. */
  readonly quotedName: string;
  readonly quota: number;
  /** The quota as a structured-field integer. */
  readonly quotaText: string;
}
export interface RateLimitTerms {
  readonly name: string;
  readonly quota: number;
  /** Undefined for a limit that never resets. */
  readonly windowSeconds: number | undefined;
  /** One of UNIT_NAMES; of a spending limit its smallest unit, e.g. `nano`. */
  readonly unit: string;
}
/** What is left of a policy at this moment. */
export interface RateLimitReading {
  readonly policy: RateLimitPolicy;
  readonly remaining: number;
  /** Milliseconds since the epoch; undefined when it never resets. */
  readonly resetsAtMs: number | undefined;
}

/**
 * The quota units IANA is asked to register by draft-ietf-httpapi-ratelimit-headers; others carry our
 * prefix. What comes in and what goes out are separate policies with a name each.
 */
const REGISTERED_UNITS: Readonly<Record<string, string>> = {
  requests: 'requests',
  bytes: 'content-bytes',
  bytes_in: 'content-bytes',
  bytes_out: 'content-bytes',
  concurrent_requests: 'concurrent-requests',
};

/** draft-ietf-httpapi-ratelimit-headers-11: `q` quota, `w` window in seconds, `qu` quota unit. */
export function compileRateLimitPolicy(terms: RateLimitTerms): RateLimitPolicy {
  const quotedName = quoteString(terms.name);
  const window =
    terms.windowSeconds === undefined ? '' : `;w=${formatInteger(terms.windowSeconds)}`;
  const item = `${quotedName};q=${formatInteger(terms.quota)}${window};qu=${quoteString(nameUnit(terms.unit))}`;
  return { item, quotedName, quota: terms.quota, quotaText: formatInteger(terms.quota) };
}

function nameUnit(unit: string): string {
  const registered = Object.hasOwn(REGISTERED_UNITS, unit) ? REGISTERED_UNITS[unit] : undefined;
  return registered ?? `${REALM}-${unit.replaceAll('_', '-').toLowerCase()}`;
}

/**
 * `RateLimit-Policy` and `RateLimit` with every reading, and the X-RateLimit-* trio (QUOTA-08) for the
 * tightest. `X-RateLimit-Reset` is in whole seconds since the epoch, as GitHub's is. Runs on every
 * request. No readings, no headers. `retryAfterSeconds` is what the answer's Retry-After says: the draft
 * forbids one that is earlier than a `t`, so a later `t` is left out, its reset being in X-RateLimit-Reset.
 */
export function buildRateLimitHeaders(
  readings: readonly RateLimitReading[],
  nowMs: number,
  retryAfterSeconds = Infinity,
): HeaderList {
  const tightest = findTightest(readings);
  if (tightest === undefined) return [];
  let limits = '';
  for (const reading of readings) {
    limits += (limits === '' ? '' : ', ') + formatReading(reading, nowMs, retryAfterSeconds);
  }
  const headers = [
    'RateLimit-Policy',
    joinPolicies(readings),
    'RateLimit',
    limits,
    'X-RateLimit-Limit',
    tightest.policy.quotaText,
    'X-RateLimit-Remaining',
    formatInteger(tightest.remaining),
  ];
  if (tightest.resetsAtMs !== undefined) {
    headers.push('X-RateLimit-Reset', formatInteger(Math.ceil(tightest.resetsAtMs / 1000)));
  }
  return headers;
}

/** The field of a list of policies, by its first one: a key is advertised the same list again and again. */
const joined = new WeakMap<
  RateLimitPolicy,
  { policies: readonly RateLimitPolicy[]; field: string }
>();

function joinPolicies(readings: readonly RateLimitReading[]): string {
  const first = readings[0]?.policy;
  if (first === undefined) return '';
  const known = joined.get(first);
  if (known !== undefined && isSameList(known.policies, readings)) return known.field;
  const policies = readings.map(({ policy }) => policy);
  const field = policies.map(({ item }) => item).join(', ');
  joined.set(first, { policies, field });
  return field;
}

function isSameList(
  policies: readonly RateLimitPolicy[],
  readings: readonly RateLimitReading[],
): boolean {
  if (policies.length !== readings.length) return false;
  for (let i = 0; i < policies.length; i += 1) {
    if (policies[i] !== readings[i]?.policy) return false;
  }
  return true;
}

export interface ProblemHeaderOptions {
  readonly contentType: string;
  /** What was rendered, for the headers that only one form has. */
  readonly form?: ProblemForm;
  /** Where this is paid: `Link: <...>; rel="payment"` (DESIGN 4). */
  readonly paymentUrl?: string;
}

/** The headers of a refusal, rate limits apart. */
export function buildProblemHeaders(
  document: ProblemDocument,
  options: ProblemHeaderOptions,
): HeaderList {
  const headers = [
    'Content-Type',
    options.contentType,
    // C402-20: what was paid must take effect on the next try.
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    document.request_id,
    'X-402-Version',
    PROBLEM_VERSION,
    // C402-10, C402-27: another caller may read another form or language.
    'Vary',
    'Accept, Accept-Language',
    'Content-Language',
    document.language ?? 'en',
  ];
  if (options.form === 'html') headers.push(...PAGE_HEADERS);
  // Anthropic's SDK looks for the id under this name.
  if (options.form === 'anthropic') headers.push('request-id', document.request_id);
  pushUpstream(document.details.upstream, headers);
  // The OpenAI and Anthropic SDKs obey it; without it they send a 429 three times.
  if (!document.retryable) headers.push('x-should-retry', 'false');
  const seconds = document.retry.retry_after_seconds;
  if (seconds !== undefined) headers.push('Retry-After', formatInteger(Math.ceil(seconds)));
  if (options.paymentUrl !== undefined) headers.push('Link', formatPaymentLink(options.paymentUrl));
  if (document.status === 401) headers.push('WWW-Authenticate', formatBearerChallenge(document));
  // RFC 9110 15.5.6: a 405 says what it allows.
  const methods = document.details.allowed_methods;
  if (document.status === 405) headers.push('Allow', methods?.join(', ') ?? '');
  return headers;
}

/** C402-22, LLM-14: which provider said no, and in which words of its own. */
function pushUpstream(upstream: UpstreamNote | undefined, headers: string[]): void {
  if (upstream === undefined) return;
  headers.push('X-Upstream-Provider', toPrintable(upstream.provider));
  const error = upstream.code ?? upstream.message;
  if (error !== undefined) headers.push('X-Upstream-Error', toPrintable(error));
}

/** C402-13, RFC 6750 3: the `error` is given only when a credential was sent. */
function formatBearerChallenge(document: ProblemDocument): string {
  const error = CODES[document.code].bearerError;
  const challenge = `Bearer realm="${REALM}"`;
  return error === undefined ? challenge : `${challenge}, error="${error}"`;
}

function formatPaymentLink(url: string): string {
  return `<${url}>; rel="payment"`;
}

function findTightest(readings: readonly RateLimitReading[]): RateLimitReading | undefined {
  let tightest = readings[0];
  for (const reading of readings) {
    if (tightest === undefined || shareLeft(reading) < shareLeft(tightest)) tightest = reading;
  }
  return tightest;
}

function shareLeft(reading: RateLimitReading): number {
  return reading.policy.quota <= 0 ? 0 : reading.remaining / reading.policy.quota;
}

/** `r` remaining, `t` seconds to the reset. */
function formatReading(
  reading: RateLimitReading,
  nowMs: number,
  retryAfterSeconds: number,
): string {
  const left = `${reading.policy.quotedName};r=${formatInteger(reading.remaining)}`;
  if (reading.resetsAtMs === undefined) return left;
  const seconds = Math.ceil((reading.resetsAtMs - nowMs) / 1000);
  return seconds > retryAfterSeconds ? left : `${left};t=${formatInteger(seconds)}`;
}

/** A structured-field Integer that is not negative. */
function formatInteger(value: number): string {
  if (!(value > 0)) return '0';
  const whole = value > INTEGER_MAX ? INTEGER_MAX : Math.trunc(value);
  if (whole < SMALL_MAX) return String(whole);
  // V8 takes three times as long for the digits of a number that is no small integer as for two that are.
  const high = Math.floor(whole / LOW_SIZE);
  return String(high) + String(LOW_SIZE + (whole - high * LOW_SIZE)).slice(1);
}

/** RFC 9651 3.3.3: printable ASCII; anything else is replaced, so that no name can break the field. */
function quoteString(text: string): string {
  return `"${toPrintable(text).replace(/["\\]/g, '\\$&')}"`;
}

function toPrintable(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}
