import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  callForm,
  callJson,
  callPage,
  HTML,
  type PageAnswer,
} from '../../../test/support/call-pages.ts';
import { startPublicPages, type PublicPages } from '../../../test/support/start-public-pages.ts';
import { type Code, CODES } from '../../contract/codes.ts';
import { type ProblemForm, renderProblem, renderProblemEvent } from '../../contract/dialects.ts';
import { buildProblem } from '../../contract/problem.ts';
import { PASTE_BYTES_MAX } from './diagnose-page.ts';
import { readPastedAnswer } from './pasted-answer.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());

const REQUEST = 'req_01a1fe2df764700099dc0de303995029';
const RESET = '2026-12-01T00:00:00Z';
const problem = (code: Code) =>
  buildProblem({
    code,
    requestId: REQUEST,
    baseUrl: 'https://gateway.example',
    resolutionUrl: 'https://gateway.example/pay/pl_x',
    explainUrl: `https://gateway.example/r/${REQUEST}?s=abc`,
    resetsAt: RESET,
    details: { current_usage: 10, allowed_usage: 10, scope: 'tenant', unit: 'requests' },
  });
const ask = (body: object): Promise<PageAnswer> => callJson(pages, '/v1/diagnose', body);
const paste = async (response: string) => (await ask({ response })).json;

describe('DIAG-02: an answer of this gateway', () => {
  it.each<ProblemForm>([
    'plain',
    'openai',
    'anthropic',
    'gemini',
    'jsonrpc',
    'xml',
    'html',
    'text',
  ])('is understood in the form %s', async (form) => {
    const { body } = renderProblem(problem('REQUEST_QUOTA_EXCEEDED'), form);
    expect(await paste(body)).toMatchObject({
      recognised: 'tollkeeper',
      status: 402,
      code: 'REQUEST_QUOTA_EXCEEDED',
      title: 'Request quota used up',
      cause: expect.stringContaining('10 of 10 requests'),
      blame: 'account',
      retry: { helps: true, text: 'Not before 2026-12-01 00:00 UTC.' },
      request_id: REQUEST,
      documentation_url: `${pages.origin}/errors/REQUEST_QUOTA_EXCEEDED`,
      explain_url: expect.stringContaining(`/r/${REQUEST}`),
    });
  });

  it('is understood as an event of a stream, and with the head that curl prints', async () => {
    const document = problem('INSUFFICIENT_CREDITS');
    expect(await paste(renderProblemEvent(document, 'openai'))).toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
    });
    const { body } = renderProblem(document, 'plain');
    const head = [
      'HTTP/1.1 100 Continue',
      '',
      'HTTP/1.1 402 Payment Required',
      'content-type: application/problem+json',
      'RateLimit: "month";r=0;t=86400',
      'Retry-After: 5',
      'x-should-retry: false',
      'x-unknown: 1',
      '',
      body,
    ].join('\r\n');
    const said = await paste(head);
    expect(said).toMatchObject({ status: 402, code: 'INSUFFICIENT_CREDITS' });
    expect(said['headers']).toEqual([
      { name: 'retry-after', value: '5', meaning: 'Wait 5 seconds before the next try.' },
      {
        name: 'x-should-retry',
        value: 'false',
        meaning: 'Do not repeat the call: SDKs obey this.',
      },
      {
        name: 'ratelimit',
        value: '"month";r=0;t=86400',
        meaning: '0 left of month, full again in 86,400 s.',
      },
    ]);
  });

  it.each(Object.keys(CODES) as Code[])(
    '%s: says the cause, the retry and what to do',
    async (code) => {
      const said = await paste(JSON.stringify(problem(code)));
      expect(said).toMatchObject({ recognised: 'tollkeeper', code, status: CODES[code].status });
      expect(said['actions']).not.toEqual([]);
      expect(said['blame']).not.toBe('unknown');
    },
  );

  it.each([
    [
      'a log line',
      `WARN upstream: 402 INSUFFICIENT_CREDITS for ${REQUEST}`,
      'INSUFFICIENT_CREDITS',
    ],
    ['another name', 'Error: CREDITS_EXHAUSTED', 'INSUFFICIENT_CREDITS'],
    [
      'an SDK',
      `PaymentRequiredError: 402 ${JSON.stringify(problem('MODEL_NOT_IN_PLAN'))}`,
      'MODEL_NOT_IN_PLAN',
    ],
  ])('is found in %s', async (_title, text, code) => {
    expect(await paste(text)).toMatchObject({ recognised: 'tollkeeper', code });
  });

  it('its link to pay is offered, and nothing that is no web address', async () => {
    const document = problem('INSUFFICIENT_CREDITS');
    const said = await paste(JSON.stringify(document));
    expect((said['actions'] as object[])[0]).toMatchObject({
      action: 'buy_credits',
      url: 'https://gateway.example/pay/pl_x',
    });
    const evil = { ...document, resolution_url: 'javascript:alert(1)' };
    const page = await callForm(pages, '/diagnose', { response: JSON.stringify(evil) });
    expect(page.text).not.toContain('javascript:');
  });
});

