import { describe, expect, it } from 'vitest';

import {
  AT,
  buildLimit,
  buildModel,
  buildPlan,
  buildPrice,
  buildRateLimit,
} from '../../../test/support/build-catalog.ts';
import type { MemoryResponse } from '../../../test/support/memory-exchange.ts';
import { type MemoryCall } from '../../../test/support/memory-gateway.ts';
import type { Plan } from '../../domain/catalog.ts';
import {
  AI,
  ask,
  bodyOf,
  catalogOf,
  IN_BODY,
  ONE_CALL,
  open,
  OWES,
  type Setting,
} from '../../../test/support/pipeline-setting.ts';
import { readHeader } from './outgoing.ts';
import { readCredential } from './read-credential.ts';

describe('GW-02: the first failing step decides', () => {
  const everything: Setting = {
    routes: [
      {
        role: 'editor',
        bodyBytesMax: 100,
        parameters: [IN_BODY],
        requires: [{ kind: 'feature', id: 'ai', when: [] }],
      },
    ],
    plan: { limits: [buildLimit(0)], rateLimits: [buildRateLimit({ burst: 0 })] },
    plans: [buildPlan('pro', { priceNano: 1n, features: ['ai'] })],
    tenant: OWES,
  };
  const good = { text: 'hello' };

  it.each<[string, Setting, MemoryCall, string]>([
    ['a wrong key', everything, { path: '/', body: good, key: 'nonsense' }, '401 KEY_UNKNOWN'],
    ['no key', everything, { path: '/', body: good, key: undefined }, '401 KEY_MISSING'],
    ['a missing role', everything, { path: '/', body: good }, '403 FORBIDDEN_ROLE'],
    [
      'a body too large for the route',
      { ...everything, key: { roles: ['editor'] } },
      { path: '/', body: { text: 'x'.repeat(200) } },
      '413 BODY_TOO_LARGE',
    ],
    [
      'a missing parameter',
      { ...everything, key: { roles: ['editor'] } },
      { path: '/', body: {} },
      '400 INVALID_REQUEST',
    ],
    [
      'an unpaid invoice',
      { ...everything, key: { roles: ['editor'] } },
      { path: '/', body: good },
      '402 INVOICE_OVERDUE',
    ],
    [
      'a feature of another plan',
      { ...everything, key: { roles: ['editor'] }, tenant: {} },
      { path: '/', body: good },
      '402 FEATURE_NOT_IN_PLAN',
    ],
    [
      'a quota',
      {
        ...everything,
        plan: { ...everything.plan, features: ['ai'] },
        key: { roles: ['editor'] },
        tenant: {},
      },
      { path: '/', body: good },
      '402 FREE_TIER_EXHAUSTED',
    ],
    [
      'a rate',
      {
        ...everything,
        plan: { features: ['ai'], rateLimits: [buildRateLimit({ burst: 0 })] },
        key: { roles: ['editor'] },
        tenant: {},
      },
      { path: '/', body: good },
      '429 RATE_LIMITED',
    ],
  ])('%s', async (_what, setting, call, expected) => {
    const gateway = open(setting);
    expect(await ask(gateway, call)).toBe(expected);
    expect(gateway.sent).toEqual([]);
    expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
  });

  it('with nothing left that refuses, the call is served', async () => {
    const plan = { features: ['ai'] };
    const gateway = open({ ...everything, plan, key: { roles: ['editor'] }, tenant: {} });
    expect(await ask(gateway, { path: '/', body: good })).toBe('200');
    expect(gateway.sent).toMatchObject([{ method: 'POST', path: '/', body: '{"text":"hello"}' }]);
  });

  it('GW-19: a member that is judged stands there once, and spelled as it is judged', async () => {
    const gateway = open({ routes: [{ requires: [AI] }] });
    const twice = '{"extract":"ai","extract":"no"}';
    expect(await ask(gateway, { path: '/', body: twice })).toBe('400 INVALID_REQUEST');
    const response = await gateway.call({ path: '/', body: { Extract: 'ai' } });
    expect([response.status, bodyOf(response).details.pointer]).toEqual([400, '/extract']);
    expect(bodyOf(response).message).toContain('Extract');
    expect(gateway.sent).toEqual([]);
    const others = '{"extract":"no","other":1,"other":2,"OTHER":3}';
    expect(await ask(gateway, { path: '/', body: others })).toBe('200');
    expect(gateway.sent[0]?.body).toBe(others);
  });

  it('GW-19, LLM-22: calls of a batch are not judged together, where calls are judged', async () => {
    const when = [{ kind: 'body', name: '/params/name', equals: 'paid' }] as const;
    const requires = [{ kind: 'feature', id: 'ai', when }] as const;
    const path = '/';
    const one = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'paid' } };
    const gateway = open({ routes: [{ dialect: 'jsonrpc', requires }] });
    expect((await gateway.call({ path, body: one })).status).toBe(403);
    const response = await gateway.call({ path, body: [one, one, one] });
    expect(response.status).toBe(400);
    expect(response.body).toContain('one at a time');
    expect(gateway.sent).toEqual([]);
    const lists = open({
      routes: [{ parameters: [{ in: 'body', name: '', type: 'array', required: true }] }],
    });
    expect(await ask(lists, { path, body: [1, 2] })).toBe('200');
  });

  it('a payment never changes a 403', async () => {
    const paid = open({ ...everything, tenant: {}, plan: { features: ['ai'] } });
    expect(await ask(paid, { path: '/', body: good })).toBe('403 FORBIDDEN_ROLE');
  });

  it('what nothing on sale grants is 403, in the same place', async () => {
    const gateway = open({ routes: [{ requires: [{ kind: 'feature', id: 'x', when: [] }] }] });
    expect(await ask(gateway, { path: '/' })).toBe('403 FEATURE_NOT_AVAILABLE');
  });
});

