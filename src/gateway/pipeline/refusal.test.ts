import { describe, expect, it } from 'vitest';

import {
  buildLimit,
  buildModel,
  buildPlan,
  buildPrice,
  buildRateLimit,
  UPSTREAM,
} from '../../../test/support/build-catalog.ts';
import { type MemoryCall, RAW_KEY } from '../../../test/support/memory-gateway.ts';
import type { Limit } from '../../domain/catalog.ts';
import { decide } from '../../domain/decide.ts';
import { AddressLimiter } from '../address-limiter.ts';
import {
  AI,
  ask,
  bodyOf,
  exact,
  ONE_CALL,
  open,
  OWES,
  type Setting,
} from '../../../test/support/pipeline-setting.ts';

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

describe('C402-21: a call that needs more than a limit ever allows', () => {
  const price = buildPrice({ perRequest: 100_000_000_000n });
  it.each<[string, Limit, object]>([
    [
      'a price above the limit of a day',
      buildLimit(50_000_000, { unit: 'spend', window: 'day' }),
      { code: 'SPENDING_LIMIT_REACHED', details: { current_usage: '0.0000 USD' } },
    ],
    [
      'a limit that was set to nothing',
      buildLimit(0, { window: 'day' }),
      { code: 'FREE_TIER_EXHAUSTED', details: { needed: 1 } },
    ],
    [
      'a protective limit',
      buildLimit(0, { window: 'minute', class: 'protective' }),
      { status: 429, code: 'RATE_LIMITED', details: { needed: 1 } },
    ],
  ])('%s: waiting is no way out', async (_what, limit, told) => {
    const usage = limit.unit === 'spend' ? 'prepaid' : 'included';
    const gateway = open({ routes: [{ price }], plan: { usage, limits: [limit] } });
    const answer = await gateway.call({ path: '/' });
    const problem = bodyOf(answer);
    expect(problem).toMatchObject({ ...told, retryable: false });
    expect(problem.retry).toEqual({ kind: 'never_until_action' });
    expect(problem.details).not.toHaveProperty('resets_at');
    expect(answer.header('retry-after')).toBeUndefined();
    expect(answer.header('x-should-retry')).toBe('false');
  });
});

it('C402-03: the moment that is told is not before the one at which a bought rate has room', async () => {
  const rate = { id: 'sold', count: 1, burst: 1, periodMs: 90_000, class: 'commercial' } as const;
  const gateway = open({ plan: { rateLimits: [buildRateLimit(rate)] } });
  gateway.clock.advance(150);
  await ask(gateway, { path: '/' });
  const problem = bodyOf(await gateway.call({ path: '/' }));
  expect(problem.code).toBe('RATE_CAPACITY_EXCEEDED');
  const { reservation, at } = gateway.facts;
  const hasRoomAt = at + (reservation?.kind === 'limited' ? reservation.retryAfterMs : 0);
  const told = /until (\S+) (\S+) UTC/.exec(problem.message);
  const from = Date.parse(`${told?.[1]}T${told?.[2]}Z`);
  expect(from).toBe(Date.parse(problem.retry.resets_at ?? ''));
  expect(from - hasRoomAt).toBeGreaterThanOrEqual(0);
  expect(from - hasRoomAt).toBeLessThan(1000);
});

