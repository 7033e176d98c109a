import { describe, expect, it } from 'vitest';

import {
  AT,
  buildApi,
  buildCatalog,
  buildLimit,
  buildModel,
  buildPlan,
  buildPrice,
  buildRateLimit,
  buildRoute,
  UPSTREAM,
} from '../../../test/support/build-catalog.ts';
import { buildKey, buildTenant } from '../../../test/support/build-key.ts';
import { type MemoryCall, MemoryGateway, RAW_KEY } from '../../../test/support/memory-gateway.ts';
import type { MemoryResponse } from '../../../test/support/memory-exchange.ts';
import type { ProblemDocument } from '../../contract/problem-document.ts';
import { decide, enforced } from '../../domain/decide.ts';
import type { Api, Catalog, Plan, Route } from '../../domain/catalog.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import { AddressLimiter } from '../address-limiter.ts';

const ONE_CALL = buildLimit(1);
const OWES = { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } };
const IN_BODY = { in: 'body', name: '/text', type: 'string', required: true } as const;
const AI: Route['requires'][number] = {
  kind: 'feature',
  id: 'ai',
  when: [{ kind: 'body', name: '/extract', equals: 'ai' }],
};

interface Setting {
  readonly routes?: readonly Partial<Route>[];
  readonly api?: Partial<Api>;
  readonly plan?: Partial<Plan>;
  readonly plans?: readonly Plan[];
  readonly key?: Partial<KeyTerms>;
  readonly tenant?: Partial<TenantTerms>;
  readonly catalog?: Partial<Catalog>;
  readonly addressLimiter?: AddressLimiter;
}

/** One API at `/`, or at the path of each route, of a plan whose price covers its calls. */
function open(setting: Setting = {}): MemoryGateway {
  const routes = (setting.routes ?? [{}]).map((route) =>
    buildRoute({
      match: { methods: [], path: { kind: 'prefix', value: '/' }, headers: [] },
      ...route,
    }),
  );
  const plan = buildPlan('free', { usage: 'included', ...setting.plan });
  const catalog = buildCatalog([plan, ...(setting.plans ?? [])], {
    apis: [buildApi({ ...setting.api, routes })],
    upstreams: new Map([['main', UPSTREAM]]),
    providers: new Map([['demo', { id: 'demo', type: 'openai-compatible', upstreamId: 'main' }]]),
    ...setting.catalog,
  });
  const found = {
    key: buildKey(RAW_KEY, { terms: { ...PLAIN_KEY_TERMS, ...setting.key } }),
    tenant: buildTenant({ terms: { ...PLAIN_TERMS, ...setting.tenant } }),
    ancestors: [],
  };
  const { addressLimiter } = setting;
  return new MemoryGateway(catalog, found, addressLimiter === undefined ? {} : { addressLimiter });
}

const bodyOf = ({ body }: MemoryResponse): ProblemDocument => JSON.parse(body) as ProblemDocument;

/** Status and code of an answer. */
async function ask(gateway: MemoryGateway, call: MemoryCall): Promise<string> {
  const response = await gateway.call(call);
  return response.status === 200 ? '200' : `${response.status} ${bodyOf(response).code}`;
}

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

  it('a payment never changes a 403', async () => {
    const paid = open({ ...everything, tenant: {}, plan: { features: ['ai'] } });
    expect(await ask(paid, { path: '/', body: good })).toBe('403 FORBIDDEN_ROLE');
  });

  it('what nothing on sale grants is 403, in the same place', async () => {
    const gateway = open({ routes: [{ requires: [{ kind: 'feature', id: 'x', when: [] }] }] });
    expect(await ask(gateway, { path: '/' })).toBe('403 FEATURE_NOT_AVAILABLE');
  });
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
});