describe('DESIGN 2: a name that the caller gave its request', () => {
  const told = ({ headers }: MemoryResponse): string | undefined =>
    readHeader(headers, 'x-client-request-id');

  it('is logged and told back with every answer, and is never ours', async () => {
    const gateway = open({ plan: { limits: [ONE_CALL] } });
    const headers = ['x-request-id', 'mine-7'];
    const [served, refused] = [
      await gateway.call({ path: '/', headers }),
      await gateway.call({ path: '/', headers }),
    ];
    expect([served, refused].map((each) => [each.status, told(each)])).toEqual([
      [200, 'mine-7'],
      [402, 'mine-7'],
    ]);
    expect(readHeader(served.headers, 'x-request-id')).toMatch(/^req_/);
    expect(gateway.logged.map(({ clientRequestId }) => clientRequestId)).toEqual([
      'mine-7',
      'mine-7',
    ]);
    // The refusal that is remembered has nobody's name in it.
    const again = ['X-Client-Request-Id', 'theirs', 'X-Request-Id', 'mine-8'];
    expect(told(await gateway.call({ path: '/', headers: again }))).toBe('theirs');
    expect(told(await gateway.call({ path: '/' }))).toBeUndefined();
  });

  it.each(['', 'x'.repeat(129), 'two words', 'gr\u00fcn'])(
    'bound: %j is neither logged nor told',
    async (id) => {
      const gateway = open();
      const response = await gateway.call({ path: '/', headers: ['X-Request-Id', id] });
      expect([response.status, told(response)]).toEqual([200, undefined]);
      expect(gateway.logged.at(-1)?.clientRequestId).toBeUndefined();
    },
  );
});

