import { describe, expect, it, vi } from 'vitest';

import {
  buildApi,
  buildCatalog,
  buildLimit,
  buildModel,
  buildPlan,
  buildPrice,
  buildRoute,
  UPSTREAM,
} from '../../../test/support/build-catalog.ts';
import { buildKey, buildTenant } from '../../../test/support/build-key.ts';
import { LeavingResponse, MemoryResponse } from '../../../test/support/memory-exchange.ts';
import { type MemoryCall, MemoryGateway, RAW_KEY } from '../../../test/support/memory-gateway.ts';
import type { Plan, Route } from '../../domain/catalog.ts';
import { openaiCompatible } from '../../providers/openai-compatible/openai-compatible.ts';
import type { Provider } from '../../providers/provider.ts';
import type { GatewayContext } from './context.ts';

const SLOTS = buildLimit(1, { id: 'slots', unit: 'concurrent_requests', window: 'lifetime' });
const STREAM = ['Content-Type', 'text/event-stream'];

/** The texts of its requests cannot be collected. */
const UNREADABLE: Provider = {
  ...openaiCompatible,
  parseChat: (body, bytes) => {
    const parsed = openaiCompatible.parseChat(body, bytes);
    if (parsed.kind === 'invalid') return parsed;
    const inputText = (): never => {
      throw new RangeError('planted');
    };
    return { ...parsed, request: { ...parsed.request, inputText } };
  },
};

/** One route at `/`, of a plan with these members. */
function openGateway(
  route: Partial<Route>,
  plan: Partial<Plan>,
  members: Partial<GatewayContext> = {},
): MemoryGateway {
  const match = { methods: [], path: { kind: 'prefix', value: '/' }, headers: [] } as const;
  const catalog = buildCatalog([buildPlan('free', plan)], {
    apis: [buildApi({ routes: [buildRoute({ match, ...route })] })],
    upstreams: new Map([['main', UPSTREAM]]),
    providers: new Map([['demo', { id: 'demo', type: 'openai-compatible', upstreamId: 'main' }]]),
    models: new Map([['m', buildModel('m', { perOutputToken: 1_000_000_000n })]]),
  });
  const found = { key: buildKey(RAW_KEY), tenant: buildTenant(), ancestors: [] };
  const gateway = new MemoryGateway(catalog, found, members);
  gateway.engine.balances.set('bal:ten_1:USD', 10_000_000);
  return gateway;
}

describe('a caller that leaves early', () => {
  it('QUOTA-11: while its key is looked up: its slot is free again, and the upstream hears nothing of it', async () => {
    const gateway = openGateway({}, { usage: 'included', limits: [SLOTS] });
    const response = new MemoryResponse();
    const ended = gateway.call({ path: '/' }, response);
    response.closed = true;
    await ended;
    expect(gateway.sent).toEqual([]);
    expect(gateway.engine.openUnits).toBe(0);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone' });
  });

  it.each([
    ['a guess by bytes ends at what it asked for', [' echo', ' echo', ' echo', ' echo'], 4],
    ['less than that is a guess', ['12345678'], 2],
  ])('LLM-06: in the middle of a stream: %s', async (_name, pieces, outputTokens) => {
    const route = { kind: 'chat', dialect: 'openai', upstreamId: undefined } as const;
    const gateway = openGateway(route, { models: ['m'] });
    const chunks = pieces.map((content) => JSON.stringify({ choices: [{ delta: { content } }] }));
    const body = chunks.map((chunk) => `data: ${chunk}\n\n`).join('');
    gateway.answer = { status: 200, headers: STREAM, body };
    const messages = [{ role: 'user', content: 'hi' }];
    await gateway.call(
      { path: '/', body: { model: 'm', max_tokens: 4, stream: true, messages } },
      new LeavingResponse(),
    );
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone', outputTokens });
  });
});

