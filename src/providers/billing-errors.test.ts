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

  it.each<[number, unknown, string]>([
    [400, { error: { code: 'insufficient_balance' } }, 'credit_exhausted'],
    [401, { error: { code: 'out_of_credits' } }, 'credit_exhausted'],
    [403, { detail: 'Not enough credits' }, 'credit_exhausted'],
    [429, { error: { message: 'Your account balance is insufficient' } }, 'credit_exhausted'],
    [403, { error: { message: '账户余额不足' } }, 'credit_exhausted'],
    [403, { message: 'Your account has an outstanding balance' }, 'payment_overdue'],
    [402, { error: { code: 'invoice_overdue' } }, 'payment_overdue'],
    [402, { error: { code: 'card_declined' } }, 'payment_method_invalid'],
    [402, { error: { message: 'Add a payment method to go on' } }, 'payment_method_invalid'],
    [402, { error: { message: 'Daily free quota exhausted' } }, 'plan_quota_exhausted'],
    [402, { error: { code: 'spending_limit_exceeded' } }, 'spend_limit'],
    [403, { error: { message: 'Account suspended: payment failed' } }, 'account_suspended'],
    [403, { error: 'This model requires a paid plan' }, 'not_purchased'],
    [429, { error: { code: 'monthly_budget_exhausted' } }, 'downstream_budget'],
    [429, { error: { message: 'ExceededTokenBudget: Current spend: 5' } }, 'downstream_budget'],
  ])('%i %j says it in common words: %s', (status, body, kind) => {
    expect(classify({ status, body })?.kind).toBe(kind);
  });

  it.each<[number, unknown, string]>([
    [400, { error: { message: "'messages[0]': insufficient balance of brackets" } }, 'bad_request'],
    [400, { error: { message: 'Not enough credits is no valid title' } }, 'bad_request'],
    [403, { error: { message: 'The model is not available in your country' } }, 'auth'],
    [429, { error: { message: 'Too many requests, your plan allows 5 a second' } }, 'rate_limited'],
    [429, { error: { message: 'Daily limit of requests reached' } }, 'rate_limited'],
  ])('%i %j is about the request: %s', (status, body, kind) => {
    expect(classify({ status, body })?.kind).toBe(kind);
  });

  it('Google: the quota of a day is found wherever it stands among the details', () => {
    const violations = ['GenerateTokensPerModelPerMinute', 'GenerateRequestsPerDayPerProject'];
    const failure = { violations: violations.map((quotaId) => ({ quotaId })) };
    const error = { code: 429, status: 'RESOURCE_EXHAUSTED', details: [{}, {}, failure] };
    expect(classify({ status: 429, body: { error } })?.kind).toBe('plan_quota_exhausted');
  });

  it('a machine price is one, whoever asks it', () => {
    const headers = new Map([['www-authenticate', 'L402 macaroon="x", invoice="lnbc1"']]);
    expect(classify({ headers })?.kind).toBe('l402_challenge');
    const second = new Map([['www-authenticate', 'Payment id="1", L402 macaroon="x"']]);
    expect(classify({ headers: second })?.kind).toBe('l402_challenge');
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
