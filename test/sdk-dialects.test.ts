import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic, {
  APIError as AnthropicError,
  AuthenticationError,
  PermissionDeniedError,
} from '@anthropic-ai/sdk';
import { ApiError as GeminiError, GoogleGenAI } from '@google/genai';
import { APICallError, generateText } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createCustomer } from './support/customers.ts';
import { GatewayCaller } from './support/gateway-caller.ts';
import { startGateway, type Gateway } from './support/start-gateway.ts';

const CONFIG = `
version: 1
retry_storm_per_minute: 0
upstreams:
  demo: { url: "builtin:demo" }
providers:
  echo: { base_url: "builtin:echo" }
models:
  echo:
    provider: echo
    upstream_model: echo-1
    context_window: 32768
    max_output_tokens: 1024
    price: { request: 0.001 USD, input: 0.50 USD / 1M tokens, output: 1.50 USD / 1M tokens }
apis:
  claude:
    upstream: demo
    routes:
      - { path: /v1/messages, methods: [POST], price: 0.001 USD / request }
  gemini:
    upstream: demo
    routes:
      - { path_prefix: /v1beta/models, methods: [POST], price: 0.001 USD / request }
  other:
    upstream: demo
    routes:
      - { path: /status, methods: [GET] }
  llm: { type: llm }
plans:
  open: { title: Open, price: 9.00 USD / month }
  slow: { title: Slow, price: 9.00 USD / month, rate_limits: [1/min burst 1] }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: open }, credit: 1.00 USD }
`;
const LINK = /\/pay\/\w+/;
const LONG_AGO = { state: 'active', ends_at: '2020-01-01T00:00:00Z' };

let gateway: Gateway;
let caller: GatewayCaller;
/** A key without credit, one whose subscription ended, one that may call nothing, and one nobody knows. */
let keys: Record<'broke' | 'lapsed' | 'barred' | 'unknown', string>;

beforeAll(async () => {
  const env = { TOLLKEEPER_LOG_LEVEL: 'error' };
  gateway = await startGateway({ config: CONFIG, args: ['--workers', '2'], env });
  caller = new GatewayCaller(gateway);
  const broke = await createCustomer(caller, { plan: 'open' });
  const lapsed = await createCustomer(caller, { plan: 'open', credit: '1.00' });
  await caller.admin(`/admin/tenants/${lapsed.tenantId}`, { subscription: LONG_AGO }, 'PATCH');
  const barred = await createCustomer(caller, { plan: 'open', credit: '1.00' });
  await caller.admin(`/admin/keys/${barred.keyId}`, { apis: ['other'] }, 'PATCH');
  const unknown = `${broke.key.slice(0, -1)}${broke.key.endsWith('0') ? '1' : '0'}`;
  keys = { broke: broke.key, lapsed: lapsed.key, barred: barred.key, unknown };
});
afterAll(async () => {
  caller.close();
  await gateway.stop();
});

async function countRequests(): Promise<number> {
  const counts = Object.values(await caller.workerCounts());
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What was thrown, and how many requests the server counted for it. */
async function failWith(
  task: () => PromiseLike<unknown>,
): Promise<{ readonly error: unknown; readonly sent: number }> {
  const before = await countRequests();
  try {
    await task();
  } catch (error) {
    return { error, sent: (await countRequests()) - before };
  }
  throw new Error('the SDK threw nothing');
}

describe('show 3: @anthropic-ai/sdk', () => {
  const ask = (apiKey: string) =>
    new Anthropic({ baseURL: gateway.gateway, apiKey }).messages.create({
      model: 'claude',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hello' }],
    });

  it.each([
    ['broke', 'INSUFFICIENT_CREDITS'],
    ['lapsed', 'SUBSCRIPTION_EXPIRED'],
  ] as const)(
    '402 of a customer who is %s: billing_error, our message, one request',
    async (who, code) => {
      const { error, sent } = await failWith(() => ask(keys[who]));
      expect(error).toBeInstanceOf(AnthropicError);
      const thrown = error as AnthropicError;
      expect(thrown.status).toBe(402);
      expect(thrown.message).toMatch(LINK);
      expect(thrown.error).toMatchObject({
        type: 'error',
        error: { type: 'billing_error', message: expect.stringMatching(LINK) },
        code,
      });
      expect(thrown.requestID).toMatch(/^req_/);
      expect(sent).toBe(1);
    },
  );

  it('401 and 403 raise their own classes, one request each', async () => {
    const unknown = await failWith(() => ask(keys.unknown));
    expect(unknown.error).toBeInstanceOf(AuthenticationError);
    expect(unknown.sent).toBe(1);
    const barred = await failWith(() => ask(keys.barred));
    expect(barred.error).toBeInstanceOf(PermissionDeniedError);
    expect(barred.sent).toBe(1);
  });
});

describe('show 3: @google/genai', () => {
  const ask = (apiKey: string) =>
    new GoogleGenAI({
      apiKey,
      httpOptions: { baseUrl: gateway.gateway },
    }).models.generateContent({ model: 'gemini-2', contents: 'Hello' });

  it.each([
    ['broke', 402, 'INSUFFICIENT_CREDITS'],
    ['lapsed', 402, 'SUBSCRIPTION_EXPIRED'],
    ['unknown', 401, 'KEY_UNKNOWN'],
    ['barred', 403, 'KEY_PERMISSION_DENIED'],
  ] as const)('%s: %d %s in our words, one request', async (who, status, code) => {
    const { error, sent } = await failWith(() => ask(keys[who]));
    expect(error).toBeInstanceOf(GeminiError);
    const thrown = error as GeminiError;
    expect(thrown.status).toBe(status);
    expect(thrown.message).toContain(code);
    expect(thrown.message).toMatch(status === 402 ? LINK : /\w/);
    expect(sent).toBe(1);
  });
});

describe('show 3: ai (AI SDK)', () => {
  const ask = (apiKey: string) =>
    generateText({
      model: createOpenAICompatible({
        name: 'gateway',
        baseURL: `${gateway.gateway}/v1`,
        apiKey,
      }).chatModel('echo'),
      prompt: 'Hello',
    });

  it.each([
    ['broke', 402],
    ['lapsed', 402],
    ['unknown', 401],
    ['barred', 403],
  ] as const)('%s: %d, not retryable, our message, one request', async (who, status) => {
    const { error, sent } = await failWith(() => ask(keys[who]));
    expect(APICallError.isInstance(error)).toBe(true);
    const thrown = error as APICallError;
    expect(thrown.statusCode).toBe(status);
    expect(thrown.isRetryable).toBe(false);
    expect(thrown.message).toMatch(status === 402 ? LINK : /\w/);
    expect(sent).toBe(1);
  });

  it('works when nothing is owed', async () => {
    const { text } = await ask(gateway.key);
    expect(text).toBe('Hello');
  });
});
