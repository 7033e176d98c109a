import { afterAll, beforeAll, expect, it } from 'vitest';

import { createCustomer, type Customer } from './support/customers.ts';
import {
  type Call,
  type CallAnswer,
  GatewayCaller,
  problemOf,
  tally,
} from './support/gateway-caller.ts';
import { type Gateway, startGateway } from './support/start-gateway.ts';

/** Enough fresh connections that two workers which share them are both asked. */
const CONNECTIONS = 8;
const STATUS = 'rewrite: { pattern: "^.*$", with: "/status" }';
const CONFIG = `
version: 1
upstreams:
  demo: { url: "builtin:demo" }
providers:
  echo: { base_url: "builtin:echo" }
models:
  m: { provider: echo, upstream_model: echo-1, context_window: 4096, max_output_tokens: 64,
       price: { input: 1.00 USD / 1M tokens, output: 2.00 USD / 1M tokens } }
apis:
  llm: { type: llm }
  demo:
    upstream: demo
    routes:
      - { name: status, path: /status, price: 0.001 USD / request }
      - { name: audit, path: /audit, role: auditor, ${STATUS} }
      - { name: course, path_regex: "^/courses/(?<course>[a-z0-9-]+)$",
          requires: [{ purchase: "course-{course}" }], ${STATUS} }
  live:
    upstream: demo
    environment: live
    routes:
      - { name: live, path: /live, ${STATUS} }
plans:
  base:
    title: Base
    price: 9.00 USD / month
    limits: [{ requests: 20, per: month }]
    rate_limits: [600/min burst 100]
add_ons:
  seven: { title: Seven, price: 5.00 USD, grants: { purchases: [course-7] } }
  burst: { title: Burst, price: 5.00 USD / month, grants: { rate_limits: [600/min burst 500] } }
  more: { title: More, price: 5.00 USD, grants: { limits: [{ requests: 40, per: month }] } }
demo: { customer: { plan: base }, credit: 1.00 USD }
`;

let gateway: Gateway;
let caller: GatewayCaller;

beforeAll(async () => {
  const env = { TOLLKEEPER_LOG_LEVEL: 'error' };
  gateway = await startGateway({ config: CONFIG, args: ['--workers', '2'], env });
  caller = new GatewayCaller(gateway);
});
afterAll(async () => {
  caller.close();
  await gateway.stop();
});

function customer(): Promise<Customer> {
  return createCustomer(caller, { plan: 'base', credit: '1.00' });
}
function patch(path: string, body: object): Promise<unknown> {
  return caller.admin(path, body, 'PATCH');
}
const agree = ({ tenantId }: Customer, terms: object) => patch(`/admin/tenants/${tenantId}`, terms);
const narrow = ({ keyId }: Customer, terms: object) => patch(`/admin/keys/${keyId}`, terms);

async function callEverywhere(call: Call): Promise<readonly CallAnswer[]> {
  const callers = Array.from({ length: CONNECTIONS }, () => new GatewayCaller(gateway, 1));
  const answers = await Promise.all(callers.map((fresh) => fresh.call(call)));
  for (const fresh of callers) fresh.close();
  return answers;
}

/** What the same call comes to over connections of its own, so that every worker is asked. */
async function outcomes(
  key: string,
  path = '/status',
  call: Partial<Call> = {},
): Promise<Readonly<Record<string, number>>> {
  const answers = await callEverywhere({ ...call, path, key });
  return tally(
    answers.map((answer) => (answer.status === 200 ? 'served' : problemOf(answer).code)),
  );
}
const all = (outcome: string) => ({ [outcome]: CONNECTIONS });

it('PLAN-13: an override is in force on every worker when the change answers, and gone with it', async () => {
  const acme = await customer();
  await agree(acme, { overrides: [{ limit_id: 'requests_per_month', amount: 0 }] });
  expect(await outcomes(acme.key)).toEqual(all('REQUEST_QUOTA_EXCEEDED'));
  await agree(acme, { overrides: [] });
  expect(await outcomes(acme.key)).toEqual(all('served'));
});

it('PLAN-10, PLAN-05: what is bought counts at once, for that alone, until it is ended', async () => {
  const acme = await customer();
  const purchases = `/admin/tenants/${acme.tenantId}/purchases`;
  expect(await outcomes(acme.key, '/courses/7')).toEqual(all('PURCHASE_REQUIRED'));
  const { id } = await caller.admin<{ id: string }>(purchases, { add_on: 'seven' });
  expect(await outcomes(acme.key, '/courses/7')).toEqual(all('served'));
  expect((await outcomes(acme.key, '/courses/8'))['served']).toBeUndefined();
  await caller.admin(`${purchases}/${id}`, undefined, 'DELETE');
  expect(await outcomes(acme.key, '/courses/7')).toEqual(all('PURCHASE_REQUIRED'));

  const limitOf = async (): Promise<number> => {
    const { limits } = await caller.usage(acme.key);
    return Number(limits.find(({ id: limit }) => limit === 'requests_per_month')?.limit);
  };
  expect(await limitOf()).toBe(20);
  await caller.admin(purchases, { add_on: 'more' });
  expect(await limitOf()).toBe(60);
});

