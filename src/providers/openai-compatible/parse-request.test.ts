import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens } from '../../platform/tokenizer/count-tokens.ts';
import { parseChat, parseEmbeddings } from './parse-request.ts';

const USER = { role: 'user', content: 'Hi' };

function bytesOf(body: unknown): number {
  return Buffer.byteLength(JSON.stringify(body));
}

function parseOk(parse: typeof parseChat, body: unknown) {
  const parsed = parse(body, bytesOf(body));
  if (parsed.kind !== 'ok') throw new Error(`${parsed.pointer}: ${parsed.problem}`);
  return parsed.request;
}

function chat(members: Record<string, unknown>): Record<string, unknown> {
  return { model: 'm', messages: [USER], ...members };
}

function part(content: unknown): Record<string, unknown> {
  return chat({ messages: [USER, { role: 'user', content: ['first', content] }] });
}

describe('LLM-19 parseChat refuses, with a JSON pointer', () => {
  it.each([
    ['no object', 'text', ''],
    ['a list', [], ''],
    ['no model', { messages: [USER] }, '/model'],
    ['an empty model', chat({ model: '' }), '/model'],
    ['a model of a wrong type', chat({ model: 7 }), '/model'],
    ['no messages', { model: 'm' }, '/messages'],
    ['empty messages', chat({ messages: [] }), '/messages'],
    ['messages of a wrong type', chat({ messages: 'Hi' }), '/messages'],
    ['a message of a wrong type', chat({ messages: [USER, 'Hi'] }), '/messages/1'],
    ['a message without a role', chat({ messages: [{ content: 'Hi' }] }), '/messages/0/role'],
    ['a message without content', chat({ messages: [{ role: 'user' }] }), '/messages/0/content'],
    [
      'content of a wrong type',
      chat({ messages: [{ role: 'user', content: 5 }] }),
      '/messages/0/content',
    ],
    ['a content part of a wrong type', part('second'), '/messages/1/content/0'],
    ['stream of a wrong type', chat({ stream: 'true' }), '/stream'],
    ['stream_options of a wrong type', chat({ stream_options: [] }), '/stream_options'],
    [
      'include_usage of a wrong type',
      chat({ stream_options: { include_usage: 1 } }),
      '/stream_options/include_usage',
    ],
    ['max_tokens 0', chat({ max_tokens: 0 }), '/max_tokens'],
    ['max_tokens -1', chat({ max_tokens: -1 }), '/max_tokens'],
    ['max_tokens 1.5', chat({ max_tokens: 1.5 }), '/max_tokens'],
    ['max_tokens as a text', chat({ max_tokens: '5' }), '/max_tokens'],
    ['max_tokens above every model', chat({ max_tokens: 1_000_000_001 }), '/max_tokens'],
    ['max_completion_tokens 0', chat({ max_completion_tokens: 0 }), '/max_completion_tokens'],
    ['two different bounds', chat({ max_tokens: 5, max_completion_tokens: 6 }), '/max_tokens'],
    ['n 0', chat({ n: 0 }), '/n'],
    ['n 129', chat({ n: 129 }), '/n'],
    ['a search of unknown size', chat({ web_search_options: {} }), '/web_search_options'],
    ['a search of another name', chat({ search_parameters: { mode: 'on' } }), '/search_parameters'],
    ['a search by a flag', chat({ enable_search: true }), '/enable_search'],
    ['a search by a plugin', chat({ plugins: [{ id: 'web' }] }), '/plugins'],
    ['a search by a tool', chat({ tools: [{ type: 'web_search' }] }), '/tools/0/type'],
    ['a dearer tier', chat({ service_tier: 'priority' }), '/service_tier'],
    ['models that may answer instead', chat({ models: ['dear'] }), '/models'],
    ['models of a proxy that may', chat({ fallbacks: [{ model: 'dear' }] }), '/fallbacks'],
    ['a host of the model that may', chat({ provider: { order: ['dear'] } }), '/provider'],
    ['models by a name of the operator', chat({ preset: 'dear' }), '/preset'],
    ['completions that are not sent', chat({ best_of: 20 }), '/best_of'],
    ['an answer that is fetched elsewhere', chat({ deferred: true }), '/deferred'],
    ['members that are not looked at', chat({ extra_body: { n: 50 } }), '/extra_body'],
    ['data that the provider looks up', chat({ data_sources: [{ type: 'x' }] }), '/data_sources'],
    ['a tool without a type', chat({ tools: [{ googleSearch: {} }] }), '/tools/0/type'],
    ['speech', chat({ modalities: ['text', 'audio'], audio: { voice: 'alloy' } }), '/modalities'],
    ['images', chat({ modalities: ['image'] }), '/modalities'],
    ['a list where a flag is meant', chat({ enable_search: [false] }), '/enable_search'],
    ['such a member in other letters', chat({ Service_Tier: 'priority' }), '/Service_Tier'],
    [
      'audio of unknown size',
      chat({ messages: [{ role: 'assistant', audio: { id: 'a' } }] }),
      '/messages/0/audio',
    ],
  ])('%s', (_title, body, pointer) => {
    const parsed = parseChat(body, 100);
    expect(parsed).toEqual({ kind: 'invalid', pointer, problem: expect.stringMatching(/\w{3}/u) });
  });

  it.each([
    ['no type', { text: 'a' }, '/type'],
    ['audio', { type: 'input_audio', input_audio: { data: '', format: 'wav' } }, '/type'],
    ['a file', { type: 'file', file: { file_id: 'f' } }, '/type'],
    ['a text that is none', { type: 'text', text: 1 }, '/text'],
    ['a refusal that is none', { type: 'refusal' }, '/refusal'],
    ['an image without a URL', { type: 'image_url', image_url: {} }, '/image_url/url'],
  ])('a content part with %s', (_title, content, pointer) => {
    const body = chat({
      messages: [{ role: 'user', content: [{ type: 'text', text: '' }, content] }],
    });
    const parsed = parseChat(body, 100);
    expect(parsed).toMatchObject({ kind: 'invalid', pointer: `/messages/0/content/1${pointer}` });
  });
});

