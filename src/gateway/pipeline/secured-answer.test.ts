import { describe, expect, it } from 'vitest';

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
import { MemoryResponse } from '../../../test/support/memory-exchange.ts';
import { MemoryGateway, RAW_KEY } from '../../../test/support/memory-gateway.ts';
import type { Durability, Model, Plan, Route } from '../../domain/catalog.ts';
import type { Engine } from '../../engine/engine.ts';

const BALANCE = 'bal:ten_1:USD';
const CHAT = { kind: 'chat', dialect: 'openai', upstreamId: undefined } as const;
const STREAM = ['Content-Type', 'text/event-stream'];
const PAID = { price: buildPrice({ perRequest: 7_000_000_000n }) };
const BY_BYTE = { price: buildPrice({ perByteOut: 1_000_000_000n }) };
const CLASSES: readonly Durability[] = ['journal-fsync', 'commit-before-serve'];

interface Setting {
  readonly route?: Partial<Route>;
  readonly model?: Partial<Model>;
  readonly plan?: Partial<Plan>;
}

/** One route at `/`. */
function openGateway({ route, model, plan }: Setting): MemoryGateway {
  const match = { methods: [], path: { kind: 'prefix', value: '/' }, headers: [] } as const;
  const catalog = buildCatalog([buildPlan('free', { models: ['m'], ...plan })], {
    apis: [buildApi({ routes: [buildRoute({ match, ...route })] })],
    upstreams: new Map([['main', UPSTREAM]]),
    providers: new Map([['demo', { id: 'demo', type: 'openai-compatible', upstreamId: 'main' }]]),
    models: new Map([['m', { ...buildModel('m', { perOutputToken: 1_000_000_000n }), ...model }]]),
  });
  const gateway = new MemoryGateway(catalog, {
    key: buildKey(RAW_KEY),
    tenant: buildTenant(),
    ancestors: [],
  });
  gateway.engine.balances.set(BALANCE, 100_000_000);
  return gateway;
}