describe('DIAG-02, DIAG-06: an answer of somebody else', () => {
  interface Row {
    readonly id: string;
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
    readonly retry: string;
  }
  const fixture = new URL('../../providers/__fixtures__/billing-errors.json', import.meta.url);
  const { rows } = JSON.parse(readFileSync(fixture, 'utf8')) as { rows: readonly Row[] };
  /** Only settings of the operator tell them from a caller that is too fast. */
  const AMBIGUOUS = new Set([
    'cloudflare-429-spend',
    'envoy-ai-429',
    'tensorzero-429',
    'bedrock-service-quota',
  ]);

  it.each(rows)('$id: cause, whether retrying helps, and actions', async (row) => {
    const { status, headers, body } = row;
    const { json } = await ask({ status, headers, body });
    expect(json).toMatchObject({ status });
    expect(String(json['cause'])).toMatch(/^[A-Z].+/);
    expect(json['actions']).not.toEqual([]);
    if (AMBIGUOUS.has(row.id)) return;
    expect((json['retry'] as { helps: boolean }).helps).toBe(row.retry === 'after');
  });

  it('names the provider with its status page and documentation, and what it said', async () => {
    const body = {
      error: { type: 'insufficient_quota', message: 'You exceeded your current quota' },
    };
    expect((await ask({ status: 429, body })).json).toMatchObject({
      recognised: 'provider',
      code: 'insufficient_quota',
      title: 'The account at the provider is out of credit',
      blame: 'account',
      retry: { helps: false },
      provider: { name: 'OpenAI', status_url: 'https://status.openai.com' },
      cause: expect.stringContaining('It said: "You exceeded your current quota"'),
    });
  });

  it('a body alone is enough where the provider has words of its own', async () => {
    const body =
      '{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access"}}';
    expect(await paste(body)).toMatchObject({
      recognised: 'provider',
      provider: { name: 'Anthropic' },
    });
  });

  it('says that it does not know what it does not know', async () => {
    expect(await paste('hello')).toMatchObject({ recognised: 'nothing', actions: [] });
    expect(await paste('HTTP/1.1 200 OK\n\n{}')).toMatchObject({
      recognised: 'status',
      blame: 'nobody',
    });
    expect(await paste('HTTP/1.1 500 Oops\n\n<html>')).toMatchObject({
      recognised: 'status',
      blame: 'operator',
    });
  });

  it('waits as long as Retry-After says', async () => {
    const { json } = await ask({ status: 429, headers: { 'Retry-After': '21' }, body: '' });
    expect(json['retry']).toEqual({ helps: true, text: 'Yes, in 21 s, not sooner.' });
  });
});

describe('the form', () => {
  it('works without a script, keeps nothing and shows nothing of what was pasted as markup', async () => {
    expect((await callPage(pages, '/diagnose', { accept: HTML })).text).toContain('<textarea');
    const document = {
      ...problem('INSUFFICIENT_CREDITS'),
      message: '<img src=x onerror=alert(1)>',
    };
    const page = await callForm(pages, '/diagnose', {
      response: `Authorization: Bearer plantedSecret123\n\n${JSON.stringify(document)}`,
    });
    expect(page.status).toBe(200);
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.text).toContain('<h1>Not enough credit</h1>');
    expect(page.text).toContain('&lt;img src=x');
    expect(page.text).not.toMatch(/<img|planted/);
  });

  it('takes the answer as plain text too, as curl pipes it', async () => {
    const { json } = await callPage(pages, '/v1/diagnose', {
      body: 'HTTP/2 402\n\n{"error":{"message":"Insufficient Balance"}}',
      headers: { 'content-type': 'text/plain' },
    });
    expect(json).toMatchObject({ provider: { name: 'DeepSeek' } });
  });

  it.each([
    ['nothing', {}],
    ['an empty answer', { response: '' }],
    ['an unknown member', { response: 'x', more: 1 }],
    ['a status that is none', { status: 7, body: '' }],
    [
      'too many headers',
      {
        headers: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`h${n}`, ''])),
        body: '',
      },
    ],
  ])('refuses %s, with the fix', async (_title, body) => {
    const { status, json } = await ask(body);
    expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(String(json['message'])).toContain('send {"response"');
  });

  it.each([
    [
      'JSON deeper than the stack',
      `{"body":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
      'nested deeper than 256 levels',
    ],
    ['a text in JSON', '"some text"', 'the body must be an object'],
  ])('bound: tells what is wrong with %s', async (_what, body, reason) => {
    const headers = { 'content-type': 'application/json' };
    const { status, json } = await callPage(pages, '/v1/diagnose', { body, headers });
    expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(String(json['message'])).toContain(reason);
  });

  it('is bounded', async () => {
    expect((await ask({ response: 'x'.repeat(PASTE_BYTES_MAX) })).status).toBe(200);
    expect((await ask({ response: 'x'.repeat(PASTE_BYTES_MAX + 1) })).status).toBe(413);
    expect((await ask({ response: 'x'.repeat(4 * PASTE_BYTES_MAX) })).status).toBe(413);
  });

  it('GET tells programs how', async () => {
    const { json } = await callPage(pages, '/diagnose', { accept: 'application/json' });
    expect(String(json['how'])).toContain('/v1/diagnose');
  });
});

describe('reading a pasted answer', () => {
  it.each([
    ['HTTP/1.1 402 Payment Required\nA: b\n\nbody', 402, [['a', 'b']], 'body'],
    ['< HTTP/2 429\n< retry-after: 5\n<\n* talk\nbody', 429, [['retry-after', '5']], 'body'],
    ['content-type: text/plain\n\nbody', undefined, [['content-type', 'text/plain']], 'body'],
    ['Code: X\nbody', undefined, [], 'Code: X\nbody'],
    ['Error code: 402 - gone', 402, [], 'Error code: 402 - gone'],
    ['', undefined, [], ''],
  ])('%j', (pasted, status, headers, text) => {
    const answer = readPastedAnswer(pasted);
    expect([answer.status, [...answer.headers], answer.text]).toEqual([status, headers, text]);
  });

  it('bounds the headers it reads', () => {
    const many = Array.from({ length: 1000 }, (_, n) => `h${n}: v`).join('\n');
    expect(readPastedAnswer(`HTTP/1.1 402 X\n${many}`).headers.size).toBe(200);
  });
});
