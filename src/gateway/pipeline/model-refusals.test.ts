import { describe, expect, it } from 'vitest';

import { buildModel } from '../../../test/support/build-catalog.ts';
import type { MemoryResponse } from '../../../test/support/memory-exchange.ts';
import type { MemoryGateway } from '../../../test/support/memory-gateway.ts';
import { bodyOf, open, type Setting } from '../../../test/support/pipeline-setting.ts';

const SETTING: Setting = {
  routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
  plan: { models: ['*'] },
  catalog: { models: new Map([['m', buildModel('m')]]) },
};
const JSON_HEADERS = ['Content-Type', 'application/json'];
const EVENTS = ['Content-Type', 'text/event-stream'];

interface Answered {
  readonly response: MemoryResponse;
  readonly gateway: MemoryGateway;
}

/** A call of a model whose provider answers this. */
async function callOf(answer: Partial<MemoryGateway['answer']>, stream = false): Promise<Answered> {
  const gateway = open(SETTING);
  gateway.answer = { status: 200, headers: stream ? EVENTS : JSON_HEADERS, body: '', ...answer };
  const messages = [{ role: 'user', content: 'hi' }];
  const body = { model: 'm', max_tokens: 5, messages, stream };
  return { response: await gateway.call({ path: '/', body }), gateway };
}

function expectFree({ gateway }: Answered): void {
  expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
}

