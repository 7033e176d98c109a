import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createCustomer } from './support/customers.ts';
import {
  type Call,
  GatewayCaller,
  nanoOf,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import { startGateway, type Gateway } from './support/start-gateway.ts';

const CONFIG = `
version: 1
retry_storm_per_minute: 0
upstreams:
  demo: { url: "builtin:demo" }
providers:
  echo: { base_url: "builtin:echo" }
models:
  m: { provider: echo, upstream_model: echo-1, context_window: 32768, max_output_tokens: 256,
       price: { request: 0.000001 USD, input: 0.37 USD / 1M tokens, output: 1.51 USD / 1M tokens } }
  large: { provider: echo, upstream_model: echo-1, context_window: 32768, max_output_tokens: 512,
       price: { input: 3.33 USD / 1M tokens, output: 7.77 USD / 1M tokens } }
apis:
  llm: { type: llm }
  demo:
    upstream: demo
    routes:
      - { name: weather, path: /weather, methods: [GET], price: 0.0003 USD / request }
      - { name: sold, path: /sold, methods: [GET], rewrite: { pattern: "^/sold", with: "/weather" },
          price: { request: 0.0001 USD, byte_out: 1.00 USD / 1MB } }
      - { name: reports, path_prefix: /lookup, feature: reports, price: 0.001 USD / request }
plans:
  open: { title: Open, price: 9.00 USD / month }
  over:
    title: Over
    price: 9.00 USD / month
    limits: [{ requests: 500, per: month, overage: { price: 0.0007 USD } }]
  tiers:
    title: Tiers
    price: 9.00 USD / month
    context: [{ up_to: 20, price: 1.0 }, { up_to: 400, price: 1.7 }, { up_to: 30000, price: 2.5 }]
  few: { title: Few, price: 9.00 USD / month, models: [m], limits: [{ requests: 40, per: month }] }
  max: { title: Max, price: 99.00 USD / month, features: [reports] }
  two: { title: Two, price: 9.00 USD / month, limits: [{ requests: 2, per: month }] }
add_ons:
  feat: { title: Reports, price: 5.00 USD / month, grants: { features: [reports] } }
  more: { title: More, price: 5.00 USD, grants: { limits: [{ requests: 2, per: month }] } }
packs:
  small: { title: Small, price: 5.00 USD, credit: 5.00 USD }
demo: { customer: { plan: open }, credit: 5.00 USD }
`;
const REQUESTS = 10_000;
const PARALLEL = 32;

let gateway: Gateway;
let caller: GatewayCaller;

beforeAll(async () => {
  const env = { TOLLKEEPER_LOG_LEVEL: 'error' };
  gateway = await startGateway({ config: CONFIG, args: ['--workers', '2'], env });
  caller = new GatewayCaller(gateway, PARALLEL);
});
afterAll(async () => {
  caller.close();
  await gateway.stop();
});

const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.integer({ min: 1, max: 60 }).map((count) => 'the quick brown fox '.repeat(count)),
);
const chat = fc.record(
  {
    model: fc.constantFrom('m', 'large'),
    messages: fc.array(fc.record({ role: fc.constantFrom('user', 'system'), content: text }), {
      minLength: 1,
      maxLength: 3,
    }),
    max_tokens: fc.integer({ min: 1, max: 128 }),
    n: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['model', 'messages'] },
);
const embeddings = fc.record({
  model: fc.constant('m'),
  input: fc.array(text, { minLength: 1, maxLength: 4 }),
});
const asked: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: chat.map((body) => ({ path: '/v1/chat/completions', body })) },
  { weight: 2, arbitrary: embeddings.map((body) => ({ path: '/v1/embeddings', body })) },
  { weight: 2, arbitrary: fc.constant({ path: '/weather?city=Oslo', method: 'GET' }) },
);

interface Quote {
  readonly amount: string;
}
interface Check {
  readonly allowed: boolean;
  readonly status: number;
  readonly code: string | null;
  readonly answer: { readonly code: string } | null;
  readonly after: { readonly allowed: boolean; readonly code: string | null } | null;
}

/** The question about a call, in the form both endpoints take. */
function question({ path, method = 'POST', body }: Call, after: readonly object[] = []) {
  return { path, method, ...(body === undefined ? {} : { body }), after };
}

