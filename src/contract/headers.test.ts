import { describe, expect, test } from 'vitest';

import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { buildProblemHeaders, buildRateLimitHeaders, compileRateLimitPolicy } from './headers.ts';
import type { HeaderList, RateLimitTerms } from './headers.ts';
import { renderProblem } from './dialects.ts';
import { buildProblem } from './problem.ts';
import type { ProblemInput } from './problem-document.ts';

const MONTH: RateLimitTerms = {
  name: 'month',
  quota: 10_000,
  windowSeconds: 2_592_000,
  unit: 'requests',
};
const NOW = 1_700_000_000_000;

function asRecord(headers: HeaderList): Record<string, string> {
  const record: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) {
    record[headers[index] ?? ''] = headers[index + 1] ?? '';
  }
  return record;
}

describe('RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-10', () => {
  test.each<[string, Partial<RateLimitTerms>, string]>([
    ['a window', {}, '"month";q=10000;w=2592000;qu="requests"'],
    ['no window', { windowSeconds: undefined }, '"month";q=10000;qu="requests"'],
    ['quotes and backslashes', { name: 'a"b\\c' }, '"a\\"b\\\\c";q=10000;w=2592000;qu="requests"'],
    [
      'what is not printable ASCII',
      { name: 'a\r\nb\u00e9' },
      '"a??b?";q=10000;w=2592000;qu="requests"',
    ],
    [
      'more than 15 digits',
      { quota: 2 ** 53 },
      '"month";q=999999999999999;w=2592000;qu="requests"',
    ],
    ['a fraction', { quota: 1.5 }, '"month";q=1;w=2592000;qu="requests"'],
    ['nothing', { quota: 0 }, '"month";q=0;w=2592000;qu="requests"'],
  ])('%s', (_case, terms, expected) => {
    expect(compileRateLimitPolicy({ ...MONTH, ...terms }).item).toBe(expected);
  });
});

describe('RFC 9651 3.3.1: an Integer of a structured field', () => {
  const edges = [1, 999_999_999, 1_000_000_000, 1_000_000_007, 1_999_999_999, 123_456_000_000];

  test.each([...edges, 2 ** 40, 999_999_999_999_998, 999_999_999_999_999])('%i', (quota) => {
    const { item, quotaText } = compileRateLimitPolicy({ ...MONTH, quota });
    expect([item.split(';')[1], quotaText]).toEqual([`q=${quota}`, BigInt(quota).toString()]);
  });
});