describe("LLM-19: a provider's refusal inside a 200 is none, and costs nothing", () => {
  it.each<[string, object, number, string]>([
    [
      'MiniMax without money',
      { choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
      503,
      'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
    ],
    [
      'an error that says 402',
      { error: { code: 402, message: 'Insufficient credits' } },
      503,
      'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
    ],
    ['an error', { error: { code: 502, message: 'Provider error' } }, 502, 'UPSTREAM_FAILED'],
    ['an error that is a text', { error: 'no' }, 502, 'UPSTREAM_FAILED'],
    [
      "an error in place of a choice's text, as OpenRouter's",
      { choices: [{ finish_reason: 'error', error: { code: 502, message: 'Provider error' } }] },
      502,
      'UPSTREAM_FAILED',
    ],
    [
      'the same without money',
      { choices: [{ finish_reason: 'error', error: { message: 'Insufficient credits' } }] },
      503,
      'UPSTREAM_PROVIDER_QUOTA_EXHAUSTED',
    ],
  ])('%s, whole or as the first event', async (_what, said, status, code) => {
    const whole = await callOf({ body: JSON.stringify(said) });
    expect([whole.response.status, bodyOf(whole.response).code]).toEqual([status, code]);
    expectFree(whole);
    const body = `data: ${JSON.stringify(said)}\n\ndata: [DONE]\n\n`;
    const first = await callOf({ body }, true);
    expect([first.response.status, bodyOf(first.response).code]).toEqual([status, code]);
    expectFree(first);
    const unended = await callOf({ body: `data: ${JSON.stringify(said)}` }, true);
    expect([unended.response.status, bodyOf(unended.response).code]).toEqual([status, code]);
  });

  it('a stream that has begun ends with an event that says so', async () => {
    const gateway = open(SETTING);
    const error = { error: { code: 402, message: 'Insufficient credits' } };
    const role = { choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] };
    const events = [role, error].map((event) => `data: ${JSON.stringify(event)}\n\n`);
    gateway.answer = { status: 200, headers: EVENTS, body: events };
    const messages = [{ role: 'user', content: 'hi' }];
    const body = { model: 'm', max_tokens: 5, messages, stream: true };
    const response = await gateway.call({ path: '/', body });
    expect([response.status, response.ended]).toEqual([200, true]);
    expect(response.body.startsWith(events[0] ?? '')).toBe(true);
    expect(response.body).toContain('UPSTREAM_PROVIDER_QUOTA_EXHAUSTED');
    expect(response.body).not.toContain('"code":402');
    expectFree({ response, gateway });
  });

  it.each([
    ['in one piece', (events: readonly string[]) => events.join('')],
    ['event by event', (events: readonly string[]) => events],
  ])(
    "want of the operator's money after some text, %s: the text is charged, and ours is said",
    async (_what, sent) => {
      const text = { choices: [{ index: 0, delta: { content: 'hello' } }] };
      const error = { error: { code: 402, message: 'Insufficient credits of org-SECRET' } };
      const events = [text, error].map((event) => `data: ${JSON.stringify(event)}\n\n`);
      const body = sent([...events, 'data: [DONE]\n\n']);
      const { response, gateway } = await callOf({ body }, true);
      expect(response.ended).toBe(true);
      expect(response.body.startsWith(events[0] ?? '')).toBe(true);
      expect(response.body).toContain('UPSTREAM_PROVIDER_QUOTA_EXHAUSTED');
      expect(response.body).not.toContain('"code":402');
      expect(response.body).not.toContain('[DONE]');
      expect(gateway.facts.outcome).toMatchObject({ ending: 'cut', outputTokens: 2 });
      expect(gateway.engine.openUnits).toBe(0);
    },
  );

  it.each<[string, Partial<MemoryGateway['answer']>, number]>([
    ['the page of a proxy', { headers: ['Content-Type', 'text/html'], body: '<html></html>' }, 502],
    ['nothing', {}, 502],
    ['a 204', { status: 204 }, 502],
    ['half an answer', { body: '{"choices":[{"message":{"content":"hel' }, 502],
    ['words', { body: '{"detail":"not ready"}' }, 502],
    ['an error in a shape of its own', { body: '{"code":"Arrearage","message":"x"}' }, 503],
    ['a list', { body: '[{"error":{"message":"Insufficient Balance"}}]' }, 503],
  ])('%s is no answer, and costs nothing', async (_what, answer, status) => {
    const answered = await callOf(answer);
    expect(answered.response.status).toBe(status);
    expectFree(answered);
    expect(answered.gateway.facts.outcome?.inputTokens).toBe(0);
  });

  it.each<[string, Partial<MemoryGateway['answer']>, string]>([
    ['503 without a word', { status: 503 }, '5'],
    [
      '529',
      { status: 529, body: '{"error":{"type":"overloaded_error","message":"Overloaded"}}' },
      '5',
    ],
    ['503 that says when', { status: 503, headers: ['Retry-After', '17'] }, '17'],
    ['503 that says for days', { status: 503, headers: ['Retry-After', '99999'] }, '3600'],
    ['an overload inside a 200', { body: '{"error":{"type":"overloaded_error"}}' }, '5'],
  ])(
    'an overload of the provider, %s, is 503 with its time, and costs nothing',
    async (_what, answer, wait) => {
      const answered = await callOf(answer);
      const { response } = answered;
      expect([response.status, bodyOf(response).code]).toEqual([503, 'UPSTREAM_UNAVAILABLE']);
      expect(response.header('retry-after')).toBe(wait);
      expectFree(answered);
    },
  );

  it('a stream whose type is not said is not given away unmetered', async () => {
    const body = `data: ${JSON.stringify({ choices: [{ delta: { content: 'hello' } }] })}\n\n`;
    const answered = await callOf({ headers: [], body }, true);
    expect([answered.response.status, bodyOf(answered.response).code]).toEqual([
      502,
      'UPSTREAM_FAILED',
    ]);
    expect(answered.response.body).not.toContain('hello');
  });

  it.each([
    ['ends at once', '', 502],
    ['only ends', 'data: [DONE]\n\n', 502],
    ['is an error that is no event', '{"error":{"message":"Insufficient Balance"}}', 503],
    ['is an error of words', 'event: error\ndata: {"message":"Insufficient Balance"}\n\n', 503],
    ['is an error of text', 'data: all balances exhausted or unavailable\n\n', 502],
    ['only says that it lives', ': ping\n\n\n', 200],
  ])('a stream that %s is no answer, and costs nothing', async (_what, body, status) => {
    const answered = await callOf({ body }, true);
    expect(answered.response.status).toBe(status);
    expect(answered.response.body).toMatch(/UPSTREAM_(FAILED|PROVIDER_QUOTA_EXHAUSTED)/);
    expectFree(answered);
    expect(answered.gateway.facts.outcome?.inputTokens).toBe(0);
  });

  it('a redirection is followed by nobody, and charged to nobody', async () => {
    const headers = ['Location', 'http://127.0.0.1:1/x'];
    const answered = await callOf({ status: 307, headers });
    expect(answered.response.status).toBe(502);
    expect(bodyOf(answered.response).code).toBe('UPSTREAM_FAILED');
    expect(answered.response.header('location')).toBeUndefined();
    expectFree(answered);
  });

  it('an answer that only has no usage is one, and is charged', async () => {
    const body = JSON.stringify({ choices: [{ message: { content: 'hello' } }], error: null });
    const { response, gateway } = await callOf({ body });
    expect([response.status, response.body]).toEqual([200, body]);
    expect(gateway.facts.outcome?.estimated).toBe(true);
  });
});