describe('LLM-06: an input whose text cannot be had is charged by its bytes', () => {
  const CHAT = { kind: 'chat', dialect: 'openai', upstreamId: undefined } as const;
  const ENDED = `data: ${JSON.stringify({ choices: [{ delta: { content: 'hi' } }] })}\n\n`;
  const WHOLE = JSON.stringify({ choices: [{ message: { content: 'hi' } }] });
  const body = { model: 'm', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] };
  const open = (members: object): [MemoryGateway, MemoryCall] => {
    const gateway = openGateway(CHAT, { models: ['m'] }, { providerFor: () => UNREADABLE });
    return [gateway, { path: '/', body: { ...body, ...members } }];
  };

  it.each([
    ['a stream to its end', { stream: true }, STREAM, ENDED],
    ['a whole answer', {}, ['Content-Type', 'application/json'], WHOLE],
  ])('%s', async (_name, members, headers, answer) => {
    const [gateway, call] = open(members);
    gateway.answer = { status: 200, headers, body: answer };
    const response = await gateway.call(call);
    expect([response.status, response.body]).toEqual([200, answer]);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'complete', costNano: 1_000_000 });
    expect(gateway.engine.openUnits).toBe(0);
  });

  it('a stream whose caller leaves', async () => {
    const [gateway, call] = open({ stream: true });
    gateway.answer = { status: 200, headers: STREAM, body: ENDED };
    await gateway.call(call, new LeavingResponse());
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone', costNano: 1_000_000 });
  });
});

describe('LLM-06: where no tokenizer answers, a guess by bytes ends at what was asked for', () => {
  const tokenizer = { count: () => Promise.reject(new Error('busy')) };
  const JSON_TYPE = ['Content-Type', 'application/json'];
  const long = 'many words '.repeat(100);
  const chat = { model: 'm', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] };
  const whole = JSON.stringify({ choices: [{ message: { content: long } }] });
  const chunk = `data: ${JSON.stringify({ choices: [{ delta: { content: 'many words '.repeat(4) } }] })}\n\n`;
  const vector = JSON.stringify({ data: [{ index: 0, embedding: Array(1536).fill(0.25) }] });

  it.each([
    ['a whole answer', 'chat', chat, JSON_TYPE, whole, 4],
    ['a stream to its end', 'chat', { ...chat, stream: true }, STREAM, chunk, 4],
    [
      'embeddings, which have no output',
      'embeddings',
      { model: 'm', input: [''] },
      JSON_TYPE,
      vector,
      0,
    ],
  ] as const)('%s', async (_name, kind, body, headers, answer, outputTokens) => {
    const route = { kind, dialect: 'openai', upstreamId: undefined } as const;
    const gateway = openGateway(route, { models: ['m'] }, { tokenizer });
    gateway.answer = { status: 200, headers, body: answer };
    const { status } = await gateway.call({ path: '/', body });
    const { outcome } = gateway.facts;
    expect([status, outcome]).toMatchObject([200, { ending: 'complete', outputTokens }]);
    expect(outcome?.costNano).toBeLessThanOrEqual(outcome?.holdNano ?? 0);
  });
});