describe('QUOTA-08: limits on every answer', () => {
  const month = compileRateLimitPolicy(MONTH);
  const minute = compileRateLimitPolicy({ ...MONTH, name: 'minute', quota: 60, windowSeconds: 60 });
  const lifetime = compileRateLimitPolicy({ ...MONTH, name: 'ever', windowSeconds: undefined });

  test('a used-up month', () => {
    const readings = [{ policy: month, remaining: 0, resetsAtMs: NOW + 86_399_001 }];
    expect(asRecord(buildRateLimitHeaders(readings, NOW))).toEqual({
      'RateLimit-Policy': '"month";q=10000;w=2592000;qu="requests"',
      RateLimit: '"month";r=0;t=86400',
      'X-RateLimit-Limit': '10000',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': '1700086400',
    });
  });

  test('several limits: all are listed and the tightest is the one of X-RateLimit', () => {
    const readings = [
      { policy: month, remaining: 5_000, resetsAtMs: NOW + 1_000_000 },
      { policy: minute, remaining: 29, resetsAtMs: NOW + 30_000 },
    ];
    expect(asRecord(buildRateLimitHeaders(readings, NOW))).toEqual({
      'RateLimit-Policy':
        '"month";q=10000;w=2592000;qu="requests", "minute";q=60;w=60;qu="requests"',
      RateLimit: '"month";r=5000;t=1000, "minute";r=29;t=30',
      'X-RateLimit-Limit': '60',
      'X-RateLimit-Remaining': '29',
      'X-RateLimit-Reset': '1700000030',
    });
  });

  test('a limit that never resets has no time', () => {
    const readings = [{ policy: lifetime, remaining: 3, resetsAtMs: undefined }];
    const headers = asRecord(buildRateLimitHeaders(readings, NOW));
    expect(headers['RateLimit']).toBe('"ever";r=3');
    expect(headers).not.toHaveProperty('X-RateLimit-Reset');
  });

  test('a limit of nothing is the tightest, and a window that has just ended gives 0, never less', () => {
    const nothing = compileRateLimitPolicy({ ...MONTH, name: 'none', quota: 0 });
    const readings = [
      { policy: minute, remaining: 1, resetsAtMs: NOW },
      { policy: nothing, remaining: -5, resetsAtMs: NOW - 5_000 },
    ];
    const headers = asRecord(buildRateLimitHeaders(readings, NOW));
    expect(headers['RateLimit']).toBe('"minute";r=1;t=0, "none";r=0;t=0');
    expect(headers['X-RateLimit-Limit']).toBe('0');
  });

  test('Retry-After is never earlier than a t: a later one is left out', () => {
    const readings = [
      { policy: month, remaining: 0, resetsAtMs: NOW + 86_400_000 },
      { policy: minute, remaining: 0, resetsAtMs: NOW + 1_000 },
    ];
    const headers = asRecord(buildRateLimitHeaders(readings, NOW, 1));
    expect(headers['RateLimit']).toBe('"month";r=0, "minute";r=0;t=1');
    expect(headers['X-RateLimit-Reset']).toBe('1700086400');
  });

  test.each([
    ['requests', 'requests'],
    ['bytes', 'content-bytes'],
    ['bytes_in', 'content-bytes'],
    ['bytes_out', 'content-bytes'],
    ['concurrent_requests', 'concurrent-requests'],
    ['tokens', 'tollkeeper-tokens'],
    ['input_tokens', 'tollkeeper-input-tokens'],
    ['storage_bytes', 'tollkeeper-storage-bytes'],
    ['compute_units', 'tollkeeper-compute-units'],
    ['nano', 'tollkeeper-nano'],
    ['toString', 'tollkeeper-tostring'],
  ])('QUOTA-01: a limit on %s has the quota unit %s', (unit, expected) => {
    expect(compileRateLimitPolicy({ ...MONTH, unit }).item).toContain(`;qu="${expected}"`);
  });

  test('without limits there is nothing to say', () => {
    expect(buildRateLimitHeaders([], NOW)).toEqual([]);
  });
});

