import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { buildLimit, buildModel } from '../../../test/support/build-catalog.ts';
import { type MemoryCall } from '../../../test/support/memory-gateway.ts';
import type { Api, Route } from '../../domain/catalog.ts';
import {
  AI,
  ask,
  bodyOf,
  open,
  OWES,
  type Setting,
} from '../../../test/support/pipeline-setting.ts';

describe('calls of a model', () => {
  const setting: Setting = {
    routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
    plan: { models: ['m', 'large'] },
    catalog: {
      models: new Map([
        ['m', buildModel('m')],
        ['large', buildModel('large')],
      ]),
    },
  };
  const chat = (members: object = {}): MemoryCall => ({
    path: '/',
    body: { model: 'large', messages: [{ role: 'user', content: 'hi' }], ...members },
  });

  it('KEY-02: a model the key may not use is 403, also where the body is wrong besides', async () => {
    const gateway = open({ ...setting, key: { models: ['m'] } });
    const response = await gateway.call(chat());
    expect([response.status, bodyOf(response).details.permission]).toEqual([403, 'model:large']);
    expect(await ask(gateway, chat({ messages: 5 }))).toBe('403 KEY_PERMISSION_DENIED');
    expect(await ask(gateway, chat({ model: 'm', messages: 5 }))).toBe('400 INVALID_REQUEST');
  });

  it.each([{ Model: 'm' }, { MAX_TOKENS: 4000 }, { N: 50 }])(
    'LLM-19: what was priced is what is read, by a server that ignores the case of names too: %j',
    async (members) => {
      const gateway = open(setting);
      const response = await gateway.call(chat(members));
      const [name] = Object.keys(members);
      expect([response.status, bodyOf(response).details.pointer]).toEqual([400, `/${name}`]);
      expect(gateway.sent).toEqual([]);
    },
  );

  it('LLM-19: a member that is not priced may be spelled as one likes', async () => {
    const gateway = open(setting);
    gateway.answer = { status: 200, headers: [], body: '{"choices":[]}' };
    expect(await ask(gateway, chat({ User: 'u', Temperature: 1 }))).toBe('200');
    expect(gateway.sent).toHaveLength(1);
  });

  it('are understood before anybody is told what they owe', async () => {
    const gateway = open({ ...setting, tenant: OWES });
    expect(await ask(gateway, chat({ messages: 5 }))).toBe('400 INVALID_REQUEST');
    expect(await ask(gateway, chat())).toBe('402 INVOICE_OVERDUE');
  });

  it('EVID-01: a stream beyond its bound is followed to its end, and charged no more than was held', async () => {
    const words = 'word '.repeat(5000);
    const event = { choices: [{ index: 0, delta: { content: words } }] };
    const body = `data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`;
    const streamed = async (api: Partial<Api>) => {
      const limits = [buildLimit(300, { id: 'tokens', unit: 'tokens' })];
      const gateway = open({ ...setting, api, plan: { ...setting.plan, limits } });
      gateway.answer = { status: 200, headers: ['Content-Type', 'text/event-stream'], body };
      const response = await gateway.call(chat({ stream: true, max_tokens: 1 }));
      return { response, charged: Object.values(gateway.engine.charged) };
    };
    expect((await streamed({})).response.status).toBe(502);
    const { response, charged } = await streamed({ enforcement: 'observe' });
    expect([response.status, response.body]).toEqual([200, body]);
    expect(charged).toHaveLength(1);
    expect(charged[0]).toBeLessThanOrEqual(300);
  });

  it.each([
    ['a stream of another spelling', { stream: true }, ['Content-Type', 'Text/Event-Stream']],
    [
      'a stream that says it is not compressed',
      { stream: true },
      ['Content-Type', 'text/event-stream', 'Content-Encoding', 'identity'],
    ],
    ['GZIP', {}, ['Content-Type', 'application/json', 'Content-Encoding', 'GZIP']],
    ['x-gzip', {}, ['Content-Type', 'application/json', 'Content-Encoding', 'x-gzip']],
  ])('LLM-06: are charged what the upstream says: %s', async (_name, members, headers) => {
    const limits = [buildLimit(1_000_000, { id: 'tokens', unit: 'tokens' })];
    const gateway = open({ ...setting, plan: { ...setting.plan, limits } });
    const usage = JSON.stringify({ usage: { prompt_tokens: 10, completion_tokens: 900 } });
    const body = 'stream' in members ? `data: ${usage}\n\ndata: [DONE]\n\n` : gzipSync(usage);
    gateway.answer = { status: 200, headers, body };
    expect((await gateway.call(chat(members))).status).toBe(200);
    expect(Object.values(gateway.engine.charged)).toEqual([910]);
  });

  it('LLM-08: that may cost more than any number holds are 402', async () => {
    const price = { perOutputToken: 1_000_000_000n };
    const large = { ...buildModel('large', price), contextWindow: 2_000_000_000 };
    const models = new Map([['large', large]]);
    const plan = { models: ['large'], usage: 'prepaid' } as const;
    const gateway = open({ ...setting, plan, catalog: { models } });
    const most = chat({ max_tokens: 1_000_000_000, n: 128 });
    expect(await ask(gateway, most)).toBe('402 INSUFFICIENT_CREDITS');
    const contextTiers = [{ tokensMax: 2_000_000_000, priceMultiplierPermille: 2000 }];
    const tiered = open({ ...setting, plan: { ...plan, contextTiers }, catalog: { models } });
    tiered.engine.balances.set('bal:ten_1:USD', 9_000_000_000_000_000);
    const twice = chat({ max_tokens: 1_000_000_000, n: 8 });
    expect(await ask(tiered, twice)).toBe('402 INSUFFICIENT_CREDITS');
  });

  it('have parameters and requirements of the route as well', async () => {
    const parameters = [{ in: 'body', name: '/user', type: 'string', required: true } as const];
    const [route] = setting.routes ?? [];
    const gateway = open({ ...setting, routes: [{ ...route, parameters, requires: [AI] }] });
    expect(await ask(gateway, chat())).toBe('400 INVALID_REQUEST');
    expect(await ask(gateway, chat({ user: 'u', extract: 'ai' }))).toBe(
      '403 FEATURE_NOT_AVAILABLE',
    );
  });
});