describe('GW-15: parameters', () => {
  const gateway = open({ routes: [{ parameters: [IN_BODY] }], plan: { limits: [ONE_CALL] } });

  it.each([
    [{}, '/text'],
    [{ text: 5 }, '/text'],
    ['{', ''],
    ['\u0000', ''],
    [undefined, '/text'],
  ])('%j is refused with a pointer and not counted', async (body, pointer) => {
    const response = await gateway.call({ method: 'POST', path: '/', body });
    expect(response.status).toBe(400);
    expect(bodyOf(response)).toMatchObject({ code: 'INVALID_REQUEST', details: { pointer } });
    expect(gateway.engine.charged).toEqual({});
  });

  it('a body of unknown length is read to its end, and to a bound', async () => {
    const long = open({ routes: [{ parameters: [IN_BODY] }] });
    const body = { text: 'x'.repeat(2 * 1024 * 1024) };
    const response = await long.call({ path: '/', body, contentLength: -1 });
    expect(bodyOf(response)).toMatchObject({
      code: 'BODY_TOO_LARGE',
      details: { allowed_bytes: 1024 * 1024 },
    });
    expect(await ask(long, { path: '/', body: { text: 'x' }, contentLength: -1 })).toBe('200');
  });
});

describe('GW-19: what is asked for in the body', () => {
  const setting: Setting = {
    routes: [{ requires: [AI] }],
    plans: [buildPlan('pro', { title: 'Pro', priceNano: 1n, features: ['ai'] })],
  };

  it('selects the entitlement, and every byte goes on', async () => {
    const gateway = open(setting);
    const response = await gateway.call({ path: '/', body: { extract: 'ai' } });
    expect(response.status).toBe(402);
    expect(bodyOf(response).details).toMatchObject({
      feature: 'ai',
      required_plan: 'Pro',
      upgrade_options: [{ kind: 'plan', id: 'pro' }],
    });
    const odd = '{ "extract" : "css",  "extract2": [1, 2] }';
    expect(await ask(gateway, { path: '/', body: odd })).toBe('200');
    expect(gateway.sent.at(-1)?.body).toBe(odd);
  });

  it('a body that cannot be read is refused, not guessed at', async () => {
    expect(await ask(open(setting), { path: '/', body: 'extract=ai' })).toBe('400 INVALID_REQUEST');
  });

  it('a call without a body asks for nothing', async () => {
    expect(await ask(open(setting), { path: '/' })).toBe('200');
  });
});

describe('PLAN-06: the size of a body', () => {
  const setting: Setting = {
    plan: { fileBytesMax: 10, limits: [buildLimit(5)] },
    plans: [buildPlan('pro', { title: 'Pro', priceNano: 1n, fileBytesMax: 1000 })],
  };
  const tooLong = 'x'.repeat(11);

  it.each([
    ['told beforehand', tooLong.length],
    ['found on its way', -1],
  ])('%s: 402 with both numbers, and nothing counted', async (_what, contentLength) => {
    const gateway = open(setting);
    const response = await gateway.call({ path: '/', body: tooLong, contentLength });
    expect(response.status).toBe(402);
    expect(bodyOf(response)).toMatchObject({
      code: 'FILE_SIZE_NOT_IN_PLAN',
      details: { needed: 11, allowed_bytes: 10, required_plan: 'Pro' },
    });
    expect([gateway.engine.charged, gateway.engine.openUnits, gateway.sent]).toEqual([{}, 0, []]);
  });

  it.each([10, -1])('at the limit it is sent (%d)', async (contentLength) => {
    const gateway = open(setting);
    expect(await ask(gateway, { path: '/', body: 'x'.repeat(10), contentLength })).toBe('200');
    expect(gateway.sent).toMatchObject([{ body: 'x'.repeat(10) }]);
  });

  it('what is offered takes the body too: a smaller plan is no way out', async () => {
    const small = buildPlan('small', { priceNano: 1n, fileBytesMax: 5, limits: [] });
    const big = buildPlan('big', { priceNano: 2n, fileBytesMax: 50, limits: [] });
    const plan = { limits: [buildLimit(0)] };
    const gateway = open({ plan, plans: [small, big] });
    const response = await gateway.call({ path: '/', body: tooLong });
    expect(bodyOf(response).details.upgrade_options).toMatchObject([{ id: 'big' }]);
  });
});

