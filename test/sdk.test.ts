import OpenAI, { APIError, AuthenticationError, NotFoundError, RateLimitError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createCustomer, type CustomerOptions } from './support/customers.ts';
import { GatewayCaller } from './support/gateway-caller.ts';
import { startGateway, type Gateway } from './support/start-gateway.ts';

const CONFIG = `
version: 1
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
  llm: { type: llm }
plans:
  open: { title: Open, price: 9.00 USD / month }
  slow: { title: Slow, price: 9.00 USD / month, rate_limits: [1/min burst 1] }
  brisk: { title: Brisk, price: 9.00 USD / month, rate_limits: [60/min burst 1] }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: open }, credit: 1.00 USD }
`;
const MESSAGES = [{ role: 'user' as const, content: 'the quick brown fox' }];
const CHAT = { model: 'echo', messages: MESSAGES };

let gateway: Gateway;
let caller: GatewayCaller;

beforeAll(async () => {
  const env = { TOLLKEEPER_LOG_LEVEL: 'error' };
  gateway = await startGateway({ config: CONFIG, args: ['--workers', '2'], env });
  caller = new GatewayCaller(gateway);
});
afterAll(async () => {
  caller.close();
  await gateway.stop();
});

/** The SDK as an application makes it: the base URL and a key, nothing else. */
function connect(apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${gateway.gateway}/v1`, apiKey });
}

async function connectAs(customer: CustomerOptions): Promise<OpenAI> {
  return connect((await createCustomer(caller, customer)).key);
}

async function countRequests(): Promise<number> {
  const counts = Object.values(await caller.workerCounts());
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What the SDK threw, and how many requests it sent for it. */
async function failWith(
  task: () => PromiseLike<unknown>,
): Promise<{ error: APIError; sent: number }> {
  const before = await countRequests();
  try {
    await task();
  } catch (error) {
    if (error instanceof APIError) return { error, sent: (await countRequests()) - before };
    throw error;
  }
  throw new Error('the SDK threw nothing');
}

describe('show 2, LLM-02: the official openai SDK works by its base URL alone', () => {
  it('chat', async () => {
    const answer = await connect(gateway.key).chat.completions.create(CHAT);
    expect(answer.choices[0]?.message.content).toBe('the quick brown fox');
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.usage).toMatchObject({ prompt_tokens: 4, completion_tokens: 4 });
    expect(answer._request_id).toMatch(/^req_/);
  });

  it.each([
    ['without usage, which nobody asked for', undefined, []],
    ['with usage in its last chunk, when asked for', { include_usage: true }, [8]],
  ])('stream, %s', async (_, streamOptions, usages) => {
    const stream = await connect(gateway.key).chat.completions.create({
      ...CHAT,
      stream: true,
      ...(streamOptions === undefined ? {} : { stream_options: streamOptions }),
    });
    const pieces: string[] = [];
    const totals: number[] = [];
    for await (const part of stream) {
      const content = part.choices[0]?.delta.content;
      if (content !== undefined && content !== null && content !== '') pieces.push(content);
      if (part.usage !== undefined && part.usage !== null) totals.push(part.usage.total_tokens);
    }
    expect(pieces).toEqual(['the', ' quick', ' brown', ' fox']);
    expect(totals).toEqual(usages);
  });

  it('embeddings, in the base64 form the SDK asks for by itself', async () => {
    const answer = await connect(gateway.key).embeddings.create({
      model: 'echo',
      input: ['one', 'two words'],
    });
    expect(answer.data.map(({ index }) => index)).toEqual([0, 1]);
    const [first, second] = answer.data.map(({ embedding }) => embedding);
    expect(first?.length).toBeGreaterThan(3);
    expect(first?.every(Number.isFinite)).toBe(true);
    expect(second).not.toEqual(first);
    expect(answer.usage.total_tokens).toBe(3);
  });

  it('models', async () => {
    const page = await connect(gateway.key).models.list();
    expect(page.data.map(({ id }) => id)).toEqual(['echo']);
    const { id, object } = await connect(gateway.key).models.retrieve('echo');
    expect({ id, object }).toEqual({ id: 'echo', object: 'model' });
    await expect(connect(gateway.key).models.retrieve('ecoh')).rejects.toBeInstanceOf(
      NotFoundError,
    );
  });
});

describe('show 2, C402-21: on a 402 the SDK shows the message with the link, our code, and sends one request', () => {
  it.each([
    ['chat', (client: OpenAI) => client.chat.completions.create(CHAT)],
    ['stream', (client: OpenAI) => client.chat.completions.create({ ...CHAT, stream: true })],
    ['embeddings', (client: OpenAI) => client.embeddings.create({ model: 'echo', input: 'hello' })],
  ])('%s', async (_, ask) => {
    const client = await connectAs({ plan: 'open', credit: '0.0005' });
    const { error, sent } = await failWith(() => ask(client));
    console.log({ message: error.message, code: error.code, sent });
    expect(sent).toBe(1);
    expect(error.status).toBe(402);
    expect(error.code).toBe('INSUFFICIENT_CREDITS');
    expect(error.type).toBe('payment_required');
    expect(error.requestID).toMatch(/^req_/);
    expect(error.message).toMatch(
      new RegExp(
        String.raw`^402 This call could cost up to 0\.\d+ USD and your available balance is 0\.0005 USD\. .* ${gateway.gateway}/pay/pl_\S+$`,
      ),
    );
    const link = /https?:\S+$/.exec(error.message)?.[0] ?? '';
    const page = await fetch(link, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Add 5.00 USD of test credit');
    expect(error.error).toMatchObject({ details: { available: '0.0005 USD' } });
    // The link is the way out: paid there, the same client is served.
    const paid = await fetch(link, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"pack":"small"}',
    });
    expect(paid.status).toBe(200);
    await expect(ask(client)).resolves.toBeDefined();
  });
});

describe('other refusals are what the SDK makes of their status', () => {
  it('C402-18: 429 RATE_LIMITED is a RateLimitError', async () => {
    const client = await connectAs({ plan: 'slow', credit: '1.00' });
    await client.chat.completions.create(CHAT);
    const { error, sent } = await failWith(() =>
      client.chat.completions.create(CHAT, { maxRetries: 0 }),
    );
    expect(error).toBeInstanceOf(RateLimitError);
    expect({ status: error.status, code: error.code, sent }).toEqual({
      status: 429,
      code: 'RATE_LIMITED',
      sent: 1,
    });
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0);
    expect(error.headers?.get('x-should-retry')).toBeNull();
  });

  it('C402-18: the SDK waits as Retry-After says, and is served without the caller noticing', async () => {
    const client = await connectAs({ plan: 'brisk', credit: '1.00' });
    await client.chat.completions.create(CHAT);
    const before = await countRequests();
    await client.chat.completions.create(CHAT);
    const sent = (await countRequests()) - before;
    console.log({ sent_until_served: sent });
    expect(sent).toBeGreaterThan(1);
  });

  it('C402-13: 401 is an AuthenticationError, not repeated', async () => {
    const { error, sent } = await failWith(() =>
      connect('tk_test_nobody').chat.completions.create(CHAT),
    );
    expect(error).toBeInstanceOf(AuthenticationError);
    expect({ status: error.status, code: error.code, sent }).toEqual({
      status: 401,
      code: 'KEY_UNKNOWN',
      sent: 1,
    });
  });

  it('KEY-01: a key that was cut off is told so, on routes and on the pages about the account', async () => {
    const cut = gateway.key.slice(0, -1);
    const { error } = await failWith(() => connect(cut).chat.completions.create(CHAT));
    expect(error.message).toContain('The checksum of the API key does not match');
    const page = await fetch(`${gateway.gateway}/v1/usage`, { headers: { 'x-api-key': cut } });
    expect(page.status).toBe(401);
    expect(await page.text()).toContain('The checksum of the API key does not match');
  });

  it.each(['', '/v1/v1', '/openai'])(
    'a base URL that ends in "%s": the SDK shows which path was not found',
    async (end) => {
      const client = new OpenAI({ baseURL: gateway.gateway + end, apiKey: gateway.key });
      const { error } = await failWith(() => client.chat.completions.create(CHAT));
      expect(error).toBeInstanceOf(NotFoundError);
      expect(error.code).toBe('ROUTE_NOT_FOUND');
      expect(error.message).toContain(`No route answers POST ${end}/chat/completions`);
    },
  );

  it('a model that does not exist: the SDK shows the name that was meant', async () => {
    const { error, sent } = await failWith(() =>
      connect(gateway.key).chat.completions.create({ ...CHAT, model: 'ecoh' }),
    );
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toContain('Did you mean echo?');
    expect({ code: error.code, param: error.param, sent }).toEqual({
      code: 'MODEL_NOT_FOUND',
      param: 'model',
      sent: 1,
    });
  });

  it('LLM-19, C402-16: 400 names the parameter', async () => {
    const client = connect(gateway.key);
    const { error, sent } = await failWith(() =>
      client.chat.completions.create({ ...CHAT, max_tokens: -1 }),
    );
    expect({ status: error.status, code: error.code, param: error.param, sent }).toEqual({
      status: 400,
      code: 'INVALID_REQUEST',
      param: 'max_tokens',
      sent: 1,
    });
  });
});
