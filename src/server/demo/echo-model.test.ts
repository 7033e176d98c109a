import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoServer } from './demo-server.ts';
import { startEchoModel } from './echo-model.ts';
import { countEchoTokens, splitEchoTokens } from './echo-tokens.ts';

let server: DemoServer;
let client: OpenAI;

beforeAll(async () => {
  server = await startEchoModel({ host: '127.0.0.1', port: 0 });
  client = new OpenAI({ baseURL: `${server.origin}/v1`, apiKey: 'unused', maxRetries: 0 });
});
afterAll(() => server.close());

const QUESTION = { role: 'user', content: 'Hello, wide world!' } as const;
const SYSTEM = { role: 'system', content: 'Be brief.' } as const;

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(server.origin + path, { method: 'POST', body: text, headers });
  return { status: response.status, text: await response.text() };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function chat(members: object = {}): object {
  return { model: 'echo-1', messages: [QUESTION], ...members };
}

describe('LLM-02 the official openai SDK against the echo model', () => {
  it('completes a chat with the last user message, and counts by the stated rule', async () => {
    const messages = [SYSTEM, QUESTION, { role: 'assistant', content: 'Hi' } as const];
    const completion = await client.chat.completions.create({ model: 'echo-1', messages });
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'echo-1',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: QUESTION.content },
        },
      ],
      // "Be brief." is 3, the question 5, "Hi" 1.
      usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
    });
  });

  it('streams a token a chunk, with usage in a last chunk of its own when asked', async () => {
    const stream = await client.chat.completions.create({
      model: 'echo-1',
      messages: [QUESTION],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.content ?? []);
    expect(pieces).toEqual(['', 'Hello', ',', ' wide', ' world', '!']);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 5, completion_tokens: 5 },
    });
  });

  it('streams without usage when nobody asked', async () => {
    const { text } = await post('/v1/chat/completions', chat({ stream: true }));
    expect(text).not.toContain('usage');
    expect(text).toMatch(/\n\ndata: \[DONE\]\n\n$/);
  });

  it.each([{ max_tokens: 3 }, { max_completion_tokens: 3 }])('obeys %j', async (bound) => {
    const whole = await client.chat.completions.create({
      ...bound,
      model: 'echo-1',
      messages: [QUESTION],
    });
    expect(whole.choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { content: 'Hello, wide' },
    });
    expect(whole.usage?.completion_tokens).toBe(3);
  });

  it('gives n choices, whole and streamed, and counts them all', async () => {
    const whole = await client.chat.completions.create({
      model: 'echo-1',
      messages: [QUESTION],
      n: 3,
    });
    expect(whole.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(whole.usage?.completion_tokens).toBe(15);
    const stream = await client.chat.completions.create({
      model: 'echo-1',
      messages: [QUESTION],
      n: 2,
      stream: true,
    });
    const texts = ['', ''];
    for await (const { choices } of stream) {
      for (const { index, delta } of choices) texts[index] += delta.content ?? '';
    }
    expect(texts).toEqual([QUESTION.content, QUESTION.content]);
  });

  it('reads content parts, and falls back to the last message', async () => {
    const content = [
      { type: 'text', text: 'two ' } as const,
      { type: 'text', text: 'parts' } as const,
    ];
    const parts = await client.chat.completions.create({
      model: 'echo-1',
      messages: [{ role: 'user', content }],
    });
    expect(parts.choices[0]?.message.content).toBe('two parts');
    const system = await client.chat.completions.create({ model: 'echo-1', messages: [SYSTEM] });
    expect(system.choices[0]?.message.content).toBe('Be brief.');
  });

  it('embeds: unit vectors, the same for the same text, others for others', async () => {
    const input = ['one', 'two', 'one'];
    const answer = await client.embeddings.create({ model: 'echo-1', input, dimensions: 300 });
    const [one = [], two = [], again = []] = answer.data.map(({ embedding }) =>
      Array.from(embedding),
    );
    expect(one).toHaveLength(300);
    expect(one).toEqual(again);
    const dot = (a: number[], b: number[]) =>
      a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
    expect(dot(one, one)).toBeCloseTo(1, 5);
    expect(Math.abs(dot(one, two))).toBeLessThan(0.3);
    expect(answer.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
  });

  it('embeds the same in floats as in base64, and takes token ids', async () => {
    const input = [[1, 2, 3], [4]];
    const floats = await client.embeddings.create({
      model: 'echo-1',
      input,
      encoding_format: 'float',
    });
    const base64 = await client.embeddings.create({ model: 'echo-1', input });
    expect(floats.data.map(({ embedding }) => embedding)).toEqual(
      base64.data.map(({ embedding }) => Array.from(embedding)),
    );
    expect(floats.data[0]?.embedding).toHaveLength(256);
    expect(floats.usage.prompt_tokens).toBe(4);
  });

  it('lists its models', async () => {
    const models = await collect(client.models.list());
    expect(models.map(({ id }) => id)).toEqual(['echo-1']);
  });

  it('names an unknown model in an error the SDK reads', async () => {
    const call = client.chat.completions.create({ model: 'other', messages: [QUESTION] });
    await expect(call).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
  });
});

