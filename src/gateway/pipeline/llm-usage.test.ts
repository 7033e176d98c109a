import { describe, expect, it } from 'vitest';

import { buildModel } from '../../../test/support/build-catalog.ts';
import { LeavingResponse, MemoryResponse } from '../../../test/support/memory-exchange.ts';
import type { MemoryCall } from '../../../test/support/memory-gateway.ts';
import { open, type Setting } from '../../../test/support/pipeline-setting.ts';

/** A nano for a token of input, a tenth for one from a cache, two for one of output. */
const PRICE = {
  perInputToken: 1000n,
  perCachedInputToken: 100n,
  perOutputToken: 2000n,
};
const TEN_PIECES = Array.from({ length: 10 }, () => ({ choices: [{ delta: { content: ' on' } }] }));
const READ = {
  prompt_tokens: 1000,
  completion_tokens: 0,
  prompt_tokens_details: { cached_tokens: 900 },
};

function openModel(members: Pick<Setting, 'tokenizer'> = {}) {
  const gateway = open({
    ...members,
    routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
    plan: { models: ['*'], usage: 'prepaid' },
    catalog: { models: new Map([['m', buildModel('m', PRICE)]]) },
  });
  gateway.engine.balances.set('bal:ten_1:USD', 10_000_000);
  return gateway;
}

function chat(members: object = {}): MemoryCall {
  const messages = [{ role: 'user', content: 'tell me everything' }];
  return { path: '/', body: { model: 'm', messages, ...members } };
}

const eventsOf = (chunks: readonly object[]): string =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('');

/** What a stream of these chunks is recorded as; whose caller leaves after the first bytes, or reads it all. */
async function outcomeOf(chunks: readonly object[], response = new MemoryResponse()) {
  const gateway = openModel();
  const body = eventsOf(chunks);
  gateway.answer = { status: 200, headers: ['Content-Type', 'text/event-stream'], body };
  await gateway.call(chat({ stream: true }), response);
  return { ...gateway.facts.outcome, charged: gateway.engine.charged };
}

/** Of a stream that writes more than it was asked for, piece by piece, to whom more than was held is not there. */
async function cutOutcomeOf(pieces: readonly (readonly object[])[], members: object = {}) {
  const gateway = openModel();
  const body = pieces.map(eventsOf);
  gateway.answer = { status: 200, headers: ['Content-Type', 'text/event-stream'], body };
  const response = await gateway.call(chat({ stream: true, max_tokens: 20, ...members }));
  const words = response.body.split('"content":" on"').length - 1;
  return { ...gateway.facts.outcome, words };
}

describe('LLM-06: what an upstream has said counts, also where it has not said all', () => {
  it.each([
    ['ends', new MemoryResponse(), 'complete'],
    ['is left by its caller', new LeavingResponse(), 'client-gone'],
  ])('of a stream that begins with its input and %s', async (_name, response, ending) => {
    const chunks = [{ choices: [], usage: READ }, ...TEN_PIECES];
    const { charged, ...outcome } = await outcomeOf(chunks, response);
    expect(outcome).toMatchObject({
      ending,
      inputTokens: 1000,
      cachedInputTokens: 900,
      outputTokens: 10,
      estimated: true,
      costNano: 100 + 90 + 20,
    });
    expect(charged).toEqual({ 'bal:ten_1:USD': 210 });
  });

  it('of a stream that goes on behind its count: what came since is on top', async () => {
    const usage = { prompt_tokens: 1000, completion_tokens: 500 };
    const chunks = [...TEN_PIECES, { choices: [], usage }, ...TEN_PIECES];
    expect(await outcomeOf(chunks)).toMatchObject({
      inputTokens: 1000,
      outputTokens: 510,
      estimated: true,
    });
  });
});