describe("LLM-18: nothing of the operator's account is shown", () => {
  const ACCOUNT = [
    ...['openai-organization', 'org-SECRET', 'Set-Cookie', '__cf_bm=abc'],
    ...['X-RateLimit-Limit-Requests', '5000', 'x-ratelimit-remaining-tokens', '7'],
    ...['anthropic-ratelimit-input-tokens-reset', '2027-01-01T00:00:00Z'],
  ];
  const hasAccount = ({ headers, body }: MemoryResponse) =>
    /SECRET|cf_bm|limit-requests|anthropic|remaining-tokens/i.test(headers.join('\n') + body);

  it('its 429 is ours, with the time to wait', async () => {
    const message = 'Rate limit reached for organization org-SECRET on tokens per min';
    const body = JSON.stringify({ error: { message, code: 'rate_limit_exceeded' } });
    const headers = [...JSON_HEADERS, ...ACCOUNT, 'Retry-After', '7'];
    const answered = await callOf({ status: 429, headers, body });
    const { response } = answered;
    expect([response.status, bodyOf(response).code]).toEqual([429, 'RATE_LIMITED']);
    expect(response.header('retry-after')).toBe('7');
    expect(bodyOf(response).details.upstream).toEqual({
      provider: 'demo',
      status: 429,
      code: 'rate_limit_exceeded',
    });
    expect(hasAccount(response)).toBe(false);
    expectFree(answered);
    const within = await callOf({ body: JSON.stringify({ base_resp: { status_code: 1002 } }) });
    expect(within.response.status).toBe(429);
    expect(within.response.header('retry-after')).toBe('1');
  });

  it.each([
    ['a date', 'Sun, 22 Nov 2026 10:00:42 GMT', '42'],
    ['a date that is over', 'Sun, 22 Nov 2026 09:00:00 GMT', '1'],
    ['a fraction', '1.2', '2'],
    ['no time', 'soon', '1'],
    ['a day', '86400', '3600'],
  ])('its time to wait may be %s', async (_what, told, seconds) => {
    const headers = ['Date', 'Sun, 22 Nov 2026 10:00:00 GMT', 'Retry-After', told];
    const { response } = await callOf({ status: 429, headers, body: '{}' });
    expect([response.status, response.header('retry-after')]).toEqual([429, seconds]);
  });

  it('being too fast is told as such, also where the provider says 403', async () => {
    const body = '[rate_limiting] API rate limit of day exceeded';
    const { response } = await callOf({ status: 403, body });
    expect([response.status, bodyOf(response).code]).toEqual([429, 'RATE_LIMITED']);
  });

  it.each([
    ['a call that is too long', 'Input token count + max_tokens parameter must be less than 8192'],
    ['content it refuses', 'm requires moderation on X. Your input was flagged for "violence".'],
  ])("a 403 about %s is about the call, and not the operator's key", async (_what, message) => {
    const body = JSON.stringify({ error: { message, code: 403 } });
    const answered = await callOf({ status: 403, headers: JSON_HEADERS, body });
    expect([answered.response.status, answered.response.body]).toEqual([403, body]);
    expectFree(answered);
    const other = await callOf({ status: 403, body: '{"error":{"message":"no access"}}' });
    expect([other.response.status, bodyOf(other.response).code]).toEqual([502, 'UPSTREAM_FAILED']);
  });

  it.each([
    ['an answer', 200],
    ['a refusal that is about the call', 400],
  ])('%s is without it', async (_what, status) => {
    const headers = [...JSON_HEADERS, ...ACCOUNT, 'X-Model-Own', 'yes'];
    const body = JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: 1 } });
    const { response } = await callOf({ status, headers, body });
    expect([response.status, response.body]).toEqual([status, body]);
    expect(hasAccount(response)).toBe(false);
    expect(response.header('x-model-own')).toBe('yes');
  });
});
