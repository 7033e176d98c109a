import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';

import { STATUS_FAMILIES } from './code-row.ts';
import { CODES } from './codes.ts';
import type { Code } from './codes.ts';
import { renderProblem, renderProblemEvent } from './dialects.ts';
import type { JsonRpcCall, ProblemDialect } from './dialects.ts';
import { buildProblemHeaders } from './headers.ts';
import { buildProblem } from './problem.ts';

const LINK = 'https://gate.example/pay/pl_1';
const BASE = { requestId: 'req_1', baseUrl: 'https://gate.example', explainUrl: '/r/req_1' };
const EXHAUSTED = buildProblem({
  code: 'TOKEN_QUOTA_EXCEEDED',
  requestId: 'req_1',
  explainUrl: '/r/req_1',
  baseUrl: 'https://gate.example',
  resolutionUrl: LINK,
  resetsAt: '2026-12-01T00:00:00Z',
  details: {
    current_plan: 'developer',
    exceeded_limit_type: 'tokens_per_month',
    window: 'month',
    current_usage: 900,
    allowed_usage: 1000,
    pointer: '/messages/0',
  },
  payment: { amount: '0.0010 USD', methods: ['credits'] },
  offer: { amountSats: 10, description: 'Chat: 1 call', expires: '2026-11-21T22:00:00Z' },
});
const DIALECTS: readonly ProblemDialect[] = ['plain', 'openai', 'anthropic', 'gemini', 'jsonrpc'];
const CONTENT_TYPES = {
  plain: 'application/problem+json',
  openai: 'application/problem+json',
  anthropic: 'application/json',
  gemini: 'application/json',
  jsonrpc: 'application/json',
} as const;
const CODE_NAMES = Object.keys(CODES) as Code[];

function renderBody(dialect: ProblemDialect): Record<string, unknown> {
  const { contentType, body } = renderProblem(EXHAUSTED, dialect);
  expect(contentType).toBe(CONTENT_TYPES[dialect]);
  return JSON.parse(body) as Record<string, unknown>;
}

/** In JSON-RPC the members are where the transport has a place for them. */
function renderMembers(dialect: ProblemDialect): Record<string, unknown> {
  const body = renderBody(dialect);
  if (dialect !== 'jsonrpc') return body;
  return (body['error'] as { data: Record<string, unknown> }).data;
}

describe.each(DIALECTS)(
  'C402-09, %s dialect: every client shape in circulation is found',
  (dialect) => {
    test.each<[string, Record<string, unknown>]>([
      [
        '{errorCode, message, resolutionLink, action}',
        {
          errorCode: 'TOKEN_QUOTA_EXCEEDED',
          message: EXHAUSTED.message,
          resolutionLink: LINK,
          action: 'upgrade_plan',
        },
      ],
      [
        '{code, message, details}',
        {
          code: 'TOKEN_QUOTA_EXCEEDED',
          message: EXHAUSTED.message,
          details: {
            current_plan: 'developer',
            exceeded_limit_type: 'tokens_per_month',
            current_usage: 900,
            allowed_usage: 1000,
          },
        },
      ],
      [
        '{status, code, message, documentation_url}',
        {
          status: 402,
          code: 'TOKEN_QUOTA_EXCEEDED',
          message: EXHAUSTED.message,
          documentation_url: 'https://gate.example/errors/TOKEN_QUOTA_EXCEEDED',
        },
      ],
      [
        '{amount_sats, description, expires}',
        { amount_sats: 10, description: 'Chat: 1 call', expires: '2026-11-21T22:00:00Z' },
      ],
      [
        'RFC 9457',
        {
          ...(dialect === 'anthropic'
            ? {}
            : { type: 'https://gate.example/errors/TOKEN_QUOTA_EXCEEDED' }),
          title: 'Token quota used up',
          status: 402,
          detail: EXHAUSTED.message,
          instance: '/r/req_1',
        },
      ],
    ])('%s', (_shape, expected) => {
      expect(renderMembers(dialect)).toMatchObject(expected);
    });
  },
);

