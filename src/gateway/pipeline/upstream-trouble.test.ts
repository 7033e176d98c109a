import { describe, expect, it } from 'vitest';

import { findMoneyTrouble, type UpstreamRefusal } from './upstream-trouble.ts';

function trouble(status: number, body: unknown, members: Partial<UpstreamRefusal> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return findMoneyTrouble({
    status,
    headers: ['Content-Type', 'application/json'],
    body: Buffer.from(text),
    target: 'http://127.0.0.1:9000/v1',
    upstreamId: 'main',
    ...members,
  });
}

const OPENAI_QUOTA = {
  error: {
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    param: null,
    code: 'insufficient_quota',
  },
};

describe("the upstream's own money (C402-22, LLM-14)", () => {
  it('is told by provider, status, code and message', () => {
    expect(trouble(429, OPENAI_QUOTA, { target: 'https://api.openai.com/v1' })).toEqual({
      code: 'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
      problem: 'the upstream answered 429 for its own billing reasons',
      pointer: undefined,
      upstream: {
        provider: 'OpenAI',
        status: 429,
        code: 'insufficient_quota',
        message: OPENAI_QUOTA.error.message,
      },
    });
  });

  it('any 402 is about money, whatever it says', () => {
    expect(trouble(402, 'pay me, gateway')?.upstream).toMatchObject({
      provider: 'main',
      status: 402,
    });
    expect(trouble(402, '')?.upstream).toMatchObject({ provider: 'main', status: 402 });
  });

  it.each([
    [429, { error: { message: 'Rate limit reached for requests', code: 'rate_limit_exceeded' } }],
    [400, { error: { message: "Tool schema error: property 'balance' must be a number" } }],
    [500, 'internal error'],
    [401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } }],
  ])('a %d that is not about money is none of it', (status, body) => {
    expect(trouble(status, body)).toBeUndefined();
  });

  it('a long message is cut, and what is behind the bound is not read', () => {
    const body = { error: { message: 'x'.repeat(1000), code: 'insufficient_quota' } };
    expect(trouble(402, body)?.upstream?.message).toHaveLength(300);
    expect(trouble(402, 'y'.repeat(1_000_000))?.upstream?.status).toBe(402);
  });
});