describe('GET /v1/models', () => {
  const models = ['m', 'large', 'other'].map((id) => [id, buildModel(id)] as const);
  const setting: Setting = {
    routes: [{ kind: 'models', dialect: 'openai', upstreamId: undefined, endpointClass: 'free' }],
    plan: { models: ['m', 'large'] },
    catalog: { models: new Map(models) },
  };
  const listOf = async (key: Setting['key'], call: Partial<MemoryCall> = {}) => {
    const response = await open({ ...setting, ...(key && { key }) }).call({ path: '/', ...call });
    const { data } = JSON.parse(response.body) as { data: { id: string }[] };
    return data.map(({ id }) => id);
  };

  it('LLM-12, KEY-02: lists what the key may call, and to nobody in particular what is on offer', async () => {
    expect(await listOf({})).toEqual(['m', 'large']);
    expect(await listOf({ models: ['m', 'other'] })).toEqual(['m']);
    expect(await listOf({}, { key: undefined })).toEqual(['m', 'large', 'other']);
  });

  it('LLM-02: one of them is told by its name, as the SDK retrieves it; what the list leaves out is 404', async () => {
    const named = (name: string): Partial<Route> => ({
      kind: 'models',
      dialect: 'openai',
      upstreamId: undefined,
      endpointClass: 'free',
      match: { methods: ['GET'], path: { kind: 'prefix', value: name }, headers: [] },
    });
    const slashed = new Map([...models, ['vendor/m', buildModel('vendor/m')]]);
    const plan = { models: ['m', 'large', 'vendor/m'] };
    const routes = [named('/v1/models')];
    const gateway = open({ ...setting, routes, plan, catalog: { models: slashed } });
    const retrieve = (name: string, key?: { key: undefined }) =>
      gateway.call({ path: `/v1/models/${name}`, ...key });
    const found = await retrieve('m');
    expect([found.status, JSON.parse(found.body)]).toEqual([
      200,
      { id: 'm', object: 'model', created: 0, owned_by: 'demo' },
    ]);
    expect(JSON.parse((await retrieve('vendor/m')).body)).toMatchObject({ id: 'vendor/m' });
    expect(JSON.parse((await retrieve('%6D')).body)).toMatchObject({ id: 'm' });
    expect((await retrieve('other', { key: undefined })).status).toBe(200);
    expect((await retrieve('none', { key: undefined })).status).toBe(404);
    const left = await retrieve('other');
    expect([left.status, bodyOf(left).code]).toEqual([404, 'MODEL_NOT_FOUND']);
    expect(bodyOf(left).details).not.toHaveProperty('nearest');
    expect(bodyOf(await retrieve('larg')).details).toMatchObject({ nearest: 'large' });
    expect((await ask(gateway, { path: '/v1/models/m', key: 'nonsense' })).slice(0, 3)).toBe('401');
  });

  it('GW-02: a key that is sent and no good is 401', async () => {
    expect(await ask(open(setting), { path: '/', key: 'nonsense' })).toBe('401 KEY_UNKNOWN');
  });
});