describe('EVID-01: observe', () => {
  const observed: Partial<Api> = { enforcement: 'observe' };

  it.each<[string, Setting, MemoryCall, string]>([
    ['a standing', { tenant: OWES }, { path: '/' }, 'INVOICE_OVERDUE'],
    [
      'an entitlement',
      { routes: [{ requires: [{ kind: 'feature', id: 'x', when: [] }] }] },
      { path: '/' },
      'FEATURE_NOT_AVAILABLE',
    ],
    ['a quota', { plan: { limits: [buildLimit(0)] } }, { path: '/' }, 'FREE_TIER_EXHAUSTED'],
    [
      'a balance',
      {
        plan: { usage: 'prepaid' },
        routes: [{ price: buildPrice({ perRequest: 1_000_000_000n }) }],
      },
      { path: '/' },
      'INSUFFICIENT_CREDITS',
    ],
    [
      'a rate',
      { plan: { rateLimits: [buildRateLimit({ burst: 0 })] } },
      { path: '/' },
      'RATE_LIMITED',
    ],
    [
      'a body',
      { plan: { fileBytesMax: 3, limits: [buildLimit(9)] } },
      { path: '/', body: 'four' },
      'FILE_SIZE_NOT_AVAILABLE',
    ],
    [
      'a body of unknown length',
      { plan: { fileBytesMax: 3, limits: [buildLimit(9)] } },
      { path: '/', body: 'four', contentLength: -1 },
      'FILE_SIZE_NOT_AVAILABLE',
    ],
  ])(
    '%s is recorded, and the call passes and takes nothing',
    async (_what, setting, call, code) => {
      expect(await ask(open(setting), call)).toMatch(code);
      const gateway = open({ ...setting, api: observed });
      const response = await gateway.call(call);
      expect([response.status, response.body]).toEqual([200, 'served']);
      expect(response.header('x-tollkeeper-would-refuse')).toBe(code);
      expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
      expect(gateway.facts).toMatchObject({
        enforcement: 'observe',
        outcome: { status: 200, wouldRefuse: code, costNano: 0, ending: 'complete' },
      });
      expect(decide(gateway.facts).kind).toBe('admit');
      expect(decide(enforced(gateway.facts)).kind).toBe('refuse');
      expect(gateway.sent).toMatchObject([{ body: call.body ?? '' }]);
    },
  );

  it('an answer that would be cut is charged as far as it would go, and passes whole', async () => {
    const setting: Setting = {
      plan: { usage: 'prepaid' },
      routes: [{ price: buildPrice({ perByteOut: 1_000_000_000n }) }],
    };
    const served = async (api: Partial<Api>) => {
      const gateway = open({ ...setting, api });
      gateway.engine.balances.set('bal:ten_1:USD', 4_000_000);
      gateway.answer = { status: 200, headers: [], body: 'served!' };
      const { body } = await gateway.call({ path: '/' });
      const { outcome } = gateway.facts;
      return { body, charged: gateway.engine.charged, ending: outcome?.ending, outcome };
    };
    const cut = await served({});
    expect([cut.body, cut.ending]).toEqual(['serv', 'cut']);
    const whole = await served(observed);
    expect([whole.body, whole.ending]).toEqual(['served!', 'complete']);
    expect(whole.charged).toEqual(cut.charged);
    expect(whole.outcome).toMatchObject({
      wouldRefuse: 'INSUFFICIENT_CREDITS',
      costNano: 4_000_000,
      overrunNano: 0,
    });
  });

  it('a call that nothing speaks against is counted as ever', async () => {
    const gateway = open({ api: observed, plan: { limits: [ONE_CALL] } });
    const first = await gateway.call({ path: '/' });
    expect(first.header('x-tollkeeper-would-refuse')).toBeUndefined();
    expect(Object.values(gateway.engine.charged)).toEqual([1]);
    const second = await gateway.call({ path: '/' });
    expect(second.header('x-tollkeeper-would-refuse')).toBe('FREE_TIER_EXHAUSTED');
    expect(Object.values(gateway.engine.charged)).toEqual([1]);
  });

  it.each<[string, Setting, MemoryCall, string]>([
    ['a wrong key', {}, { path: '/', key: 'nonsense' }, '401 KEY_UNKNOWN'],
    ['a permission', { key: { apis: ['other'] } }, { path: '/' }, '403 KEY_PERMISSION_DENIED'],
    ['a parameter', { routes: [{ parameters: [IN_BODY] }] }, { path: '/' }, '400 INVALID_REQUEST'],
    [
      'an unknown path',
      { routes: [{ match: exact('/a') }] },
      { path: '/b' },
      '404 ROUTE_NOT_FOUND',
    ],
  ])('%s is refused all the same', async (_what, setting, call, expected) => {
    expect(await ask(open({ ...setting, api: observed }), call)).toBe(expected);
  });

  it('the books that do not answer refuse all the same: 503', async () => {
    const gateway = open({ api: observed, plan: { limits: [ONE_CALL] } });
    gateway.engine.broken = true;
    expect(await ask(gateway, { path: '/' })).toBe('503 BILLING_UNAVAILABLE');
  });

  it('an upstream that fails fails the observed call too: never a 402', async () => {
    const gateway = open({ api: observed, tenant: OWES });
    gateway.answer = { status: 402, headers: [], body: 'pay me' };
    expect(await ask(gateway, { path: '/' })).toBe('503 UPSTREAM_PROVIDER_QUOTA_EXHAUSTED');
  });

  it.each<[string, Setting, boolean]>([
    ['the plan', { plan: { enforcement: 'observe' } }, true],
    ['the tenant', { tenant: { enforcement: 'observe' } }, true],
    [
      'the tenant against its plan',
      { plan: { enforcement: 'observe' }, tenant: { enforcement: 'enforce' } },
      false,
    ],
    ['an API, where nothing else was agreed', { api: observed }, true],
  ])('%s says so', async (_what, setting, passes) => {
    const plan = { ...setting.plan, limits: [buildLimit(0)] };
    const answer = await ask(open({ ...setting, plan }), { path: '/' });
    expect(answer).toBe(passes ? '200' : '402 FREE_TIER_EXHAUSTED');
  });
});