describe('LLM-06: no output is no count of what was written', () => {
  const COUNTS = [
    { prompt_tokens: 7 },
    { prompt_tokens: 7, completion_tokens: null, total_tokens: 7 },
    { prompt_tokens: 7, completion_tokens: 0, total_tokens: 7 },
  ];

  it.each(COUNTS)('in a stream: %j', async (usage) => {
    expect(await outcomeOf([...TEN_PIECES, { choices: [], usage }])).toMatchObject({
      inputTokens: 7,
      outputTokens: 10,
      estimated: true,
    });
  });

  it('in a stream, behind a count of some: that one stands', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 40 };
    const ends = [usage, { ...usage, completion_tokens: 0 }];
    const chunks = [...TEN_PIECES, ...ends.map((each) => ({ choices: [], usage: each }))];
    expect(await outcomeOf(chunks)).toMatchObject({
      inputTokens: 7,
      outputTokens: 40,
      estimated: false,
    });
  });

  it.each(COUNTS)('in a whole answer: %j', async (usage) => {
    const gateway = openModel();
    const choices = [{ message: { content: 'twelve bytes' } }];
    const body = JSON.stringify({ choices, usage });
    gateway.answer = { status: 200, headers: ['Content-Type', 'application/json'], body };
    await gateway.call(chat());
    expect(gateway.facts.outcome).toMatchObject({
      inputTokens: 7,
      outputTokens: 3,
      estimated: true,
      costNano: 7 + 6,
    });
  });

  it.each([
    ['says nothing', { choices: [{ message: { content: '' } }] }],
    ['says why not', { choices: [], error: { message: 'filtered' } }],
  ])('but one of an answer that %s', async (_name, answer) => {
    const gateway = openModel();
    const body = JSON.stringify({ ...answer, usage: { prompt_tokens: 7 } });
    gateway.answer = { status: 200, headers: ['Content-Type', 'application/json'], body };
    await gateway.call(chat());
    expect(gateway.facts.outcome).toMatchObject({
      inputTokens: 7,
      outputTokens: 0,
      estimated: false,
      costNano: 7,
    });
  });
});

describe('LLM-06: while the tokenizer is busy or down a whole answer is guessed by the text in it', () => {
  it.each([
    ['hi', 1],
    ['', 0],
    ['on '.repeat(400), 100],
  ])('%j: no more than was asked for', async (content, outputTokens) => {
    const tokenizer = { count: () => Promise.reject(new Error('busy')) };
    const gateway = openModel({ tokenizer });
    const body = JSON.stringify({ id: 'x'.repeat(400), choices: [{ message: { content } }] });
    gateway.answer = { status: 200, headers: ['Content-Type', 'application/json'], body };
    await gateway.call(chat({ max_tokens: 100 }));
    expect(gateway.facts.outcome).toMatchObject({ outputTokens, estimated: true });
  });
});

describe('LLM-06: a sum of what was read and written is no more than that', () => {
  const usage = { total_tokens: 47 };

  it('in a stream: what was written is measured, the rest was read', async () => {
    expect(await outcomeOf([...TEN_PIECES, { choices: [], usage }])).toMatchObject({
      inputTokens: 37,
      outputTokens: 10,
      estimated: true,
      costNano: 37 + 20,
    });
  });

  it('in a stream, told before anything was written: it is the input', async () => {
    expect(await outcomeOf([{ choices: [], usage }, ...TEN_PIECES])).toMatchObject({
      inputTokens: 47,
      outputTokens: 10,
      costNano: 47 + 20,
    });
  });

  it('in a stream that writes more than it comes to: all of it was written', async () => {
    const chunks = [...TEN_PIECES, { choices: [], usage: { total_tokens: 4 } }];
    expect(await outcomeOf(chunks)).toMatchObject({ inputTokens: 0, outputTokens: 4 });
  });

  it.each([
    [47, 44, 3],
    [2, 0, 2],
  ])('in a whole answer: %d', async (total, inputTokens, outputTokens) => {
    const gateway = openModel();
    const choices = [{ message: { content: 'twelve bytes' } }];
    const body = JSON.stringify({ choices, usage: { total_tokens: total } });
    gateway.answer = { status: 200, headers: ['Content-Type', 'application/json'], body };
    await gateway.call(chat());
    expect(gateway.facts.outcome).toMatchObject({ inputTokens, outputTokens, estimated: true });
  });
});