describe('bound: an answer that is read whole', () => {
  const MiB = 1024 * 1024;
  const END = '"usage":{"prompt_tokens":1,"total_tokens":1}}';

  it.each([
    ['chat', 15, 200],
    ['chat', 16, 502],
    ['embeddings', 16, 200],
    ['embeddings', 63, 200],
    ['embeddings', 64, 502],
  ] as const)('of %s, %d MiB and some bytes: %d', async (kind, size, status) => {
    const gateway = open({
      routes: [{ kind, dialect: 'openai', upstreamId: undefined }],
      plan: { models: ['*'] },
      catalog: { models: new Map([['m', buildModel('m')]]) },
    });
    const piece = ' '.repeat(MiB);
    gateway.answer = {
      status: 200,
      headers: ['Content-Type', 'application/json'],
      body: ['{', ...Array.from({ length: size }, () => piece), END],
    };
    const text =
      kind === 'chat' ? { messages: [{ role: 'user', content: 'hi' }] } : { input: 'hi' };
    const response = await gateway.call({ path: '/', body: { model: 'm', ...text } });
    expect(response.status).toBe(status);
    expect(gateway.engine.openUnits).toBe(0);
  });
});

describe('QUOTA-02: a model is counted by its own name, whatever it is called by', () => {
  const m = buildModel('m');
  const models = new Map([
    ['m', m],
    ['fast', { ...m, id: 'fast', aliasOf: 'm' }],
  ]);
  const routes = [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }] as const;
  const answer = {
    status: 200,
    headers: ['Content-Type', 'application/json'],
    body: '{"usage":{"prompt_tokens":1,"completion_tokens":1}}',
  };
  const chat = (model: string): MemoryCall => ({
    path: '/v1/chat/completions',
    body: { model, max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] },
  });

  it.each<[string, Setting]>([
    ['of a plan, for each model', { plan: { limits: [buildLimit(1, { scope: 'model' })] } }],
    ['of a key, for one of its names', { key: { limits: [buildLimit(1, { models: ['fast'] })] } }],
  ])('a limit %s', async (_what, setting) => {
    for (const [first, second] of [
      ['m', 'fast'],
      ['fast', 'm'],
    ] as const) {
      const plan = { models: ['*'], priceNano: 1n, ...setting.plan };
      const gateway = open({ ...setting, plan, routes, catalog: { models } });
      gateway.answer = answer;
      // oxlint-disable-next-line no-await-in-loop -- the first call uses up what the second is refused
      expect(await ask(gateway, chat(first))).toBe('200');
      // oxlint-disable-next-line no-await-in-loop -- the first call uses up what the second is refused
      expect(await ask(gateway, chat(second))).toBe('402 REQUEST_QUOTA_EXCEEDED');
    }
  });
});