const chatBody = (stream: boolean) => ({
  model: 'm',
  max_tokens: 8,
  stream,
  messages: [{ role: 'user', content: 'hi' }],
});
const events = (...pieces: readonly string[]): string =>
  pieces
    .map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`)
    .join('');

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo() && turn < 100; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- waits for a condition, bounded
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Which way each charge went; `settle` decides what waits. */
function watch(gateway: MemoryGateway) {
  const { engine } = gateway;
  const asked: string[] = [];
  const pending: ((isSafe: boolean) => void)[] = [];
  const wait = <Result>(name: string, go: () => Promise<Result>): Promise<Result> => {
    asked.push(name);
    return new Promise((resolve) => {
      pending.push((isSafe) => {
        engine.insecure = !isSafe;
        resolve(go());
      });
    });
  };
  const secureCharge = engine.secureCharge.bind(engine);
  const secureProgress = engine.secureProgress.bind(engine);
  Object.assign(engine, {
    secureCharge: (...[hold, amounts, durability]: Parameters<Engine['secureCharge']>) =>
      wait(`charge ${durability}`, () => secureCharge(hold, amounts)),
    secureProgress: (...[, , durability]: Parameters<Engine['secureProgress']>) =>
      wait(`progress ${durability}`, () => secureProgress()),
  });
  const settle = async (isSafe: boolean): Promise<void> => {
    await until(() => pending.length > 0);
    const next = pending.shift();
    if (next === undefined) throw new Error('nothing waits');
    next(isSafe);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { asked, settle };
}

describe('an answer whose charge has to be safe first', () => {
  it.each(CLASSES)(
    '%s: a proxied one waits, then leaves whole and is recorded',
    async (durability) => {
      const gateway = openGateway({ route: { ...PAID, durability } });
      const { asked, settle } = watch(gateway);
      const response = new MemoryResponse();
      const ended = gateway.call({ path: '/' }, response);
      await until(() => asked.length > 0);
      expect(asked).toEqual([`charge ${durability}`]);
      expect([response.headSent, response.body, gateway.logged]).toEqual([false, '', []]);
      await settle(true);
      await ended;
      expect([response.status, response.body, response.ended]).toEqual([200, 'served', true]);
      expect(gateway.engine.charged).toEqual({ [BALANCE]: 7_000_000 });
      expect(gateway.facts.outcome).toMatchObject({ status: 200, costNano: 7_000_000 });
    },
  );

  it.each(CLASSES)(
    '%s: a charge that fails is a 503, costs nothing and frees the hold',
    async (durability) => {
      for (const route of [PAID, BY_BYTE, CHAT]) {
        const gateway = openGateway({ route: { ...route, durability } });
        gateway.engine.insecure = true;
        const call = { path: '/', ...(route === CHAT ? { body: chatBody(false) } : {}) };
        if (route === CHAT) {
          gateway.answer.body = JSON.stringify({ choices: [{ message: { content: 'hi' } }] });
        }
        // oxlint-disable-next-line no-await-in-loop -- each case looks at the one log row there is
        const response = await gateway.call(call);
        expect(response.status).toBe(503);
        expect(response.body).toContain('BILLING_UNAVAILABLE');
        expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
        const { outcome } = gateway.facts;
        expect(outcome).toMatchObject({ status: 503, ending: 'refused', costNano: 0 });
        expect(gateway.logged).toHaveLength(1);
      }
    },
  );

  it.each(['journal' as const, ...CLASSES])(
    '%s: what the house pays of a call is not told as its cost',
    async (durability) => {
      const gateway = openGateway({ route: { ...CHAT, durability } });
      const usage = { prompt_tokens: 1, completion_tokens: 500 };
      gateway.answer.body = JSON.stringify({ choices: [], usage });
      const response = await gateway.call({ path: '/', body: chatBody(false) });
      expect(response.header('x-tollkeeper-cost')).toBe('0.1000 USD');
      expect(gateway.engine.charged).toEqual({ [BALANCE]: 100_000_000 });
      const { outcome } = gateway.facts;
      expect(outcome).toMatchObject({ costNano: 500_000_000, overrunNano: 400_000_000 });
    },
  );

  it('a stream waits for each of its pieces, and its end for the class', async () => {
    const gateway = openGateway({ route: { ...CHAT, durability: 'commit-before-serve' } });
    const { asked, settle } = watch(gateway);
    gateway.answer = { status: 200, headers: STREAM, body: events('one', 'two') };
    const response = new MemoryResponse();
    const ended = gateway.call({ path: '/', body: chatBody(true) }, response);
    await until(() => asked.length > 0);
    expect(asked).toEqual(['progress journal-fsync']);
    expect(response.headSent).toBe(false);
    await settle(true);
    expect(response.body).toContain('two');
    expect(response.ended).toBe(false);
    await settle(true);
    await ended;
    expect(asked).toEqual(['progress journal-fsync', 'charge commit-before-serve']);
    expect([response.status, response.ended]).toEqual([200, true]);
  });

  it.each([
    [
      'a model',
      { route: { ...CHAT, durability: 'journal-fsync' } },
      '"code":"BILLING_UNAVAILABLE"',
    ],
    ['a proxied one', { route: { ...BY_BYTE, durability: 'journal-fsync' } }, undefined],
  ] as const)(
    'a stream of %s whose end cannot be made safe is broken off, charged as far as it was seen',
    async (_name, setting, told) => {
      const gateway = openGateway(setting);
      const { settle } = watch(gateway);
      gateway.answer = { status: 200, headers: STREAM, body: events('one') };
      const response = new MemoryResponse();
      const body = told === undefined ? {} : { body: chatBody(true) };
      const ended = gateway.call({ path: '/', ...body }, response);
      // A proxied one waits with its head too.
      if (told === undefined) await settle(true);
      await settle(true);
      await settle(false);
      await ended;
      expect(response.body).toContain('one');
      expect(response.destroyed).toBe(told === undefined);
      expect(response.body).toContain(told ?? 'one');
      const { outcome } = gateway.facts;
      expect(outcome).toMatchObject({ ending: 'cut' });
      expect(outcome?.costNano).toBeGreaterThan(0);
      expect(gateway.engine.openUnits).toBe(0);
    },
  );

  it('who leaves meanwhile is charged for what was made for them, and the log says so', async () => {
    const gateway = openGateway({ route: { ...PAID, durability: 'journal-fsync' } });
    const { asked, settle } = watch(gateway);
    const response = new MemoryResponse();
    const ended = gateway.call({ path: '/' }, response);
    await until(() => asked.length > 0);
    response.closed = true;
    response.onClientGone?.();
    await settle(true);
    await ended;
    expect(gateway.facts.outcome).toMatchObject({ ending: 'client-gone', costNano: 7_000_000 });
    expect(gateway.engine.openUnits).toBe(0);
  });

  it('a stream that its upstream breaks off was not left by its caller', async () => {
    const gateway = openGateway({ route: { ...CHAT, durability: 'journal-fsync' } });
    const { settle } = watch(gateway);
    const secureProgress = gateway.engine.secureProgress.bind(gateway.engine);
    gateway.answer = { status: 200, headers: STREAM, body: [events('one'), events('two')] };
    let chunks = 0;
    Object.assign(gateway.engine, {
      secureProgress: (...args: Parameters<Engine['secureProgress']>) => {
        chunks += 1;
        if (chunks > 1) throw new Error('planted');
        return (secureProgress as Engine['secureProgress'])(...args);
      },
    });
    const response = new MemoryResponse();
    const ended = gateway.call({ path: '/', body: chatBody(true) }, response);
    await settle(true);
    await settle(true);
    await ended;
    expect(response.destroyed).toBe(true);
    expect(gateway.facts.outcome).toMatchObject({ ending: 'upstream-broke' });
  });

  it('with slots a flat price is charged for good with the head; the slots last to the end', async () => {
    const limits = [buildLimit(1, { unit: 'concurrent_requests', window: 'lifetime' })];
    const route = { ...PAID, durability: 'commit-before-serve' } as const;
    const gateway = openGateway({ route, plan: { limits } });
    const { asked, settle } = watch(gateway);
    const ended = gateway.call({ path: '/' });
    await settle(true);
    await settle(true);
    expect((await ended).status).toBe(200);
    expect(asked).toEqual(['progress commit-before-serve', 'charge commit-before-serve']);
  });

  it.each<[string, Setting, string | undefined]>([
    ['the model says it', { model: { durability: 'journal-fsync' } }, 'charge journal-fsync'],
    [
      'the model overrules its API',
      { route: { durability: 'commit-before-serve' }, model: { durability: 'journal' } },
      undefined,
    ],
    [
      'a model that says nothing is as its API',
      { route: { durability: 'commit-before-serve' } },
      'charge commit-before-serve',
    ],
    ['nobody says anything', {}, undefined],
  ])('%s', async (_name, { route, model }, asks) => {
    const gateway = openGateway({
      route: { ...CHAT, ...route },
      ...(model === undefined ? {} : { model }),
    });
    const { asked, settle } = watch(gateway);
    gateway.answer.body = JSON.stringify({ choices: [{ message: { content: 'hi' } }] });
    const ended = gateway.call({ path: '/', body: chatBody(false) });
    if (asks !== undefined) await settle(true);
    expect((await ended).status).toBe(200);
    expect(asked).toEqual(asks === undefined ? [] : [asks]);
  });
});