describe('QUOTA-13: a client that repeats its 402', () => {
  const needsAi: Setting = { routes: [{ requires: [{ ...AI, when: [] }] }] };
  const withAi = buildPlan('pro', { priceNano: 1n, features: ['ai'] });

  async function askFourTimes(setting: Setting): Promise<readonly string[]> {
    const gateway = open({ ...setting, catalog: { retryStormPerMinute: 2 } });
    const answers: string[] = [];
    for (let calls = 0; calls < 4; calls += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      answers.push(await ask(gateway, { path: '/' }));
    }
    return answers;
  }

  it.each<[string, Setting, string]>([
    ['a standing', { tenant: OWES }, '402 INVOICE_OVERDUE'],
    ['a quota', { plan: { limits: [buildLimit(0)] } }, '402 FREE_TIER_EXHAUSTED'],
    ['a feature of another plan', { ...needsAi, plans: [withAi] }, '402 FEATURE_NOT_IN_PLAN'],
  ])('%s is slowed after so many', async (_what, setting, refusal) => {
    const answers = await askFourTimes(setting);
    expect(answers).toEqual([refusal, refusal, refusal, '429 PAYMENT_RETRY_STORM']);
  });

  it('a 403 is none, however often it is repeated', async () => {
    const answers = await askFourTimes(needsAi);
    expect(answers).toEqual(Array.from({ length: 4 }, () => '403 FEATURE_NOT_AVAILABLE'));
  });
});

describe('accept: the limit by address', () => {
  const limit = { count: 1, periodMs: 60_000, burst: 2, loopback: false };

  it('comes before the key, says when to come again, and knows its callers apart', async () => {
    const gateway = open({ addressLimiter: new AddressLimiter(limit, 1) });
    const wrong: MemoryCall = { path: '/', key: 'nonsense' };
    expect(await ask(gateway, wrong)).toBe('401 KEY_UNKNOWN');
    expect(await ask(gateway, wrong)).toBe('401 KEY_UNKNOWN');
    const third = await gateway.call(wrong);
    expect(third.status).toBe(429);
    expect(third.header('retry-after')).toBe('60');
    expect(bodyOf(third)).toMatchObject({
      code: 'RATE_LIMITED',
      details: {
        limit_id: 'address_limit',
        allowed_usage: 1,
        window: 'minute',
        address: '203.0.113.7',
      },
    });
    expect(await ask(gateway, { path: '/', remoteAddress: '198.51.100.1' })).toBe('200');
    expect(decide(gateway.facts).kind).toBe('admit');
  });

  it('leaves callers on this machine alone', async () => {
    const gateway = open({ addressLimiter: new AddressLimiter(limit, 1) });
    for (let calls = 0; calls < 5; calls += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await ask(gateway, { path: '/', remoteAddress: '127.0.0.1' })).toBe('200');
    }
  });
});