describe('errors of the echo model', () => {
  it.each([
    ['/v1/chat/completions', '{', 400, 'not a JSON object'],
    ['/v1/chat/completions', '[]', 400, 'not a JSON object|must be'],
    [
      '/v1/chat/completions',
      { model: 'echo-1', messages: [{}] },
      400,
      "'messages\\[0\\].role' must be",
    ],
    ['/v1/embeddings', { model: 'echo-1' }, 400, "'input' must be"],
    ['/v1/embeddings', { model: 'echo-1', input: 'a', dimensions: 0 }, 400, "'dimensions' must be"],
    [
      '/v1/embeddings',
      { model: 'echo-1', input: 'a', encoding_format: 'hex' },
      400,
      "'encoding_format'",
    ],
    ['/v1/other', {}, 404, 'Unknown request URL: POST /v1/other'],
  ])('%s with %j is %d', async (path, body, status, message) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    const { error } = JSON.parse(answer.text) as { error: { message: string } };
    expect(error.message).toMatch(new RegExp(message));
    expect(error).toMatchObject({ type: 'invalid_request_error' });
  });

  it('answers 413 to a body above 16 MiB', async () => {
    const answer = await post('/v1/chat/completions', ' '.repeat(16 * 1024 * 1024 + 1));
    expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('16 MiB') });
  });
});

describe('test knobs of the echo model', () => {
  it('x-echo-tokens: answers with exactly so many tokens, within the bound', async () => {
    const headers = { 'x-echo-tokens': '1000' };
    const whole = JSON.parse((await post('/v1/chat/completions', chat(), headers)).text);
    expect(whole.usage.completion_tokens).toBe(1000);
    expect(countEchoTokens(whole.choices[0].message.content)).toBe(1000);
    const cut = JSON.parse(
      (await post('/v1/chat/completions', chat({ max_tokens: 7 }), headers)).text,
    );
    expect(cut.usage.completion_tokens).toBe(7);
    expect(cut.choices[0].finish_reason).toBe('length');
  });

  it('x-echo-omit-usage: says nothing of usage, though asked', async () => {
    const headers = { 'x-echo-omit-usage': '1' };
    const asked = chat({ stream: true, stream_options: { include_usage: true } });
    for (const body of [chat(), asked]) {
      expect((await post('/v1/chat/completions', body, headers)).text).not.toContain('usage');
    }
    const embeddings = await post('/v1/embeddings', { model: 'echo-1', input: 'a' }, headers);
    expect(embeddings.text).not.toContain('usage');
  });

  it.each([400, 429, 500, 503])('x-echo-status: fails with %d', async (status) => {
    const answer = await post('/v1/chat/completions', chat(), { 'x-echo-status': String(status) });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.message).toContain('x-echo-status');
  });

  it.each([
    ['x-echo-tokens', '100001'],
    ['x-echo-tokens', '-1'],
    ['x-echo-delay-ms', '60001'],
    ['x-echo-delay-ms', 'soon'],
    ['x-echo-status', '200'],
  ])('refuses %s: %s', async (name, value) => {
    const answer = await post('/v1/chat/completions', chat(), { [name]: value });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(`${name} must be`) });
  });

  it('x-echo-delay-ms: pauses a stream, and stops working when the reader leaves', async () => {
    const leave = new AbortController();
    const response = await fetch(`${server.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-echo-delay-ms': '20', 'x-echo-tokens': '100000' },
      body: JSON.stringify(chat({ stream: true })),
      signal: leave.signal,
    });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toContain('"role":"assistant"');
    leave.abort();
    await expect(reader?.read()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the echo model as a server', () => {
  it('counts requests, but not health checks', async () => {
    const before = server.requestCount;
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
    expect(server.requestCount).toBe(before);
    await post('/v1/chat/completions', chat());
    expect(server.requestCount).toBe(before + 1);
  });

  it('closes though a stream would go on for an hour, and twice does no harm', async () => {
    const other = await startEchoModel({ host: '127.0.0.1', port: 0 });
    const response = await fetch(`${other.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-echo-delay-ms': '60000' },
      body: JSON.stringify(chat({ stream: true })),
    });
    await other.close();
    await expect(response.text()).rejects.toBeInstanceOf(TypeError);
    await other.close();
  });

  it('says which port is taken', async () => {
    const port = Number(new URL(server.origin).port);
    const taken = startEchoModel({ host: '127.0.0.1', port });
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  });
});

describe('tokens of the echo model', () => {
  it.each([
    ['', 0],
    [' \n ', 0],
    ['Hello, world!', 4],
    ['snake_case 3.14', 4],
    ['año été', 2],
    ['東京 🗼🗼', 2],
    ['...', 1],
  ])('%j has %d', (text, count) => {
    expect(countEchoTokens(text)).toBe(count);
    expect(splitEchoTokens(text)).toHaveLength(count);
    expect(splitEchoTokens(text).join('')).toBe(text.trimEnd());
  });
});