it('PLAN-16: what changes above a customer reaches its keys: a limit there, a pool, the way out of it', async () => {
  // What eight calls cost: with credit of its own left it could not join the pool.
  const app = await createCustomer(caller, { plan: 'base', credit: '0.008' });
  const org = await customer();
  await agree(org, { overrides: [{ limit_id: 'requests_per_month', amount: 0 }] });
  expect(await outcomes(app.key)).toEqual(all('served'));
  await agree(app, { parent_id: org.tenantId });
  expect(await outcomes(app.key)).toEqual(all('REQUEST_QUOTA_EXCEEDED'));
  await agree(org, { overrides: [] });
  await agree(app, { pooled: true });
  expect(await outcomes(app.key)).toEqual(all('served'));
  // Eight calls, from the money of the pool.
  const { balance } = await caller.usage(org.key);
  expect(balance.settled).toBe('0.992');
  await agree(org, { account_state: 'suspended' });
  expect(await outcomes(app.key)).toEqual(all('ACCOUNT_SUSPENDED'));
});

it('KEY-01: a regenerated key is served with its new secret on every worker, and unknown with the old', async () => {
  const acme = await customer();
  await outcomes(acme.key);
  const again = await caller.admin<{ key: string }>(`/admin/keys/${acme.keyId}/regenerate`, {});
  expect(await outcomes(again.key)).toEqual(all('served'));
  expect(await outcomes(acme.key)).toEqual(all('KEY_UNKNOWN'));
  // It is the same key: what it used stays used.
  const { limits } = await caller.usage(again.key);
  expect(limits.find(({ id }) => id === 'requests_per_month')?.used).toBe(2 * CONNECTIONS);
});

it.each([
  ['an operation', { operations: ['demo.audit'] }, 'KEY_PERMISSION_DENIED'],
  ['an API', { apis: ['llm'] }, 'KEY_PERMISSION_DENIED'],
  ['an address', { addresses: ['203.0.113.0/24'] }, 'KEY_ADDRESS_NOT_ALLOWED'],
  [
    'a limit',
    { limits: [{ unit: 'requests', window: 'day', amount: 0 }] },
    'REQUEST_QUOTA_EXCEEDED',
  ],
  ['a budget', { budget: '0.0005' }, 'SPENDING_LIMIT_REACHED'],
])(
  'KEY-02: a key is narrowed to %s, and opened again, on every worker',
  async (_what, terms, code) => {
    const acme = await customer();
    expect(await outcomes(acme.key)).toEqual(all('served'));
    await narrow(acme, terms);
    expect(await outcomes(acme.key)).toEqual(all(code));
    const [member = ''] = Object.keys(terms);
    await narrow(acme, { [member]: member === 'budget' ? null : [] });
    expect(await outcomes(acme.key)).toEqual(all('served'));
  },
);

it('GW-14: a role lets a key through, and no other', async () => {
  const acme = await customer();
  expect(await outcomes(acme.key, '/audit')).toEqual(all('FORBIDDEN_ROLE'));
  await narrow(acme, { roles: ['auditor'] });
  expect(await outcomes(acme.key, '/audit')).toEqual(all('served'));
});

it('KEY-04: a test key is told that it is one where only live keys may call', async () => {
  const { tenantId, key } = await customer();
  const test = await caller.admin<{ key: string }>('/admin/keys', {
    tenant_id: tenantId,
    environment: 'test',
  });
  expect(await outcomes(test.key, '/live')).toEqual(all('KEY_ENVIRONMENT_MISMATCH'));
  expect(await outcomes(key, '/live')).toEqual(all('served'));
});

it('KEY-05: two keys of one customer carry different context sizes', async () => {
  const small = await customer();
  const large = await caller.admin<{ key: string }>('/admin/keys', { tenant_id: small.tenantId });
  await narrow(small, { context_tokens_max: 20 });
  const body = { model: 'm', max_tokens: 30, messages: [{ role: 'user', content: 'hello' }] };
  const chat = (key: string) => outcomes(key, '/v1/chat/completions', { body });
  expect(await chat(small.key)).toEqual(all('CONTEXT_SIZE_NOT_AVAILABLE'));
  expect(await chat(large.key)).toEqual(all('served'));
});