describe('402 or 429: what is for sale refuses before what only protects', () => {
  const none = { burst: 0 };
  const sold = buildRateLimit({ id: 'sold', class: 'commercial', ...none });
  const shield = buildRateLimit({ id: 'shield', class: 'protective', ...none });
  const guard = buildLimit(0, { id: 'guard', class: 'protective' });

  it.each<[string, Partial<Plan>, string]>([
    ['a limit beside a rate', { limits: [guard], rateLimits: [sold] }, 'sold'],
    ['a rate beside a rate', { rateLimits: [shield, sold] }, 'sold'],
    ['nothing else', { rateLimits: [shield, buildRateLimit({ class: 'commercial' })] }, 'shield'],
  ])('%s', async (_what, plan, limitId) => {
    const { code, details } = bodyOf(await open({ plan }).call({ path: '/' }));
    const expected = limitId === 'sold' ? 'RATE_CAPACITY_EXCEEDED' : 'RATE_LIMITED';
    expect([code, details['limit_id']]).toEqual([expected, limitId]);
  });

  it('books that do not answer are 503 whatever is for sale beside them, and never 402', async () => {
    const gateway = open({ plan: { limits: [guard], rateLimits: [sold] } });
    gateway.engine.broken = true;
    expect(await ask(gateway, { path: '/' })).toBe('503 BILLING_UNAVAILABLE');
  });
});

describe('GW-18: what is free', () => {
  it('is never refused for money, and asks for no key', async () => {
    const gateway = open({
      routes: [{ endpointClass: 'free' }],
      tenant: OWES,
      plan: { limits: [buildLimit(0)] },
    });
    expect(await ask(gateway, { path: '/' })).toBe('200');
    expect(await ask(gateway, { path: '/', key: undefined })).toBe('200');
    expect(await ask(gateway, { path: '/', key: 'nonsense' })).toBe('200');
  });

  it('is closed to addresses all the same, and asks for its parameters', async () => {
    const denied = { addressPolicy: { allow: [], deny: ['203.0.113.0/24'] } };
    const gateway = open({ routes: [{ endpointClass: 'free' }], api: denied });
    expect(await ask(gateway, { path: '/', key: undefined })).toBe('403 FORBIDDEN_POLICY');
    const asking = open({ routes: [{ endpointClass: 'free', parameters: [IN_BODY] }] });
    expect(await ask(asking, { path: '/', key: undefined, body: {} })).toBe('400 INVALID_REQUEST');
  });
});

describe('DEG-01: a degraded service', () => {
  const degraded: Plan['degraded'] = {
    readOnly: true,
    duringGrace: false,
    contextTokensMax: undefined,
    rate: buildRateLimit({ id: 'slow', burst: 1 }),
    substitutes: new Map(),
    withheldFeatures: [],
  };

  it('reads and does not write, says so, and is slower', async () => {
    const gateway = open({ plan: { degraded }, tenant: OWES });
    const written = await gateway.call({ path: '/', body: {} });
    expect([written.status, written.header('x-service-level')]).toEqual([402, 'degraded']);
    expect(bodyOf(written)).toMatchObject({
      code: 'INVOICE_OVERDUE',
      details: { service_level: 'read_only', invoices: [{ id: 'inv_1' }] },
    });
    const read = await gateway.call({ path: '/' });
    expect([read.status, read.header('x-service-level')]).toEqual([200, 'degraded']);
    expect(read.header('x-billing-warning')).toBe('INVOICE_OVERDUE');
    const again = await gateway.call({ path: '/' });
    expect(bodyOf(again)).toMatchObject({ code: 'RATE_LIMITED', details: { limit_id: 'slow' } });
  });
});