describe('LLM-06: no text is free for want of a shape that can be metered', () => {
  const EVENTS = ['Content-Type', 'text/event-stream'];
  const JSON_TYPE = ['Content-Type', 'application/json'];

  it.each([
    [
      'Anthropic',
      [
        { type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } },
        { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hello' } },
        { type: 'message_delta', usage: { output_tokens: 9 } },
      ],
    ],
    ['Gemini', [{ candidates: [{ content: { parts: [{ text: 'Hello' }] } }] }]],
    ['the Responses API', [{ type: 'response.output_text.delta', delta: 'Hello' }]],
  ])('a stream as of %s is 502, and none of it is passed on', async (_family, chunks) => {
    const gateway = openModel();
    gateway.answer = { status: 200, headers: EVENTS, body: chunks.map((each) => eventsOf([each])) };
    const response = await gateway.call(chat({ stream: true }));
    expect([response.status, gateway.facts.outcome?.code]).toEqual([502, 'UPSTREAM_FAILED']);
    expect(response.body).not.toContain('Hello');
    expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
  });

  it('a whole answer of the Responses API is 502, whatever it says that it wrote', async () => {
    const gateway = openModel();
    const usage = { input_tokens: 5, output_tokens: 300, total_tokens: 305 };
    const body = JSON.stringify({ object: 'response', output: [{ text: 'Hello' }], usage });
    gateway.answer = { status: 200, headers: JSON_TYPE, body };
    const response = await gateway.call(chat());
    expect([response.status, gateway.engine.charged]).toEqual([502, {}]);
    expect(response.body).not.toContain('Hello');
  });

  it('a stream that tells its counts by those names is charged by them', async () => {
    const usage = { input_tokens: 5, output_tokens: 300, total_tokens: 305 };
    expect(await outcomeOf([...TEN_PIECES, { choices: [], usage }])).toMatchObject({
      inputTokens: 5,
      outputTokens: 300,
      estimated: false,
    });
  });

  it.each([
    ['a completion', { text: 'twelve bytes' }],
    ['a bare message', { message: 'twelve bytes' }],
    ['a delta', { delta: { content: 'twelve bytes' } }],
  ])('a whole answer with %s in it is counted', async (_shape, choice) => {
    const gateway = openModel();
    const body = JSON.stringify({ choices: [choice] });
    gateway.answer = { status: 200, headers: JSON_TYPE, body };
    await gateway.call(chat());
    expect(gateway.facts.outcome).toMatchObject({ outputTokens: 3, estimated: true });
  });

  it('a whole answer behind a byte order mark is one', async () => {
    const gateway = openModel();
    const body = `\uFEFF${JSON.stringify({ choices: [{ message: { content: 'twelve bytes' } }] })}`;
    gateway.answer = { status: 200, headers: JSON_TYPE, body };
    const response = await gateway.call(chat());
    expect([response.status, response.body]).toEqual([200, body]);
    expect(gateway.facts.outcome).toMatchObject({ outputTokens: 3, estimated: true });
  });
});

describe('LLM-06, I5: a stream that is cut costs what its caller got', () => {
  const ROLE = [{ choices: [{ delta: { role: 'assistant', content: '' } }] }];
  const HUNDRED = Array.from({ length: 10 }, () => TEN_PIECES).flat();
  const input = { inputTokens: 16, cachedInputTokens: 0 };

  it.each([
    ['nothing but a role', [ROLE, HUNDRED], 0],
    ['some pieces', [ROLE, TEN_PIECES, HUNDRED], 10],
  ])('%s', async (_what, pieces, words) => {
    expect(await cutOutcomeOf(pieces)).toMatchObject({
      ending: 'cut',
      words,
      ...input,
      outputTokens: words,
      overrunNano: 0,
      costNano: 16 + 2 * words,
    });
  });

  it('not before what was kept for a longer input is used up', async () => {
    const long = 'word '.repeat(400);
    const pieces = Array.from({ length: 100 }, () => TEN_PIECES);
    const messages = [{ role: 'user', content: long }];
    const { words, ...outcome } = await cutOutcomeOf(pieces, { messages });
    expect(outcome).toMatchObject({ ending: 'cut', outputTokens: words, overrunNano: 0 });
    // Of 2,000 bytes three quarters were kept for nothing: two nano a word.
    expect(words).toBeGreaterThan(600);
  });

  it('with the input that was told beside what was not passed on', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 100 };
    const pieces = [ROLE, TEN_PIECES, [...HUNDRED, { choices: [], usage }]];
    expect(await cutOutcomeOf(pieces)).toMatchObject({
      words: 10,
      inputTokens: 7,
      outputTokens: 10,
    });
  });

  it('and what its model thought beside, where that is what the hold does not reach for', async () => {
    const usage = { prompt_tokens: 7, completion_tokens: 30 };
    const pieces = [ROLE, TEN_PIECES, [{ choices: [], usage }], [{ choices: [] }]];
    expect(await cutOutcomeOf(pieces)).toMatchObject({
      words: 10,
      inputTokens: 7,
      outputTokens: 30,
    });
  });
});