describe('parseChat accepts', () => {
  it.each([
    ['the least', chat({}), {}],
    ['members it does not know', chat({ temperature: 9, x_vendor: { a: [] } }), {}],
    [
      'null for what is optional',
      chat({ stream: null, stream_options: null, max_tokens: null, n: null }),
      {},
    ],
    ['an older bound', chat({ max_tokens: 7 }), { outputTokensMax: 7 }],
    ['a newer bound', chat({ max_completion_tokens: 8 }), { outputTokensMax: 8 }],
    [
      'both when they agree',
      chat({ max_tokens: 7, max_completion_tokens: 7 }),
      { outputTokensMax: 7 },
    ],
    ['several choices', chat({ n: 128 }), { choices: 128 }],
    ['a tier that is no dearer', chat({ service_tier: 'flex', enable_search: false }), {}],
    ['text, as it comes anyway', chat({ modalities: ['text'] }), {}],
    ['no extras at all', chat({ plugins: [], models: null, search_parameters: null }), {}],
    ['extras that are switched off', chat({ best_of: 1, deferred: false, fallbacks: [] }), {}],
    ['tools of its own', chat({ tools: [{ type: 'function' }, { type: 'custom' }, {}] }), {}],
    ['a function without a type', chat({ tools: [{ function: { name: 'f' } }] }), {}],
    [
      'what only shapes an answer',
      chat({
        logprobs: true,
        store: true,
        reasoning_effort: 'high',
        prediction: null,
        route: 'fallback',
      }),
      {},
    ],
    ['a stream', chat({ stream: true }), { stream: true }],
    [
      'a stream with usage',
      chat({ stream: true, stream_options: { include_usage: true } }),
      { stream: true, wantsUsageChunk: true },
    ],
    ['usage asked without a stream', chat({ stream_options: { include_usage: true } }), {}],
    [
      'tool calls without content',
      chat({
        messages: [USER, { role: 'assistant', tool_calls: [] }, { role: 'tool', content: null }],
      }),
      {},
    ],
    [
      'parts',
      chat({
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: '' },
              { type: 'refusal', refusal: '' },
            ],
          },
        ],
      }),
      {},
    ],
  ])('%s', (_title, body, expected) => {
    expect(parseOk(parseChat, body)).toMatchObject({
      model: 'm',
      stream: false,
      wantsUsageChunk: false,
      outputTokensMax: undefined,
      choices: 1,
      ...expected,
    });
  });
});

