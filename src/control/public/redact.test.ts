import { describe, expect, it } from 'vitest';

import type { Upstream } from '../../domain/catalog.ts';
import { createRedact, redactAll } from './redact.ts';

const UPSTREAM: Upstream = {
  id: 'main',
  targets: [],
  health: { path: undefined, intervalMs: 1, timeoutMs: 1, unhealthyAfter: 1, healthyAfter: 1 },
  credentials: [
    { name: 'authorization', value: 'Bearer plantedCredential123' },
    { name: 'x-short', value: 'abc' },
  ],
};
const redact = createRedact({ upstreams: new Map([['main', UPSTREAM]]) });

describe('DIAG-08: secrets are taken out of texts', () => {
  it.each([
    ['an upstream credential', 'got plantedCredential123 back', 'got [removed] back'],
    ['one inside another word', 'xplantedCredential123y', 'x[removed]y'],
    [
      'a key of ours, to what people see of it',
      'tk_live_0123456789abcdefghijABCDEFGHIJ012345 is wrong',
      'tk_live_...2345 is wrong',
    ],
    ['a header', 'Authorization: Bearer abc', 'Authorization: [removed]'],
    ['a bearer token', 'sent Bearer abc.def-ghi_jkl= to it', 'sent Bearer [removed] to it'],
    ['a payment', 'Payment abcdefg1hij', 'Payment [removed]'],
    [
      'a provider key',
      'Incorrect API key provided: sk-proj-abcdefghijklmnop1234',
      'Incorrect API key provided: [removed]',
    ],
    [
      'a JSON Web Token',
      'token was eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
      'token was [removed]',
    ],
    ['one behind a hyphen', 'the id-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'the [removed]'],
    ['credentials of an address', 'https://user:pass@host.example/v1', 'https://host.example/v1'],
    ['cookies', 'Cookie: session=abc123; other=1\nHost: x', 'Cookie: [removed]\nHost: x'],
    ['a parameter', '/x?api_key=abc&page=2', '/x?api_key=[removed]&page=2'],
    ['a member of JSON', '{"password":"hunter2","n":1}', '{"password":"[removed]","n":1}'],
  ])('%s', (_title, text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it.each([
    'req_01a1fe2df764700099dc0de303995029',
    'key_0199e0a7c3f87a1b8c2d3e4f5a6b7c8d of ten_0199e0a7c3f87a1b8c2d3e4f5a6b7c8d',
    '1,204 input tokens and 350 output tokens',
    'TOKEN_QUOTA_EXCEEDED',
    'abc',
    'the payment token is missing',
    'payment disputed',
    'Payment has to be authorised again',
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('at any depth of a value, and nothing but texts', () => {
    const value = { a: ['sk-abcdefghijklmnopqrst', 7, null, { b: true }], c: undefined };
    expect(redactAll(value, redact)).toEqual({
      a: ['[removed]', 7, null, { b: true }],
      c: undefined,
    });
  });

  it('reads long hostile texts in a moment', () => {
    const began = performance.now();
    for (const part of ['sk-', '://', 'cookie=', 'eyJ-', 'a-eyJaaaaaaaa.', 'eyJ']) {
      const text = part.repeat(140_000 / part.length);
      expect(redact(text).length).toBeLessThanOrEqual(text.length + 20_000 * 10);
    }
    // It takes tens of milliseconds; reading on from each of its characters took half a minute.
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