async function ask<View>(
  path: '/v1/quote' | '/v1/check',
  key: string,
  body: object,
): Promise<View> {
  const answer = await caller.callPatiently({ path, key, body });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as View;
}

function costOf(header: unknown): bigint {
  return nanoOf(String(header).split(' ')[0] ?? '');
}

describe('show 6: POST /v1/quote', () => {
  it(
    `is never below what ${REQUESTS} generated requests then cost, and never for nothing`,
    { timeout: 240_000 },
    async () => {
      const plans = ['open', 'over', 'tiers'];
      const customers = await Promise.all(
        plans.map((plan) => createCustomer(caller, { plan, credit: '1000.00' })),
      );
      const calls = fc.sample(asked, { numRuns: REQUESTS, seed: 402 });
      const ratios: number[] = [];
      const wrong: string[] = [];
      await runParallel(calls.length, PARALLEL, async (index) => {
        const call = calls[index] ?? { path: '/weather?city=Oslo' };
        const { key } = customers[index % customers.length] ?? { key: '' };
        const { amount } = await ask<Quote>('/v1/quote', key, question(call));
        const answer = await caller.callPatiently({
          ...call,
          key,
          headers: { 'x-echo-tokens': String(index % 200) },
        });
        const header = answer.headers['x-tollkeeper-cost'];
        if (answer.status !== 200 || header === undefined) {
          wrong.push(`${JSON.stringify(call)}: ${answer.status} ${answer.text}`);
          return;
        }
        const cost = costOf(header);
        const quoted = costOf(amount);
        if (cost > quoted) wrong.push(`${JSON.stringify(call)}: quoted ${quoted}, cost ${cost}`);
        ratios.push(Number(cost) / Number(quoted));
      });
      expect(wrong.slice(0, 5)).toEqual([]);
      // Bounds, not phantasy: what flat calls cost is what they were quoted.
      expect(Math.max(...ratios)).toBe(1);
      expect(ratios).toHaveLength(REQUESTS);
    },
  );

  it('tells who cannot pay what it would cost, and charges nothing for the answer', async () => {
    const { key } = await createCustomer(caller, { plan: 'open' });
    const { amount } = await ask<Quote>('/v1/quote', key, {
      path: '/weather?city=Oslo',
      method: 'GET',
    });
    expect(amount).toBe('0.0003 USD');
    expect((await caller.usage(key)).balance).toMatchObject({ settled: '0.00', held: '0.00' });
  });

  it('promises nothing where the answer is priced by the byte: the unit prices are what can be told', async () => {
    const call = { path: '/sold?city=Oslo', method: 'GET' };
    expect(await ask('/v1/quote', gateway.key, call)).toMatchObject({
      amount: '1.048676 USD',
      guarantee: null,
      covers: expect.stringContaining('first 1,048,576 bytes'),
      unit_prices: ['0.0001 USD a call', '1000.00 USD per GB received'],
    });
    expect(await ask('/v1/check', gateway.key, call)).toMatchObject({ cost_max: null });
    const answer = await caller.callPatiently({ ...call, key: gateway.key });
    expect(answer.status).toBe(200);
    // It says how long it is, and so what it costs.
    const { outcome } = await caller.facts(answer);
    expect(costOf(answer.headers['x-tollkeeper-cost-max'])).toBe(BigInt(outcome?.costNano ?? 0));
    const flat = { path: '/weather?city=Oslo', method: 'GET' };
    expect(await ask('/v1/quote', gateway.key, flat)).toMatchObject({
      amount: '0.0003 USD',
      guarantee: 'Sending this request costs at most this amount.',
    });
  });

  it('takes a chat body as it is', async () => {
    const body = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] };
    const whole = await ask<Quote>('/v1/quote', gateway.key, {
      path: '/v1/chat/completions',
      body,
    });
    expect(await ask<Quote>('/v1/quote', gateway.key, body)).toEqual(whole);
  });

  it('bound: a body that is too large is refused as everything is', async () => {
    const answer = await fetch(`${gateway.gateway}/v1/quote`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}` },
      body: JSON.stringify({ body: 'x'.repeat(200_000) }),
    });
    expect(answer.status).toBe(413);
    const refused = (await answer.json()) as ReturnType<typeof problemOf>;
    expect(refused).toMatchObject({
      code: 'BODY_TOO_LARGE',
      request_id: answer.headers.get('x-request-id'),
      details: { allowed_bytes: 196_608 },
    });
  });

  it.each(['authorization', 'x-api-key', 'x-goog-api-key'])(
    'is asked with the key in %s',
    async (name) => {
      const answer = await fetch(`${gateway.gateway}/v1/check`, {
        method: 'POST',
        headers: { [name]: gateway.key },
        body: JSON.stringify({ path: '/weather?city=Oslo', method: 'GET' }),
      });
      expect(await answer.json()).toMatchObject({ allowed: true, code: null });
    },
  );

  it.each([
    ['application/json', 'application/problem+json'],
    ['application/xml', 'application/problem+xml'],
    ['text/html', 'text/html; charset=utf-8'],
  ])(
    'a refusal asked for as %s has the form and the headers it would have',
    async (accept, type) => {
      const { key } = await createCustomer(caller, { plan: 'few', credit: '1.00' });
      const call = { path: '/lookup/1', method: 'GET', headers: { accept } };
      const { headers, status, text } = await caller.callPatiently({
        path: '/v1/quote',
        key,
        body: call,
      });
      const sent = await caller.callPatiently({ ...call, key });
      expect([status, headers['content-type']]).toEqual([402, type]);
      const named = ['content-type', 'link', 'vary', 'x-402-version', 'x-should-retry'];
      expect(named.map((name) => headers[name])).toEqual(named.map((name) => sent.headers[name]));
      expect(text).toContain(headers['x-request-id']);
    },
  );

  it.each([
    ['no JSON', '{', '', 'not valid JSON'],
    ['a path without a slash', '{"path": "weather"}', '/path', 'must begin with'],
    ['a key of its own', '{"headers": {"authorization": "x"}}', '/headers', 'leave the key'],
    ['an unknown member', '{"surprise": 1}', '', 'surprise'],
    [
      'two plans at once',
      '{"after": [{"kind": "plan", "id": "a"}, {"kind": "plan", "id": "b"}]}',
      '/after',
      'one at a time',
    ],
    [
      'JSON deeper than the stack',
      `{"body":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      '',
      'nested deeper',
    ],
  ])('%s is told to be wrong', async (_what, body, pointer, problem) => {
    const answer = await fetch(`${gateway.gateway}/v1/quote`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}` },
      body,
    });
    expect(answer.status).toBe(400);
    const refused = (await answer.json()) as ReturnType<typeof problemOf>;
    expect(refused).toMatchObject({ code: 'INVALID_REQUEST', details: { pointer } });
    expect(refused.message).toContain(problem);
  });
});

describe('show 6, DIAG-10: POST /v1/check', () => {
  it('agrees with the real answer, call by call', { timeout: 120_000 }, async () => {
    const customers = [
      await createCustomer(caller, { plan: 'few', credit: '1.00' }),
      await createCustomer(caller, { plan: 'open', credit: '0.004' }),
      await createCustomer(caller, { plan: 'over', credit: '1.00' }),
      await createCustomer(caller, { plan: 'few' }),
    ];
    const seen: string[] = [];
    await Promise.all(
      customers.map(async ({ key }, customer) => {
        const calls = fc.sample(fc.oneof(asked, refusable), { numRuns: 120, seed: customer });
        for (const call of calls) {
          // oxlint-disable-next-line no-await-in-loop -- each call changes what the next one may do
          const check = await ask<Check>('/v1/check', key, question(call));
          // oxlint-disable-next-line no-await-in-loop -- as above
          const answer = await caller.callPatiently({
            ...call,
            key,
            headers: { 'x-echo-tokens': '1000' },
          });
          const code = answer.status === 200 ? null : problemOf(answer).code;
          expect([check.status, check.code, check.answer?.code ?? null]).toEqual([
            answer.status,
            code,
            code,
          ]);
          seen.push(code ?? 'served');
        }
      }),
    );
    expect(Object.keys(tally(seen)).toSorted()).toEqual([
      'FEATURE_NOT_IN_PLAN',
      'INSUFFICIENT_CREDITS',
      'MODEL_NOT_IN_PLAN',
      'REQUEST_QUOTA_EXCEEDED',
      'ROUTE_NOT_FOUND',
      'served',
    ]);
  });

  it('says what it would be after buying something, and the purchase then does it', async () => {
    const { key, tenantId } = await createCustomer(caller, { plan: 'few', credit: '1.00' });
    const call = { path: '/lookup/x', method: 'GET' };
    const before = await ask<Check>('/v1/check', key, question(call));
    expect(before).toMatchObject({ allowed: false, code: 'FEATURE_NOT_IN_PLAN', after: null });
    const after = (kind: string, id: string) =>
      ask<Check>('/v1/check', key, question(call, [{ kind, id }]));
    expect((await after('pack', 'small')).after).toMatchObject({ allowed: false });
    expect((await after('plan', 'max')).after).toMatchObject({ allowed: true, code: null });
    expect((await after('plan', 'nothing')).after).toMatchObject({ allowed: null });
    await caller.admin(`/admin/tenants/${tenantId}`, { plan: 'max' }, 'PATCH');
    expect((await ask<Check>('/v1/check', key, question(call))).allowed).toBe(true);
  });

  it('all that is bought is one plan, and what is used of it stays used', async () => {
    const { key, tenantId } = await createCustomer(caller, { plan: 'two', credit: '1.00' });
    const call = { path: '/lookup/x', method: 'GET' };
    const then = async (...ids: readonly string[]) => {
      const bought = ids.map((id) => ({ kind: id === 'open' ? 'plan' : 'add_on', id }));
      const { after } = await ask<Check>('/v1/check', key, question(call, bought));
      return after?.allowed === true ? 'allowed' : after?.code;
    };
    expect(await then('feat')).toBe('allowed');
    expect(await then('more')).toBe('FEATURE_NOT_IN_PLAN');
    const weather = { path: '/weather?city=Oslo', method: 'GET', key };
    await caller.callPatiently(weather);
    await caller.callPatiently(weather);
    expect(await then('feat')).toBe('REQUEST_QUOTA_EXCEEDED');
    expect(await then('feat', 'more')).toBe('allowed');
    expect(await then('more', 'feat')).toBe('allowed');
    expect(await then('open', 'feat')).toBe('allowed');
    expect(await then('feat', 'open')).toBe('allowed');
    await caller.admin(`/admin/tenants/${tenantId}/purchases`, { add_on: 'feat' });
    expect(problemOf(await caller.callPatiently({ ...call, key })).code).toBe(
      'REQUEST_QUOTA_EXCEEDED',
    );
    await caller.admin(`/admin/tenants/${tenantId}/purchases`, { add_on: 'more' });
    expect((await caller.callPatiently({ ...call, key })).status).toBe(200);
  });

  it('what was turned away before its price was asked has to be paid all the same', async () => {
    const { key } = await createCustomer(caller, { plan: 'open' });
    const call = { path: '/lookup/x', method: 'GET' };
    const feat = { kind: 'add_on', id: 'feat' };
    const after = async (...bought: readonly object[]) =>
      (await ask<Check>('/v1/check', key, question(call, bought))).after;
    expect(await after(feat)).toMatchObject({ allowed: false, code: 'INSUFFICIENT_CREDITS' });
    expect(await after(feat, { kind: 'pack', id: 'small' })).toMatchObject({ allowed: true });
  });

  it('a thousand questions leave nothing behind', async () => {
    const { key } = await createCustomer(caller, { plan: 'few', credit: '1.00' });
    await runParallel(1000, PARALLEL, async () => {
      await ask('/v1/check', key, { path: '/weather?city=Oslo', method: 'GET' });
    });
    const usage = await caller.usage(key);
    expect(usage.balance).toMatchObject({ settled: '1.00', held: '0.00' });
    expect(usage.limits).toContainEqual(
      expect.objectContaining({ used: 0, held: 0, remaining: 40 }),
    );
  });
});

const refusable: fc.Arbitrary<Call> = fc.constantFrom(
  { path: '/lookup/x', method: 'GET' },
  { path: '/nowhere', method: 'GET' },
);
