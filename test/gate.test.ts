import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDemoApi } from '../src/server/demo/demo-api.ts';
import type { DemoServer } from '../src/server/demo/demo-server.ts';
import { createCustomer, type Customer } from './support/customers.ts';
import {
  type Call,
  type CallAnswer,
  GatewayCaller,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import { type Gateway, startGateway } from './support/start-gateway.ts';
import { transfer } from './support/transfer.ts';

const ANONYMOUS_CALLS = 20;
const WORKERS = 2;
/** Calls of one address, in all workers together; the second figure is far below what the others send. */
const ADDRESS_BURST = 400;

function renderConfig(api: string): string {
  const echo = 'rewrite: { pattern: "^.*$", with: "/echo-headers" }';
  return `
version: 1
retry_storm_per_minute: 0
server:
  trusted_proxies: [127.0.0.1]
  address_limit: ${ADDRESS_BURST}/h burst ${ADDRESS_BURST}
upstreams:
  own: { url: "${api}" }
providers:
  echo: { base_url: "builtin:echo" }
models:
  m: { provider: echo, upstream_model: echo-1, context_window: 4096, max_output_tokens: 64,
       price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens } }
apis:
  llm: { type: llm }
  own:
    upstream: own
    deny_addresses: [198.51.100.0/24]
    routes:
      - { name: health, path: /status, class: free }
      - { name: scrape, path: /scrape, price: 0.001 USD / request, ${echo},
          requires: [{ feature: js_rendering, when: { query: { render_js: true } } },
                     { feature: residential, when: { header: { x-proxy: residential } } },
                     { feature: ai, when: { body: { /extract: ai } } }] }
      - { name: upload, path: /upload, methods: [POST], price: 0.001 USD / request, body_max: 8MB }
      - { name: tool, path: /tool, dialect: jsonrpc, price: 0.001 USD / request,
          requires: [{ feature: tools }], ${echo} }
      - { name: images, path_prefix: /images, price: 0.001 USD / request, ${echo} }
      - { name: export, path: /export, feature: export, price: 0.001 USD / request, ${echo} }
  open:
    upstream: own
    anonymous: { requests: ${ANONYMOUS_CALLS}, per: day }
    routes:
      - { name: sample, path: /sample, price: 0.001 USD / request, ${echo} }
  watched:
    upstream: own
    enforcement: observe
    routes:
      - { name: watched, path: /watched, feature: watching, price: 0.001 USD / request, ${echo} }
plans:
  base:
    title: Base
    price: 9.00 USD / month
    features: [export]
    max_file: 1MB
    limits: [{ requests: 1000, per: month }]
    rate_limits: [6000/min burst 1000]
    grace: 7d
    degraded: { rate: 1/min burst 1, during_grace: true, withhold: [export] }
  pro:
    title: Pro
    price: 49.00 USD / month
    max_file: 4MB
    features: [js_rendering, residential, ai, tools, export]
customise:
  - { code: FEATURE_NOT_IN_PLAN, title: Ask for Pro, fields: { sales: Ada }, link: "/help/{code}" }
demo: { customer: { plan: base }, credit: 1.00 USD }
`;
}

let api: DemoServer;
let gateway: Gateway;
let caller: GatewayCaller;

beforeAll(async () => {
  api = await startDemoApi({ host: '127.0.0.1', port: 0 });
  gateway = await startGateway({
    config: renderConfig(api.origin),
    args: ['--workers', String(WORKERS)],
    env: { TOLLKEEPER_LOG_LEVEL: 'error', TOLLKEEPER_CLOCK: '2026-11-15T12:00:00Z' },
  });
  caller = new GatewayCaller(gateway);
});
afterAll(async () => {
  caller.close();
  await gateway.stop();
  await api.close();
});

const customer = (plan = 'base'): Promise<Customer> =>
  createCustomer(caller, { plan, credit: '1.00' });
const agree = ({ tenantId }: Customer, terms: object): Promise<unknown> =>
  caller.admin(`/admin/tenants/${tenantId}`, terms, 'PATCH');
/** As if a proxy in front had said for whom. */
const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
const codeOf = (answer: CallAnswer): string =>
  answer.status === 200 ? 'served' : `${answer.status} ${problemOf(answer).code}`;
async function ask(call: Call): Promise<string> {
  return codeOf(await caller.call(call));
}
const usedRequests = async (key: string): Promise<unknown> =>
  (await caller.usage(key)).limits.find(({ id }) => id === 'requests_per_month')?.used;

describe('GW-19: a call says what it needs', () => {
  it.each<[string, Partial<Call>, string]>([
    ['by its query', { path: '/scrape?render_js=true' }, 'js_rendering'],
    ['by a header', { headers: { 'x-proxy': 'residential' } }, 'residential'],
    ['by its body', { body: { url: 'x', extract: 'ai' } }, 'ai'],
  ])('%s', async (_what, call, feature) => {
    const { key } = await customer();
    const answer = await caller.call({ path: '/scrape', ...call, key });
    expect(codeOf(answer)).toBe('402 FEATURE_NOT_IN_PLAN');
    expect(problemOf(answer).details).toMatchObject({ feature, required_plan: 'Pro' });
    expect(await ask({ path: '/scrape', key })).toBe('served');
    expect(await usedRequests(key)).toBe(1);
    const pro = await customer('pro');
    expect(await ask({ path: '/scrape', ...call, key: pro.key })).toBe('served');
  });

  it('the body that was read goes on, byte for byte', async () => {
    const { key } = await customer();
    const body = { url: 'https://example.com', extract: 'css', list: [1, 2, 3] };
    const { text } = await caller.call({ path: '/scrape', body, key });
    expect(JSON.parse(text)).toMatchObject({
      headers: { 'content-length': String(JSON.stringify(body).length) },
    });
  });

  it("C402-11: in the provider's own words", async () => {
    const { key } = await customer();
    const answer = await caller.call({ path: '/scrape?render_js=true', key });
    expect(problemOf(answer)).toMatchObject({
      title: 'Ask for Pro',
      sales: 'Ada',
      resolution_url: `${gateway.gateway}/help/FEATURE_NOT_IN_PLAN`,
    });
  });
});

describe('PLAN-06: large files', () => {
  const MB = 1_000_000;
  const upload = async (key: string, bytes: number, chunked: boolean): Promise<string> => {
    const { status, beginning } = await transfer({
      url: `${gateway.gateway}/upload`,
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      uploadBytes: bytes,
      chunked,
    });
    return status === 200 ? 'served' : `${status} ${/"code":"([A-Z_]+)"/.exec(beginning)?.[1]}`;
  };

  it.each([false, true])('by plan, and above all plans (chunked: %s)', async (chunked) => {
    const { key } = await customer();
    expect(await upload(key, MB, chunked)).toBe('served');
    expect(await upload(key, MB + 1, chunked)).toBe('402 FILE_SIZE_NOT_IN_PLAN');
    expect(await upload((await customer('pro')).key, 4 * MB, chunked)).toBe('served');
    expect(await usedRequests(key)).toBe(1);
  });

  it('more than the route takes is 413, whoever asks', async () => {
    expect(await upload((await customer('pro')).key, 9 * MB, false)).toBe('413 BODY_TOO_LARGE');
  });
});

describe('DEG: a payment is pending', () => {
  it('reading goes on, writing does not, and paying restores both at once', async () => {
    const acme = await customer();
    const { key } = acme;
    await agree(acme, { payment: { overdue_invoices: ['inv_7'] } });
    const written = await caller.call({ path: '/images', body: { prompt: 'x' }, key });
    expect(codeOf(written)).toBe('402 INVOICE_OVERDUE');
    expect(problemOf(written).details).toMatchObject({
      invoices: [{ id: 'inv_7' }],
      service_level: 'read_only',
    });
    const seen = await caller.call({ path: '/images/7', key });
    expect([seen.status, seen.headers['x-service-level']]).toEqual([200, 'degraded']);
    expect(seen.headers['x-billing-warning']).toBe('INVOICE_OVERDUE');
    expect(await ask({ path: '/images/7', key })).toBe('429 RATE_LIMITED');
    await agree(acme, { payment: { overdue_invoices: [] } });
    const paid = await caller.call({ path: '/images', body: { prompt: 'x' }, key });
    expect([paid.status, paid.headers['x-service-level']]).toEqual([200, undefined]);
  });

  it('a feature that rests is refused for the payment', async () => {
    const acme = await customer();
    expect(await ask({ path: '/export', key: acme.key })).toBe('served');
    await agree(acme, { payment: { disputed: true } });
    expect(await ask({ path: '/export', key: acme.key })).toBe('402 PAYMENT_DISPUTED');
  });

  it('SUB-09: while it is forgiven the service is slower and says until when', async () => {
    const acme = await customer();
    await agree(acme, { payment: { failed_at: '2026-11-14T12:00:00Z' } });
    const answer = await caller.call({ path: '/images', body: {}, key: acme.key });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-service-level']).toBe('degraded');
    expect(answer.headers['x-billing-warning']).toBe(
      'PAYMENT_METHOD_INVALID;grace_ends_at="2026-11-21T12:00:00.000Z"',
    );
    expect(await ask({ path: '/images', key: acme.key })).toBe('429 RATE_LIMITED');
  });

  it('GW-18: what is free goes on', async () => {
    const acme = await customer();
    await agree(acme, { subscription: { ends_at: '2026-11-01T00:00:00Z' } });
    const written = { path: '/images', body: {}, key: acme.key };
    expect(await ask(written)).toBe('402 SUBSCRIPTION_EXPIRED');
    expect(await ask({ path: '/status', key: acme.key })).toBe('served');
    expect(await ask({ path: '/v1/models', key: acme.key })).toBe('served');
  });
});

describe('QUOTA-15, QUOTA-16: callers without a key', () => {
  it('share an allowance by subnet, exact over all workers, and are then told a price', async () => {
    const hosts = (index: number): string => `203.0.113.${index % 250}`;
    const answers = await runParallel(ANONYMOUS_CALLS * 2, 20, (index) =>
      caller.call({ path: '/sample', key: undefined, headers: from(hosts(index)) }),
    );
    expect(tally(answers.map(codeOf))).toEqual({
      served: ANONYMOUS_CALLS,
      '402 FREE_TIER_EXHAUSTED': ANONYMOUS_CALLS,
    });
    const refused = answers.find(({ status }) => status === 402);
    expect(refused && problemOf(refused)).toMatchObject({
      payment: { amount: '0.0010 USD' },
      details: { current_usage: ANONYMOUS_CALLS, allowed_usage: ANONYMOUS_CALLS },
      retry: { kind: 'after_reset', resets_at: '2026-11-16T00:00:00.000Z' },
    });
    const elsewhere = from('2001:db8::1');
    expect(await ask({ path: '/sample', key: undefined, headers: elsewhere })).toBe('served');
  });

  it('a key draws on its own plan, a wrong one on nothing', async () => {
    const { key } = await customer();
    expect(await ask({ path: '/sample', key, headers: from('203.0.113.1') })).toBe('served');
    expect(await ask({ path: '/sample', key: 'tk_test_wrong' })).toBe('401 KEY_UNKNOWN');
    expect(await ask({ path: '/images', key: undefined })).toBe('401 KEY_MISSING');
  });
});

describe('EVID-01: observe', () => {
  it('lets pass, says what it would have been, and takes nothing', async () => {
    const { key } = await customer();
    const answer = await caller.call({ path: '/watched', key });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-tollkeeper-would-refuse']).toBe('FEATURE_NOT_AVAILABLE');
    expect(await usedRequests(key)).toBe(0);
    expect((await caller.usage(key)).balance.settled).toBe('1.00');
    expect(await ask({ path: '/watched', key: 'tk_test_wrong' })).toBe('401 KEY_UNKNOWN');
  });
});

describe('GW-14: where a call comes from', () => {
  it('a denied network is refused, whoever pays, and what strangers forward proves nothing', async () => {
    const { key } = await customer('pro');
    const denied = { path: '/images', key, headers: from('198.51.100.9') };
    const answer = await caller.call(denied);
    expect(codeOf(answer)).toBe('403 FORBIDDEN_POLICY');
    expect(problemOf(answer).details).toMatchObject({ address: '198.51.100.9' });
    const hidden = from('198.51.100.9, 203.0.113.5');
    expect(await ask({ path: '/images', key, headers: hidden })).toBe('served');
    const claimed = from('203.0.113.5, 198.51.100.9');
    expect(await ask({ path: '/images', key, headers: claimed })).toBe('403 FORBIDDEN_POLICY');
  });

  it('KEY-02: a key may be used from its addresses', async () => {
    const { key, keyId } = await customer();
    await caller.admin(`/admin/keys/${keyId}`, { addresses: ['203.0.113.0/24'] }, 'PATCH');
    expect(await ask({ path: '/images', key, headers: from('203.0.113.5') })).toBe('served');
    const elsewhere = { path: '/images', key, headers: from('192.0.2.1') };
    expect(await ask(elsewhere)).toBe('403 KEY_ADDRESS_NOT_ALLOWED');
  });

  it('accept: one address may send so much, with or without a key, and no other one suffers', async () => {
    const flood = await runParallel(ADDRESS_BURST * 2, 50, () =>
      caller.call({ path: '/images', key: 'tk_test_wrong', headers: from('192.0.2.77') }),
    );
    const { '401 KEY_UNKNOWN': looked = 0, '429 RATE_LIMITED': slowed = 0 } = tally(
      flood.map(codeOf),
    );
    expect(looked + slowed).toBe(flood.length);
    // A worker has its part: how the connections are spread decides how much of both is used.
    expect(looked).toBeLessThanOrEqual(ADDRESS_BURST);
    expect(looked).toBeGreaterThanOrEqual(ADDRESS_BURST / WORKERS);
    const limited = flood.find(({ status }) => status === 429);
    expect(Number(limited?.headers['retry-after'])).toBeGreaterThan(0);
    expect(limited && problemOf(limited).details).toMatchObject({ limit_id: 'address_limit' });
    expect(await ask({ path: '/status', headers: from('192.0.2.78') })).toBe('served');
    expect(await ask({ path: '/status' })).toBe('served');
  });
});

describe('C402-10, C402-27: the form of a refusal', () => {
  it.each<[string, Record<string, string>, string, RegExp]>([
    ['XML', { accept: 'application/xml' }, 'application/problem+xml', /<code>FEATURE_NOT_IN_PLAN</],
    ['a page', { accept: 'text/html,*/*;q=0.8' }, 'text/html; charset=utf-8', /<a /],
    ['text', { accept: 'text/plain' }, 'text/plain; charset=utf-8', /FEATURE_NOT_IN_PLAN/],
    ['German', { 'accept-language': 'de' }, 'application/problem+json', /"language":"de"/],
  ])('%s', async (_what, headers, type, text) => {
    const { key } = await customer();
    const answer = await caller.call({ path: '/scrape?render_js=true', key, headers });
    expect([answer.status, answer.headers['content-type']]).toEqual([402, type]);
    expect(answer.text).toMatch(text);
    expect(answer.headers['vary']).toContain('Accept-Language');
  });

  it('a JSON-RPC call is refused as one', async () => {
    const { key } = await customer();
    const body = { jsonrpc: '2.0', id: 41, method: 'tools/call', params: {} };
    const answer = await caller.call({ path: '/tool', body, key });
    expect(JSON.parse(answer.text)).toMatchObject({
      jsonrpc: '2.0',
      id: 41,
      error: { code: -32000, data: { code: 'FEATURE_NOT_IN_PLAN', status: 402 } },
    });
  });
});

it('the books are right after all this', async () => {
  expect(await caller.audit()).toEqual([]);
});