describe('LLM-08 the input bound', () => {
  it('counts images by the piece, and not by their inline bytes', () => {
    const image = (url: string) => ({ type: 'image_url', image_url: { url, detail: 'high' } });
    const text = chat({ messages: [{ role: 'user', content: [image('data:'), image('data:')] }] });
    const body = chat({
      messages: [{ role: 'user', content: [image(`data:${'A'.repeat(99_999)}`), image('data:')] }],
    });
    const parsed = parseOk(parseChat, body);
    expect(parsed.inputTokensBound).toBe(parseOk(parseChat, text).inputTokensBound);
    expect(parsed.inputTokensOverhead).toBeGreaterThan(2 * 48_169);
    expect(parsed.inputText()).not.toContain('AAAA');
  });

  it('is not made smaller by texts that only look like images', () => {
    const hidden = { type: 'image_url', image_url: { url: `data:${'word '.repeat(500)}` } };
    const body = chat({
      tools: [{ type: 'function', function: hidden }],
      messages: [{ role: 'user', content: 'data:,word word' }],
    });
    const parsed = parseOk(parseChat, body);
    expect(parsed.inputTokensBound).toBeGreaterThan(bytesOf(body));
    expect(countTokens(parsed.inputText())).toBeGreaterThan(500);
    expect(parsed.inputText()).toContain('data:,word word');
  });

  it('collects text nested deeper than the stack', () => {
    const deep: unknown = JSON.parse('['.repeat(200_000) + '"bottom"' + ']'.repeat(200_000));
    const parsed = parseChat(chat({ tools: deep }), 400_100);
    expect(parsed.kind === 'ok' && parsed.request.inputText()).toContain('bottom');
  });

  it('collects the text of more messages than a call takes arguments', () => {
    const messages = Array.from({ length: 80_000 }, () => ({ role: 'u', content: 'x' }));
    const parsed = parseOk(parseChat, chat({ messages }));
    expect(parsed.inputText().match(/x/g)).toHaveLength(80_000);
  });

  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom('\u0000', '\\', '"', '\ud800', '\ufdfa', '\u{1f5fc}', '\n', ' '),
    }),
    fc.lorem(),
  );
  const call = fc.record({
    id: texts,
    type: fc.constant('function'),
    function: fc.record({ name: texts, arguments: texts }),
  });
  const message = fc.oneof(
    fc.record({ role: fc.constantFrom('system', 'user'), content: texts, name: texts }),
    fc.record({
      role: fc.constant('user'),
      content: fc.array(fc.record({ type: fc.constant('text'), text: texts })),
    }),
    fc.record({ role: fc.constant('assistant'), tool_calls: fc.array(call) }),
  );
  const bodies = fc.record(
    {
      model: fc.constant('m'),
      messages: fc.array(message, { minLength: 1 }),
      tools: fc.array(call),
    },
    { requiredKeys: ['model', 'messages'] },
  );

  /** All texts in a value: what a model can read of it. */
  function listTexts(value: unknown): string[] {
    if (typeof value === 'string') return [value];
    return typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(listTexts)
      : [];
  }

  it('is never below what gpt-tokenizer counts, in bytes or tokenised', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const parsed = parseOk(parseChat, body);
        // Three tokens of framing a message and three for the reply, as OpenAI's cookbook counts.
        const framing = 3 + 3 * body.messages.length;
        const tokens = listTexts(body).reduce((sum, text) => sum + countTokens(text), framing);
        expect(parsed.inputTokensBound).toBeGreaterThanOrEqual(tokens);
        const closer = countTokens(parsed.inputText()) + parsed.inputTokensOverhead;
        expect(closer).toBeGreaterThanOrEqual(tokens);
      }),
      { numRuns: 300 },
    );
  });

  it('holds however the JSON was escaped', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
        const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
        const raw = `{"model":"m","messages":[{"role":"user","content":"${escaped}"}]}`;
        const parsed = parseChat(JSON.parse(raw), Buffer.byteLength(raw));
        const bound = parsed.kind === 'ok' ? parsed.request.inputTokensBound : 0;
        expect(bound).toBeGreaterThanOrEqual(countTokens(text));
      }),
    );
  });
});

describe('parseEmbeddings', () => {
  it.each([
    ['a text', 'some text', 4],
    ['texts', ['some', 'text'], 6],
    ['tokens', [1, 100_256], 4],
    ['lists of tokens', [[1], [2, 3]], 5],
  ])('takes %s', (_title, input, tokens) => {
    const request = parseOk(parseEmbeddings, { model: 'e', input });
    expect(request).toMatchObject({ model: 'e', stream: false, outputTokensMax: 0, choices: 1 });
    expect(request.inputTokensBound).toBeGreaterThanOrEqual(tokens);
    expect(countTokens(request.inputText()) + request.inputTokensOverhead).toBeGreaterThanOrEqual(
      tokens,
    );
  });

  it('refuses what the price of its model does not cover', () => {
    const body = { model: 'e', input: 'text', models: ['dear'] };
    expect(parseEmbeddings(body, 50)).toMatchObject({ kind: 'invalid', pointer: '/models' });
  });

  it.each([
    ['nothing', undefined, '/input'],
    ['null', null, '/input'],
    ['an empty list', [], '/input'],
    ['a number', 5, '/input'],
    ['a mixed list', ['a', 1], '/input/1'],
    ['half a token', [1, 1.5], '/input/1'],
    ['a negative token', [[1], [-1]], '/input/1'],
    ['an empty list of tokens', [[1], []], '/input/1'],
    ['an object', [{}], '/input/0'],
  ])('refuses %s', (_title, input, pointer) => {
    expect(parseEmbeddings({ model: 'e', input }, 50)).toMatchObject({ kind: 'invalid', pointer });
  });
});
