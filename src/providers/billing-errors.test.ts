import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { classifyBillingError, type ProviderAnswer } from './billing-errors.ts';
import { findProvider } from './provider-directory.ts';

interface Row {
  readonly id: string;
  readonly provider: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly class: string;
}
const FIXTURE = new URL('./__fixtures__/billing-errors.json', import.meta.url);
const { rows } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { rows: readonly Row[] };

/** Nothing in the answer tells them from a caller that is too fast: only the operator's own settings do. */
const INDISTINGUISHABLE: ReadonlyMap<string, string> = new Map([
  ['cloudflare-429-spend', 'rate_limited'],
  ['envoy-ai-429', 'rate_limited'],
]);

function answerOf({ status, headers, body }: Row): ProviderAnswer {
  return { status, headers: new Map(Object.entries(headers)), body };
}
const classify = (answer: Partial<ProviderAnswer>) =>
  classifyBillingError({ status: 402, headers: new Map(), body: '', ...answer });

describe('LLM-14, DIAG-06: what an upstream answer says about money', () => {
  it.each(rows)('$id', (row) => {
    const expected = INDISTINGUISHABLE.get(row.id) ?? row.class;
    expect(classifyBillingError(answerOf(row))?.kind).toBe(expected);
  });

  it.each(rows)('$id: names the provider or nobody, never another one', (row) => {
    const found = classifyBillingError(answerOf(row))?.provider;
    if (found === undefined) return;
    expect(`${row.provider} new-api one-api`).toContain(found);
  });

  it('an answer that worked is none', () => {
    expect(classify({ status: 200, body: { choices: [] } })).toBeUndefined();
    expect(classify({ status: 500, body: { error: { message: 'no balance' } } })).toBeUndefined();
  });

  it('an error inside a stream that began as a 200 is known by its code or words', () => {
    const inside = (error: unknown) => classify({ status: 200, body: { error } })?.kind;
    expect(inside({ type: 'insufficient_quota', message: 'You exceeded your current quota' })).toBe(
      'credit_exhausted',
    );
    expect(inside({ code: '1113' })).toBe('credit_exhausted');
    expect(inside({ message: 'Insufficient Balance' })).toBe('credit_exhausted');
    expect(inside({ message: 'The server had an error' })).toBeUndefined();
  });

  it('a machine price is one, whoever asks it', () => {
    const headers = new Map([['www-authenticate', 'L402 macaroon="x", invoice="lnbc1"']]);
    expect(classify({ headers })?.kind).toBe('l402_challenge');
    expect(classify({ headers: new Map([['payment-required', 'eyJ9']]) })?.kind).toBe(
      'x402_challenge',
    );
  });

  it('reads hostile bodies without harm', () => {
    for (const body of [
      null,
      [],
      7,
      { error: [] },
      { error: null },
      JSON.parse('{"__proto__":{"code":"x402"}}'),
    ]) {
      expect(classify({ status: 402, body })?.kind).toBe('credit_exhausted');
    }
    const long = classify({ body: 'x'.repeat(1_000_000) });
    expect(long?.message).toHaveLength(2000);
  });
});

describe('the directory of providers', () => {
  it.each([
    ['https://api.openai.com/v1', 'OpenAI'],
    ['https://my-team.openai.azure.com/x', 'Azure OpenAI'],
    ['https://bedrock-runtime.us-east-1.amazonaws.com', 'Amazon Bedrock'],
    ['openai', 'OpenAI'],
    ['xAI', 'xAI'],
    ['http://127.0.0.1:9000', undefined],
    ['https://api.openai.com.evil.example', undefined],
    ['', undefined],
  ])('%s is %s', (text, name) => {
    expect(findProvider(text)?.name).toBe(name);
  });
});