describe('a mistake in a name is told with the refusal (KEY-01)', () => {
  it.each([
    ['a key that was cut off', RAW_KEY.slice(0, -1), 'The checksum of the API key does not match'],
    ['a key in quotes', `"${RAW_KEY}"`, 'Keys of this gateway begin with tk_live_ or tk_test_'],
    ['a key of a provider', 'sk-proj-1', 'Keys of this gateway begin with tk_live_ or tk_test_'],
  ])('%s', async (_what, key, told) => {
    const problem = bodyOf(await open().call({ path: '/', key }));
    expect(problem).toMatchObject({ status: 401, code: 'KEY_UNKNOWN' });
    expect(problem.details.reason).toContain(told);
    expect(problem.message).toMatch(new RegExp(`^${told}.*Check that it was copied whole`));
  });

  it.each([
    ['ecoh', 'echo'],
    ['Echo-1', 'echo'],
    ['gpt-4o', undefined],
    ['', undefined],
  ])('the model %s: did you mean %s?', async (model, nearest) => {
    const gateway = open({
      routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
      catalog: { models: new Map([['echo', buildModel('echo')]]) },
    });
    const { code, details, message } = bodyOf(await gateway.call({ path: '/', body: { model } }));
    expect([code, details.nearest]).toEqual(['MODEL_NOT_FOUND', nearest]);
    expect(message.includes('Did you mean echo?')).toBe(nearest !== undefined);
  });

  it('bound: so many models are compared with a name that does not exist', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `model ${index}`);
    const { code, details } = bodyOf(
      await open({
        routes: [{ kind: 'chat', dialect: 'openai', upstreamId: undefined }],
        catalog: { models: new Map([...names, 'echo'].map((id) => [id, buildModel(id)])) },
      }).call({ path: '/', body: { model: 'ecoh' } }),
    );
    expect([code, details.nearest]).toEqual(['MODEL_NOT_FOUND', undefined]);
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
  expect(response.header('retry-after')).toBe('60');
  expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
});

describe("C402-22: what is wrong with the operator's account is not the caller's fault on a proxied route either", () => {
  const credentials = [{ name: 'authorization', value: 'Bearer sk-operator' }];
  const paid = new Map([['main', { ...UPSTREAM, credentials }]]);
  const LOW = {
    error: { type: 'invalid_request_error', message: 'Your credit balance is too low.' },
  };
  const QUOTA = { error: { code: 'insufficient_quota', message: 'You exceeded your quota' } };
  const BUDGET = { error: { type: 'budget_exceeded', message: 'Budget has been exceeded' } };
  const EMPTY = { error: { type: 'api_error', message: 'insufficient balance (1008)' } };
  const WRONG = { error: { code: 'invalid_api_key', message: 'Incorrect key: sk-op***' } };
  const HEADERS = ['Content-Type', 'application/json', 'WWW-Authenticate', 'Bearer realm="up"'];

  it.each([
    [400, LOW, '503 UPSTREAM_PROVIDER_QUOTA_EXHAUSTED'],
    [429, QUOTA, '503 UPSTREAM_PROVIDER_QUOTA_EXHAUSTED'],
    [422, BUDGET, '503 UPSTREAM_PROVIDER_QUOTA_EXHAUSTED'],
    [500, EMPTY, '503 UPSTREAM_PROVIDER_QUOTA_EXHAUSTED'],
    [401, WRONG, '502 UPSTREAM_FAILED'],
    [403, WRONG, '502 UPSTREAM_FAILED'],
  ])("a %d with %j is %s, or the caller's own", async (status, said, expected) => {
    const body = JSON.stringify(said);
    const ours = open({ catalog: { upstreams: paid } });
    ours.answer = { status, headers: HEADERS, body };
    const response = await ours.call({ path: '/' });
    expect(`${response.status} ${bodyOf(response).code}`).toBe(expected);
    expect(response.header('www-authenticate')).toBeUndefined();
    expect(response.body).not.toContain('sk-op');
    expect([ours.engine.charged, ours.engine.openUnits]).toEqual([{}, 0]);
    const theirs = open({});
    theirs.answer = { status, headers: HEADERS, body };
    const passed = await theirs.call({ path: '/' });
    expect([passed.status, passed.body]).toEqual([status, body]);
    expect(passed.header('www-authenticate')).toBe('Bearer realm="up"');
  });

  it.each([
    [400, ['{"error":{"message":', '"q is missing"}}']],
    [403, ['not your document']],
    [429, ['{"e":1}']],
    [400, ['x'.repeat(20_000), 'y'.repeat(20_000)]],
    [412, []],
    [500, ['<h1>', 'Internal Server Error</h1>']],
  ])('a %d about the request itself goes on as it came', async (status, pieces) => {
    const gateway = open({ catalog: { upstreams: paid } });
    gateway.answer = { status, headers: ['X-Own', 'yes'], body: pieces };
    const response = await gateway.call({ path: '/' });
    expect([response.status, response.body, response.ended]).toEqual([
      status,
      pieces.join(''),
      true,
    ]);
    expect(response.header('x-own')).toBe('yes');
    expect([gateway.engine.charged, gateway.engine.openUnits]).toEqual([{}, 0]);
  });
});