test('C402-09: `error` is a string in the plain dialect', () => {
  expect(renderBody('plain')['error']).toBe('payment_required');
});

test("C402-09: `error` is OpenAI's object in the OpenAI dialect, and nothing else differs", () => {
  const body = renderBody('openai');
  expect(body['error']).toEqual({
    message: EXHAUSTED.message,
    type: 'payment_required',
    code: 'TOKEN_QUOTA_EXCEEDED',
    param: 'messages[0]',
    details: body['details'],
  });
  expect({ ...body, error: 'payment_required' }).toEqual(renderBody('plain'));
});

test("C402-09: Anthropic's envelope, and nothing but `error` and `type` differs", () => {
  const { type, error, ...rest } = renderBody('anthropic');
  expect(type).toBe('error');
  expect(error).toEqual({
    type: 'billing_error',
    message: EXHAUSTED.message,
    code: 'TOKEN_QUOTA_EXCEEDED',
    details: rest['details'],
  });
  expect({ ...rest, type: EXHAUSTED.type, error: 'payment_required' }).toEqual(renderBody('plain'));
});

test("C402-09: Google's status, and nothing but `error` differs", () => {
  const { error, ...rest } = renderBody('gemini');
  expect(error).toEqual({
    code: 402,
    message: EXHAUSTED.message,
    status: 'RESOURCE_EXHAUSTED',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'TOKEN_QUOTA_EXCEEDED',
        domain: 'tollkeeper',
        metadata: {
          action: 'upgrade_plan',
          request_id: 'req_1',
          retry_kind: 'after_reset',
          current_plan: 'developer',
          exceeded_limit_type: 'tokens_per_month',
          window: 'month',
          current_usage: '900',
          allowed_usage: '1000',
          pointer: '/messages/0',
          resets_at: '2026-12-01T00:00:00Z',
        },
      },
      {
        '@type': 'type.googleapis.com/google.rpc.Help',
        links: [
          { description: 'upgrade_plan', url: LINK },
          {
            description: 'TOKEN_QUOTA_EXCEEDED',
            url: 'https://gate.example/errors/TOKEN_QUOTA_EXCEEDED',
          },
        ],
      },
    ],
  });
  expect({ ...rest, error: 'payment_required' }).toEqual(renderBody('plain'));
});

test('a wait in seconds is a RetryInfo of Google', () => {
  const busy = buildProblem({ ...BASE, code: 'OVERLOADED', retryAfterSeconds: 2 });
  const { error } = JSON.parse(renderProblem(busy, 'gemini').body) as {
    error: { details: readonly object[] };
  };
  expect(error.details).toContainEqual({
    '@type': 'type.googleapis.com/google.rpc.RetryInfo',
    retryDelay: '2s',
  });
});

describe('LLM-22: JSON-RPC', () => {
  function rpcError(...call: [] | [JsonRpcCall]) {
    const body = renderProblem(EXHAUSTED, 'jsonrpc', ...call).body;
    return JSON.parse(body) as {
      id: unknown;
      error: { code: number; message: string; data: Record<string, unknown> };
    };
  }

  test.each([7, 'call-1', null])('echoes the id %s', (id) => {
    expect(rpcError({ id })).toMatchObject({ jsonrpc: '2.0', id });
  });

  test("an account's 402 is a server error, with everything in data", () => {
    const { id, error } = rpcError();
    expect(id).toBeNull();
    expect(error.code).toBe(-32000);
    expect(error.message).toBe(EXHAUSTED.message);
    expect(error.data).toEqual({ ...renderBody('plain'), httpStatus: 402 });
  });

  test('what this call can be paid with is a challenge of the MCP transport', () => {
    const challenges = [{ id: 'ch_1', method: 'lightning', intent: 'charge' }];
    const { error } = rpcError({ id: 1, challenges });
    expect(error.code).toBe(-32042);
    expect(error.data).toMatchObject({ httpStatus: 402, challenges });
  });

  test('no challenges are no challenge, and nothing but a 402 is one', () => {
    expect(rpcError({ id: 1, challenges: [] }).error.code).toBe(-32000);
    const missing = buildProblem({ ...BASE, code: 'ROUTE_NOT_FOUND' });
    const body = renderProblem(missing, 'jsonrpc', { id: 1, challenges: [{}] }).body;
    expect(JSON.parse(body)).toMatchObject({ error: { code: -32601 } });
  });
});

