import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createCustomer, type Customer } from './support/customers.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  problemOf,
  runParallel,
  tally,
  type UsageView,
} from './support/gateway-caller.ts';
import { type MidMonth, renderPlan, startMidMonth } from './support/start-mid-month.ts';

/** What the plan allows each end user. */
const EACH = 20;
const CALLERS = 32;
const INVENTED = 2000;
const LISTED_MAX = 100;

let lab: MidMonth;
let caller: GatewayCaller;

beforeAll(async () => {
  lab = await startMidMonth(renderConfig(), CALLERS);
  ({ caller } = lab);
}, 60_000);

afterAll(async () => {
  await lab.close();
});

function renderConfig(): string {
  return `
version: 1
retry_storm_per_minute: 0
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
    end_user_header: x-customer
    routes: [{ name: status, path: /status, price: 0.001 USD / request }]
plans:
${renderPlan('lab', [`{ requests: ${EACH}, per: month, scope: end_user }`])}
${plansOf(20, 30)}
demo: { customer: { plan: lab }, credit: 1.00 USD }
`;
}

/** Of the same limits, with these amounts. */
function plansOf(...amounts: readonly number[]): string {
  const scopes = ['end_user', 'route', 'key', 'tenant'];
  return amounts
    .map((amount) => {
      const limits = scopes.map((scope) => `{ requests: ${amount}, per: month, scope: ${scope} }`);
      return renderPlan(`of-${amount}`, limits);
    })
    .join('\n');
}

/** A proxied call, of a user named in the header; undefined = of none. */
function work(key: string, user: string | undefined): Promise<CallAnswer> {
  return caller.callPatiently({
    path: '/status',
    key,
    headers: user === undefined ? {} : { 'x-customer': user },
  });
}

/** A chat, of a user named as OpenAI's format does. */
function chat(key: string, user: string): Promise<CallAnswer> {
  const messages = [{ role: 'user', content: 'x' }];
  return caller.callPatiently({
    path: '/v1/chat/completions',
    key,
    body: { model: 'm', max_tokens: 1, user, messages },
  });
}

const outcomesOf = (answers: readonly CallAnswer[]) =>
  tally(answers.map((answer) => (answer.status === 200 ? 'served' : problemOf(answer).code)));

/** Ten calls more than one user may make, all at once. */
async function exhaust(call: () => Promise<CallAnswer>) {
  return outcomesOf(await runParallel(EACH + 10, CALLERS, () => settle(call)));
}

/** Until it is clear whether it is served: a unit that another call holds may come back. */
async function settle(call: () => Promise<CallAnswer>): Promise<CallAnswer> {
  const answer = await call();
  const isOpen = answer.status === 402 && problemOf(answer).retry.kind === 'transient';
  return isOpen ? settle(call) : answer;
}
const ONE_USER = { served: EACH, REQUEST_QUOTA_EXCEEDED: 10 };

const customer = (): Promise<Customer> => createCustomer(caller, { plan: 'lab', credit: '100.00' });

describe('QUOTA-03: limits of each end user, 2 workers', () => {
  it('two users of one key at the same time: each has its own, exactly, and is told that it is its own', async () => {
    const { key } = await customer();
    const both = await Promise.all(['ann', 'bob'].map((user) => exhaust(() => work(key, user))));
    expect(both).toEqual([ONE_USER, ONE_USER]);
    expect(problemOf(await work(key, 'ann'))).toMatchObject({
      code: 'REQUEST_QUOTA_EXCEEDED',
      details: { scope: 'end_user', current_usage: EACH, allowed_usage: EACH, remaining: 0 },
    });
    expect((await work(key, 'eve')).status).toBe(200);
  });

  it('a user is the same by any key of its tenant and on any route, and another one with another tenant', async () => {
    const [acme, other] = [await customer(), await customer()];
    const second = await caller.admin<{ key: string }>('/admin/keys', { tenant_id: acme.tenantId });
    const calls = [
      () => work(acme.key, 'ann'),
      () => work(second.key, 'ann'),
      () => chat(acme.key, 'ann'),
      () => chat(second.key, 'ann'),
    ];
    let turn = 0;
    expect(
      await exhaust(() => {
        turn += 1;
        return (calls[turn % calls.length] ?? calls[0])?.() as Promise<CallAnswer>;
      }),
    ).toEqual(ONE_USER);
    expect(await exhaust(() => work(other.key, 'ann'))).toEqual(ONE_USER);
  });

  it('calls that name nobody are counted together, apart from whoever is named', async () => {
    const { key } = await customer();
    expect(await exhaust(() => work(key, undefined))).toEqual(ONE_USER);
    expect((await work(key, 'ann')).status).toBe(200);
  });

  it.each([
    ['of any length', 'x'.repeat(4000), `${'x'.repeat(3999)}y`],
    ['with the signs that ids are made of', 'a/b:c', 'a/b%3Ac'],
    ['that differ in case only', 'ann', 'Ann'],
  ])('names %s are told apart', async (_what, one, other) => {
    const { key } = await customer();
    expect(await exhaust(() => work(key, one))).toEqual(ONE_USER);
    expect((await work(key, other)).status).toBe(200);
    expect((await work(key, one)).status).toBe(402);
  });

  it(`${INVENTED} invented users are all served, and the list of them is bounded`, async () => {
    const { key } = await customer();
    const answers = await runParallel(INVENTED, CALLERS, (index) => work(key, `user ${index}`));
    expect(outcomesOf(answers)).toEqual({ served: INVENTED });
    const usage = (await caller.usage(key)) as Awaited<ReturnType<GatewayCaller['usage']>> & {
      readonly limits_left_off: number;
    };
    console.log({ listed: usage.limits.length, left_off: usage.limits_left_off });
    expect(usage.limits).toHaveLength(LISTED_MAX);
    expect(usage.limits_left_off).toBe(INVENTED - LISTED_MAX);
    expect(await caller.audit()).toEqual([]);
  });
});

it('QUOTA-14: another plan shows at once, to the customer and to the operator, before its next call', async () => {
  const { tenantId, key } = await createCustomer(caller, { plan: 'of-20', credit: '1.00' });
  expect((await work(key, 'ann')).status).toBe(200);
  const read = async () => {
    const operators = await caller.admin<UsageView>(`/admin/tenants/${tenantId}`);
    return [await caller.usage(key), operators].map(({ limits }) =>
      Object.fromEntries(limits.map(({ scope, limit, used }) => [scope, [used, limit]])),
    );
  };
  const all = (limit: number) => {
    const each = Object.fromEntries(
      ['end_user', 'route', 'key', 'tenant'].map((scope) => [scope, [1, limit]]),
    );
    return [each, each];
  };
  expect(await read()).toEqual(all(20));
  await caller.admin(`/admin/tenants/${tenantId}`, { plan: 'of-30' }, 'PATCH');
  expect(await read()).toEqual(all(30));
});