describe('headers of a refusal', () => {
  const BASE = { requestId: 'req_1', baseUrl: 'https://gate.example' };
  function headersOf(input: Omit<ProblemInput, 'requestId' | 'baseUrl'>, paymentUrl?: string) {
    const options = { contentType: 'application/problem+json' };
    const document = buildProblem({ ...BASE, ...input });
    return asRecord(
      buildProblemHeaders(
        document,
        paymentUrl === undefined ? options : { ...options, paymentUrl },
      ),
    );
  }

  test('DESIGN 4: a used-up quota with a pay page', () => {
    const headers = headersOf(
      { code: 'REQUEST_QUOTA_EXCEEDED', resetsAt: '2026-12-01T00:00:00Z' },
      'https://gate.example/pay/pl_1',
    );
    expect(headers).toEqual({
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Request-Id': 'req_1',
      'X-402-Version': '1',
      Vary: 'Accept, Accept-Language',
      'Content-Language': 'en',
      'x-should-retry': 'false',
      Link: '<https://gate.example/pay/pl_1>; rel="payment"',
    });
  });

  test('C402-10: a page may load its own style and a logo, and nothing else', () => {
    const document = buildProblem({ ...BASE, code: 'KEY_MISSING' });
    const page = renderProblem(document, 'html');
    const headers = asRecord(buildProblemHeaders(document, page));
    expect(headers['Content-Security-Policy']).toMatch(/^default-src 'none'; style-src/);
    expect(headers['X-Content-Type-Options']).toBe('nosniff');
    expect(headersOf({ code: 'KEY_MISSING' })).not.toHaveProperty('Content-Security-Policy');
  });

  test("Anthropic's SDK finds the request id", () => {
    const document = buildProblem({ ...BASE, code: 'KEY_MISSING' });
    const headers = asRecord(buildProblemHeaders(document, renderProblem(document, 'anthropic')));
    expect(headers['request-id']).toBe('req_1');
    expect(headersOf({ code: 'KEY_MISSING' })).not.toHaveProperty('request-id');
  });

  test('C402-27: the language of the message is named', () => {
    const document = buildProblem({ ...BASE, code: 'KEY_MISSING', language: 'de' });
    const headers = asRecord(buildProblemHeaders(document, renderProblem(document, 'plain')));
    expect(headers).toMatchObject({ 'Content-Language': 'de', Vary: 'Accept, Accept-Language' });
  });

  test('C402-22, LLM-14: a provider is named with its own code, or else its own words, on one line', () => {
    const upstream = { provider: 'OpenAI', code: 'insufficient_quota', message: 'x' };
    const code = 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED';
    expect(headersOf({ code, details: { upstream } })).toMatchObject({
      'X-Upstream-Provider': 'OpenAI',
      'X-Upstream-Error': 'insufficient_quota',
    });
    const wordy = { provider: 'Ma\u00dflos', message: 'no\r\nX-Evil: 1' };
    expect(headersOf({ code, details: { upstream: wordy } })).toMatchObject({
      'X-Upstream-Provider': 'Ma?los',
      'X-Upstream-Error': 'no??X-Evil: 1',
    });
    const silent = headersOf({ code, details: { upstream: { provider: 'OpenAI' } } });
    expect(silent).not.toHaveProperty('X-Upstream-Error');
  });

  test.each<[Code, string]>([
    ['KEY_MISSING', 'Bearer realm="tollkeeper"'],
    ['KEY_UNKNOWN', 'Bearer realm="tollkeeper", error="invalid_token"'],
    ['KEY_REVOKED', 'Bearer realm="tollkeeper", error="invalid_token"'],
    ['KEY_EXPIRED', 'Bearer realm="tollkeeper", error="invalid_token"'],
  ])('C402-13: %s challenges with %s', (code, expected) => {
    expect(headersOf({ code })['WWW-Authenticate']).toBe(expected);
  });

  test('C402-18: a 429 says when to come back and may be repeated', () => {
    const headers = headersOf({ code: 'RATE_LIMITED', retryAfterSeconds: 2.1 });
    expect(headers['Retry-After']).toBe('3');
    expect(headers).not.toHaveProperty('x-should-retry');
  });

  test('a storm of repeated calls says when to come back and not to repeat', () => {
    const headers = headersOf({ code: 'PAYMENT_RETRY_STORM', retryAfterSeconds: 30 });
    expect(headers).toMatchObject({ 'Retry-After': '30', 'x-should-retry': 'false' });
  });

  test('RFC 9110 15.5.6: a 405 says what it allows', () => {
    const details = { allowed_methods: ['GET', 'POST'] };
    expect(headersOf({ code: 'METHOD_NOT_ALLOWED', details })['Allow']).toBe('GET, POST');
    expect(headersOf({ code: 'METHOD_NOT_ALLOWED' })['Allow']).toBe('');
  });

  test.each(Object.keys(CODES) as Code[])(
    'C402-20, C402-21: %s is not stored, and retried only if that can help',
    (code) => {
      const headers = headersOf({ code });
      const { retryable, status } = buildProblem({ ...BASE, code });
      expect(headers['Cache-Control']).toBe('no-store');
      expect(headers['x-should-retry']).toBe(retryable ? undefined : 'false');
      expect(Object.hasOwn(headers, 'WWW-Authenticate')).toBe(status === 401);
      expect(headers).not.toHaveProperty('Retry-After');
    },
  );
});