describe('the form of a refusal', () => {
  const refusing: Setting = { plan: { limits: [buildLimit(0)] } };

  it('C402-10, C402-27: as its reader asks for it', async () => {
    const gateway = open(refusing);
    const xml = await gateway.call({ path: '/', headers: ['Accept', 'application/xml'] });
    expect(xml.header('content-type')).toBe('application/problem+xml');
    expect(xml.body).toContain('FREE_TIER_EXHAUSTED');
    const german = await gateway.call({ path: '/', headers: ['Accept-Language', 'de-AT'] });
    expect(german.header('content-language')).toBe('de');
    expect(german.header('vary')).toBe('Accept, Accept-Language');
    expect(bodyOf(german)).toMatchObject({ code: 'FREE_TIER_EXHAUSTED', language: 'de' });
  });

  it.each([
    ['/v1/messages/x', { type: 'error', error: { type: 'not_found_error' } }],
    ['/v1beta/models/x:run', { error: { code: 404, status: 'NOT_FOUND' } }],
    ['/v1/unknown', { error: { code: 'ROUTE_NOT_FOUND' } }],
    ['/unknown', { error: 'not_found' }],
  ])('%s without a route: as clients of that path read it', async (path, body) => {
    const gateway = open({ routes: [{ match: exact('/a') }] });
    expect(bodyOf(await gateway.call({ path }))).toMatchObject(body);
  });

  it('a JSON-RPC call is refused by its id', async () => {
    const gateway = open({ ...refusing, routes: [{ dialect: 'jsonrpc' }] });
    const call = { jsonrpc: '2.0', id: 'c7', method: 'tools/call' };
    const response = await gateway.call({ path: '/', body: call });
    expect(JSON.parse(response.body)).toMatchObject({
      jsonrpc: '2.0',
      id: 'c7',
      error: { data: { code: 'FREE_TIER_EXHAUSTED', status: 402 } },
    });
    const batch = await gateway.call({ path: '/', body: [call] });
    expect(JSON.parse(batch.body)).toMatchObject({ id: null });
  });

  it("C402-11: in the provider's words for this API and customer", async () => {
    const customisations = [
      { api: 'demo', title: 'Ours' },
      { api: 'other', title: 'Not ours' },
      { tenant: 'ten_1', fields: { account_manager: 'Ada' } },
    ];
    const gateway = open({ ...refusing, catalog: { customisations } });
    expect(bodyOf(await gateway.call({ path: '/' }))).toMatchObject({
      title: 'Ours',
      account_manager: 'Ada',
      code: 'FREE_TIER_EXHAUSTED',
    });
  });
});

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

it('C402-22: the words of an upstream that wants money are told, not its status', async () => {
  const gateway = open({ plan: { limits: [ONE_CALL] } });
  gateway.answer = {
    status: 402,
    headers: ['Content-Type', 'application/json'],
    body: JSON.stringify({ error: { message: 'Insufficient Balance', code: 'no_money' } }),
  };
  const response = await gateway.call({ path: '/' });
  expect(response.status).toBe(503);
  expect(bodyOf(response).details.upstream).toMatchObject({
    provider: 'main',
    status: 402,
    message: 'Insufficient Balance',
  });
  expect(response.header('x-upstream-provider')).toBe('main');
  expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
});

it('the log row has the time of the call', async () => {
  const gateway = open();
  await gateway.call({ path: '/' });
  expect(gateway.facts).toMatchObject({ at: AT, path: '/', outcome: { status: 200 } });
});

function exact(value: string): Route['match'] {
  return { methods: [], path: { kind: 'exact', value }, headers: [] };
}

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
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await ask(gateway, chat(first))).toBe('200');
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await ask(gateway, chat(second))).toBe('402 REQUEST_QUOTA_EXCEEDED');
    }
  });
});