test.each(CODE_NAMES)('%s has the words of its status in each dialect', (code) => {
  const document = buildProblem({ ...BASE, code });
  const family = STATUS_FAMILIES[document.status];
  const inner = { error: { type: family.openaiType, code, param: null, details: {} } };
  expect(document.error).toBe(family.error);
  expect(JSON.parse(renderProblem(document, 'openai').body)).toMatchObject(inner);
  const [anthropic, gemini] = [
    renderProblem(document, 'anthropic'),
    renderProblem(document, 'gemini'),
  ];
  expect(JSON.parse(anthropic.body)).toMatchObject({ error: { type: family.anthropicType } });
  expect(JSON.parse(gemini.body)).toMatchObject({ error: { status: family.googleStatus } });
});

/** The official SDK against an answer as the gateway would give it; counts what it sends. */
function askWithSdk(response: () => Response) {
  const calls = { count: 0 };
  const client = new OpenAI({
    apiKey: 'tk_test_x',
    baseURL: 'https://gate.example/v1',
    fetch: () => {
      calls.count += 1;
      return Promise.resolve(response());
    },
  });
  const messages = [{ role: 'user' as const, content: 'hello' }];
  return { calls, client, messages };
}

test('the official OpenAI SDK shows the whole message and our code, and sends one request', async () => {
  const { contentType, body } = renderProblem(EXHAUSTED, 'openai');
  const { calls, client, messages } = askWithSdk(() => {
    const headers = new Headers();
    const list = buildProblemHeaders(EXHAUSTED, { contentType, paymentUrl: LINK });
    for (let index = 0; index < list.length; index += 2) {
      headers.append(list[index] ?? '', list[index + 1] ?? '');
    }
    return new Response(body, { status: EXHAUSTED.status, headers });
  });
  const failure = client.chat.completions.create({ model: 'echo', messages });
  await expect(failure).rejects.toMatchObject({
    message: `402 ${EXHAUSTED.message}`,
    code: 'TOKEN_QUOTA_EXCEEDED',
    type: 'payment_required',
    param: 'messages[0]',
    status: 402,
    requestID: 'req_1',
  });
  expect(calls.count).toBe(1);
});

test('the official OpenAI SDK throws our error when it comes inside a stream that has begun', async () => {
  const chunk = 'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n';
  const { client, messages } = askWithSdk(
    () =>
      new Response(chunk + renderProblemEvent(EXHAUSTED), {
        headers: { 'content-type': 'text/event-stream' },
      }),
  );
  const stream = await client.chat.completions.create({ model: 'echo', messages, stream: true });
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const part of stream) seen.push(part.choices[0]?.delta.content);
  })();
  await expect(reading).rejects.toMatchObject({
    message: EXHAUSTED.message,
    code: 'TOKEN_QUOTA_EXCEEDED',
  });
  expect(seen).toEqual(['hi']);
});

test.each(DIALECTS)(
  'an event of the %s dialect is one event, whatever the message contains',
  (dialect) => {
    const document = buildProblem({
      ...BASE,
      code: 'INVALID_REQUEST',
      details: { reason: 'two\n\nlines \u2028 \r data: x' },
    });
    const event = renderProblemEvent(document, dialect);
    const named = dialect === 'plain' || dialect === 'anthropic' ? 'event: error\n' : '';
    expect(event).toMatch(new RegExp(`^${named}data: [^\\n\\r]*\\n\\n$`));
  },
);

test("an event is OpenAI's when nothing else is asked for", () => {
  expect(renderProblemEvent(EXHAUSTED)).toBe(renderProblemEvent(EXHAUSTED, 'openai'));
});