describe('QUOTA-15: callers without a key', () => {
  const setting: Setting = {
    api: { anonymous: { requests: 2, window: 'hour' } },
    routes: [{ price: buildPrice({ perRequest: 1_000_000_000n }) }],
    plans: [buildPlan('pro', { title: 'Pro', priceNano: 5_000_000_000n })],
  };
  const anonymous: MemoryCall = { path: '/', key: undefined };

  it('have an allowance of their subnet, then a price', async () => {
    const gateway = open(setting);
    const first = await gateway.call(anonymous);
    expect([first.status, first.header('x-ratelimit-remaining')]).toEqual([200, '1']);
    expect(await ask(gateway, { ...anonymous, remoteAddress: '203.0.113.99' })).toBe('200');
    const third = await gateway.call(anonymous);
    expect(third.status).toBe(402);
    expect(bodyOf(third)).toMatchObject({
      code: 'FREE_TIER_EXHAUSTED',
      payment: { amount: '0.0010 USD' },
      details: { current_usage: 2, allowed_usage: 2 },
      retry: { resets_at: '2027-01-15T09:00:00.000Z' },
    });
    expect(gateway.facts.identity).toEqual({ kind: 'anonymous', subnet: '203.0.113.0/24' });
    expect(await ask(gateway, { ...anonymous, remoteAddress: '198.51.100.1' })).toBe('200');
  });

  it('what is refused counts nothing', async () => {
    const gateway = open({ ...setting, routes: [{ parameters: [IN_BODY] }] });
    for (let calls = 0; calls < 5; calls += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await ask(gateway, { ...anonymous, body: {} })).toBe('400 INVALID_REQUEST');
    }
    expect(await ask(gateway, { ...anonymous, body: { text: 'x' } })).toBe('200');
  });

  it('a wrong key is no way to the allowance, and a key has its own limits', async () => {
    const gateway = open(setting);
    expect(await ask(gateway, { path: '/', key: 'nonsense' })).toBe('401 KEY_UNKNOWN');
    for (let calls = 0; calls < 3; calls += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await ask(gateway, { path: '/' })).toBe('200');
    }
  });

  it('without an allowance they are asked for a key', async () => {
    expect(await ask(open(), anonymous)).toBe('401 KEY_MISSING');
  });

  it.each(['Bearer', 'bearer ', ''])('"Authorization: %s" carries no key', (value) => {
    expect(readCredential(['Authorization', value])).toBe('');
  });
});

it('the log row has the time of the call', async () => {
  const gateway = open();
  await gateway.call({ path: '/' });
  expect(gateway.facts).toMatchObject({ at: AT, path: '/', outcome: { status: 200 } });
});

describe('GW-03: a configuration that comes while a request is under way', () => {
  const models: Setting = {
    routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
    plan: { models: ['m'] },
    catalog: { models: new Map([['m', buildModel('m')]]) },
  };
  const chat = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

  it.each<[string, Setting, MemoryCall]>([
    ['proxied', {}, { path: '/' }],
    ['of a model', models, { path: '/', body: chat }],
  ])('is not the one that it goes on with: %s', async (_kind, setting, call) => {
    const gateway = open(setting);
    gateway.answer = {
      status: 200,
      headers: ['Content-Type', 'application/json'],
      body: '{"choices":[]}',
    };
    const before = gateway.call(call);
    gateway.adopt({ ...catalogOf(setting), version: 'bbbbbbbbbbbb' });
    const response = await before;
    expect([response.status, response.header('content-type')]).toEqual([200, 'application/json']);
    expect(gateway.facts.catalogVersion).not.toBe('bbbbbbbbbbbb');
    expect((await gateway.call(call)).status).toBe(200);
    expect(gateway.facts.catalogVersion).toBe('bbbbbbbbbbbb');
  });
});