describe('a hold that cannot grow (C402-19)', () => {
  const REASONS = [
    ['gone', 'INSUFFICIENT_CREDITS'],
    ['unavailable', 'BILLING_UNAVAILABLE'],
  ] as const;

  it.each(REASONS)('a stream of events whose money is %s ends with %s', async (cause, code) => {
    const gateway = openGateway({ price: buildPrice({ perByteOut: 1_000_000_000n }) }, {});
    gateway.engine.noGrowth = cause;
    gateway.answer = { status: 200, headers: STREAM, body: 'data: 1\n\ndata: 2\n\n' };
    const { status, body } = await gateway.call({ path: '/' });
    expect([status, body.slice(0, 9)]).toEqual([200, 'data: 1\n\n']);
    expect(body.slice(9)).toContain(`"code":"${code}"`);
    expect(body.slice(9)).toContain('"charged_before":true');
    expect(body.slice(9)).not.toContain('nothing was charged');
    expect(gateway.facts.outcome).toMatchObject({ ending: 'cut', costNano: 9_000_000 });
    // It is short of what it had come to, not of what was held for its beginning.
    const balance = gateway.facts.limits.find(({ kind }) => kind === 'balance');
    expect(balance?.need).toBe(18_000_000);
  });

  it.each([
    ['gone', 502, 'UPSTREAM_FAILED'],
    ['unavailable', 503, 'BILLING_UNAVAILABLE'],
  ] as const)(
    'a model that says more than it was asked for, of which more is %s, is %i %s before a byte of it is sent',
    async (cause, status, code) => {
      const route = { kind: 'chat', dialect: 'openai', upstreamId: undefined } as const;
      const gateway = openGateway(route, { models: ['m'] });
      gateway.engine.noGrowth = cause;
      const words = Array.from({ length: 9 }, () => ({ index: 0, delta: { content: 'word ' } }));
      const chunks = words.map((word) => `data: ${JSON.stringify({ choices: [word] })}\n\n`);
      gateway.answer = { status: 200, headers: STREAM, body: chunks.join('') };
      const messages = [{ role: 'user', content: 'hi' }];
      const body = { model: 'm', max_tokens: 2, stream: true, messages };
      const response = await gateway.call({ path: '/', body });
      expect(response.status).toBe(status);
      expect(JSON.parse(response.body)).toMatchObject({ error: { code } });
      expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
    },
  );
});

describe('a fault of ours at what an upstream sends', () => {
  const CHAT = { kind: 'chat', dialect: 'openai', upstreamId: undefined } as const;
  const PROXY = { price: buildPrice({ perByteOut: 1000n }) };
  const EVENT = `data: ${JSON.stringify({ choices: [{ delta: { content: 'hi' } }] })}\n\n`;
  const messages = [{ role: 'user', content: 'hi' }];
  const chat = { path: '/', body: { model: 'm', max_tokens: 4, stream: true, messages } };
  const fail = (): never => {
    throw new Error('planted');
  };

  it.each([
    ['a proxied answer', PROXY, {}, { path: '/' }],
    ['a stream of a model', CHAT, { models: ['m'] }, chat],
  ])('%s: 502 before its head is sent, and nothing charged', async (_name, route, plan, call) => {
    const gateway = openGateway(route, plan);
    gateway.answer = { status: 200, headers: STREAM, body: EVENT };
    vi.spyOn(gateway.engine, 'progress').mockImplementation(fail);
    const response = await gateway.call(call);
    expect([response.status, response.ended]).toEqual([502, true]);
    expect(gateway.facts.outcome).toMatchObject({ code: 'UPSTREAM_FAILED', costNano: 0 });
    expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
  });

  it.each([
    ['a proxied answer', PROXY, {}, { path: '/' }],
    ['a stream of a model', CHAT, { models: ['m'] }, chat],
  ])('%s: broken off behind its head, charged as measured', async (_name, route, plan, call) => {
    const gateway = openGateway(route, plan);
    gateway.answer = { status: 200, headers: STREAM, body: EVENT };
    const response = new MemoryResponse();
    response.write = fail;
    await gateway.call(call, response);
    expect(response.destroyed).toBe(true);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'upstream-broke' });
    expect(gateway.facts.outcome?.costNano).toBeGreaterThan(0);
    expect(gateway.engine.openUnits).toBe(0);
  });

  it('a fault at the end of a call whose caller has left is kept to it as well', async () => {
    const gateway = openGateway(CHAT, { models: ['m'] });
    gateway.answer = { status: 200, headers: STREAM, body: EVENT };
    vi.spyOn(gateway.engine, 'finish').mockImplementation(fail);
    await gateway.call(chat, new LeavingResponse());
    expect(gateway.facts.outcome).toMatchObject({ ending: 'cut' });
  });
});
