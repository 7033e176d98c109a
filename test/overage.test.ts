import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DemoServer } from '../src/server/demo/demo-server.ts';
import { startEchoModel } from '../src/server/demo/echo-model.ts';
import { createCustomer, type Customer } from './support/customers.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  nanoOf,
  problemOf,
  runParallel,
  tally,
  type UsageView,
} from './support/gateway-caller.ts';
import { type MidMonth, renderPlan, startMidMonth } from './support/start-mid-month.ts';
import { startWorkshop, type Work, type Workshop } from './support/start-workshop.ts';
import { waitFor } from './support/wait-for.ts';

const CALLERS = 100;
const CREDIT = '50.00';
const OUTPUT_TOKENS = 10;
/** What the model bills for a chat: one of input, and those of output. */
const CHAT_TOKENS = 1 + OUTPUT_TOKENS;

let workshop: Workshop;
let model: DemoServer;
let lab: MidMonth;
let caller: GatewayCaller;

beforeAll(async () => {
  workshop = await startWorkshop();
  model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  lab = await startMidMonth(renderConfig(), CALLERS);
  ({ caller } = lab);
}, 60_000);

afterAll(async () => {
  await lab.close();
  await Promise.all([workshop.close(), model.close()]);
});

function renderConfig(): string {
  return `
version: 1
retry_storm_per_minute: 0
upstreams:
  shop: { url: "${workshop.origin}" }
providers:
  echo: { base_url: "${model.origin}/v1" }
models:
  m:
    provider: echo
    upstream_model: echo-1
    context_window: 32768
    max_output_tokens: 64
    price: { input: 0 USD / 1M tokens, output: 0 USD / 1M tokens }
apis:
  llm: { type: llm }
  shop:
    upstream: shop
    routes:
      - { name: work, path: /work, compute: { units: 3, used_header: x-compute-units } }
      - { name: sold, path: /sold, price: { byte_out: 1.00 USD / 1MB } }
plans:
${renderPlan('calls', ['{ requests: 300, per: month, overage: { price: 0.002 USD } }'])}
${renderPlan('units', ['{ compute_units: 100, per: month, overage: { price: 0.002 USD } }'])}
${renderPlan('bytes', ['{ bytes_out: 100001, per: month, overage: { price: 1.00 USD / 1MB } }'])}
${renderPlan('stop', ['{ bytes_out: 10, per: month }'])}
${renderPlan('drops', ['{ bytes_out: 10, per: month, overage: { price: 1.00 USD / 1MB } }'])}
${renderPlan('tokens', ['{ tokens: 1500, per: month, overage: { price: 1000 USD / 1M tokens } }'])}
demo: { customer: { plan: calls }, credit: 1.00 USD }
`;
}

interface Counted {
  readonly allowed: number;
  readonly included: number;
  readonly billed: number;
  readonly billedCost: string;
  readonly balance: UsageView['balance'];
}

/** The only limit of a customer, once nothing is held any more. */
async function readCounted({ key }: Customer): Promise<Counted> {
  const usage = await waitFor(
    async () => {
      const read = await caller.usage(key);
      return (
        read.limits.every(({ held }) => held === 0) && nanoOf(read.balance.held) === 0n && read
      );
    },
    { timeoutMs: 10_000, what: 'nothing to be held any more' },
  );
  const [limit] = usage.limits as readonly (UsageView['limits'][number] & {
    readonly overage: { readonly used: number; readonly cost: string };
  })[];
  return {
    allowed: Number(limit?.limit),
    included: Number(limit?.used),
    billed: Number(limit?.overage.used),
    billedCost: String(limit?.overage.cost),
    balance: usage.balance,
  };
}

const work = ({ key }: Customer, task: Work, path = '/work'): Promise<CallAnswer> =>
  caller.callPatiently({
    path,
    key,
    body: 'x',
    headers: { 'x-work': JSON.stringify(task) },
  });

const chat = (
  { key }: Customer,
  tokensMax: number,
  knobs: Readonly<Record<string, string>> = {},
): Promise<CallAnswer> =>
  caller.callPatiently({
    path: '/v1/chat/completions',
    key,
    body: { model: 'm', max_tokens: tokensMax, messages: [{ role: 'user', content: 'x' }] },
    headers: { 'x-echo-tokens': String(OUTPUT_TOKENS), 'x-echo-delay-ms': '5', ...knobs },
  });

/** What the answers say they cost. */
const costOf = (answers: readonly CallAnswer[]): bigint =>
  answers
    .filter(({ status }) => status === 200)
    .reduce((sum, { headers }) => sum + nanoOf(String(headers['x-tollkeeper-cost'])), 0n);

/** What the balance lost, and what the limit says that costs, are so many units at this price. */
function expectBilled({ billed, billedCost, balance }: Counted, priceNano: bigint): void {
  expect(nanoOf(CREDIT) - nanoOf(balance.settled)).toBe(BigInt(billed) * priceNano);
  expect(nanoOf(billedCost)).toBe(BigInt(billed) * priceNano);
}

const statusesOf = (answers: readonly CallAnswer[]) => tally(answers.map(({ status }) => status));

describe('PLAN-11: many callers cross an allowance on 2 workers', () => {
  it('calls: the allowance is used to its last unit, every further one is billed, no unit twice', async () => {
    const customer = await createCustomer(caller, { plan: 'calls', credit: CREDIT });
    const answers = await runParallel(1000, CALLERS, () => work(customer, { delayMs: 2 }));
    const counted = await readCounted(customer);
    console.log({ ...statusesOf(answers), ...counted });
    expect(statusesOf(answers)).toEqual({ 200: 1000 });
    // Whether an answer was included or billed, it said so.
    expect(costOf(answers)).toBe(700n * 2_000_000n);
    expect(counted).toMatchObject({ allowed: 300, included: 300, billed: 700 });
    expectBilled(counted, 2_000_000n);
    expect(await caller.audit()).toEqual([]);
  });

  it('calls that fail cost nothing and count nowhere', async () => {
    const customer = await createCustomer(caller, { plan: 'calls', credit: CREDIT });
    const answers = await runParallel(1000, CALLERS, (index) =>
      index % 5 === 0
        ? chat(customer, 10, { 'x-echo-status': '500' })
        : work(customer, { delayMs: 2 }),
    );
    const counted = await readCounted(customer);
    console.log({ ...statusesOf(answers), ...counted });
    expect(statusesOf(answers)).toEqual({ 200: 800, 502: 200 });
    expect(counted).toMatchObject({ included: 300, billed: 500 });
    expectBilled(counted, 2_000_000n);
  });

  it('units, three a call: the call that crosses is split', async () => {
    const customer = await createCustomer(caller, { plan: 'units', credit: CREDIT });
    const answers = await runParallel(300, CALLERS, () => work(customer, { delayMs: 2, units: 3 }));
    const counted = await readCounted(customer);
    console.log({ ...statusesOf(answers), ...counted });
    expect(statusesOf(answers)).toEqual({ 200: 300 });
    expect(costOf(answers)).toBe(800n * 2_000_000n);
    expect(counted).toMatchObject({ allowed: 100, included: 100, billed: 800 });
    expectBilled(counted, 2_000_000n);
  });

  it('money for a part of them: what is left of it is less than the next unit, and nothing is overspent', async () => {
    const customer = await createCustomer(caller, { plan: 'calls', credit: '0.0513' });
    const answers = await runParallel(600, CALLERS, () => work(customer, { delayMs: 2 }));
    const refused = answers.filter(({ status }) => status !== 200);
    const { included, billed, balance } = await readCounted(customer);
    console.log({ ...statusesOf(answers), included, billed, balance });
    expect(refused.map((answer) => problemOf(answer).code)).toEqual(
      Array.from({ length: 275 }, () => 'INSUFFICIENT_CREDITS'),
    );
    expect({ included, billed }).toEqual({ included: 300, billed: 25 });
    expect(balance).toMatchObject({ settled: '0.0013', held: '0.00' });
  });

  it('bytes, which nobody knows beforehand: what was sent is included or billed, to the byte', async () => {
    const customer = await createCustomer(caller, { plan: 'bytes', credit: CREDIT });
    const answers = await runParallel(300, CALLERS, () =>
      work(customer, { delayMs: 2, bytes: 700 }),
    );
    const counted = await readCounted(customer);
    console.log({ ...statusesOf(answers), ...counted });
    expect(statusesOf(answers)).toEqual({ 200: 300 });
    expect(counted.included + counted.billed).toBe(300 * 700);
    expectBilled(counted, 1000n);
  });

  it('bytes, where the balance pays for few: a call begins with one, and is refused when not even that is left', async () => {
    const customer = await createCustomer(caller, { plan: 'drops', credit: '0.001' });
    for (const bytes of [10, 400, 600]) {
      // oxlint-disable-next-line no-await-in-loop -- each call takes of what the one before has left
      expect((await work(customer, { bytes })).status).toBe(200);
    }
    const refused = await work(customer, { bytes: 1 });
    expect([refused.status, problemOf(refused).code]).toEqual([402, 'INSUFFICIENT_CREDITS']);
    // One byte: that is all it could not begin without.
    expect(problemOf(refused).details).toMatchObject({ needed: '0.000001 USD' });
    const { included, billed, balance } = await readCounted(customer);
    expect({ included, billed }).toEqual({ included: 10, billed: 1000 });
    expect(balance).toMatchObject({ settled: '0.00', held: '0.00' });
  });

  it('C402-07: a plan that bills bytes is offered to who can pay for one, not only for a window of them', async () => {
    const customer = await createCustomer(caller, { plan: 'stop', credit: '0.001' });
    expect((await work(customer, { bytes: 10 }, '/sold')).status).toBe(200);
    const refused = await work(customer, { bytes: 1 }, '/sold');
    expect([refused.status, problemOf(refused).code]).toEqual([402, 'DATA_QUOTA_EXCEEDED']);
    const offers = problemOf(refused).details['upgrade_options'] as readonly { id: string }[];
    expect(offers.map(({ id }) => id)).toContain('drops');
    await caller.admin(`/admin/tenants/${customer.tenantId}`, { plan: 'drops' }, 'PATCH');
    expect((await work(customer, { bytes: 1 }, '/sold')).status).toBe(200);
  });

  it('tokens, of which more is held than is used: what came back is used before anything more is billed', async () => {
    const customer = await createCustomer(caller, { plan: 'tokens', credit: CREDIT });
    const answers = await runParallel(200, CALLERS, () => chat(customer, 60));
    const counted = await readCounted(customer);
    console.log({ ...statusesOf(answers), ...counted });
    expect(statusesOf(answers)).toEqual({ 200: 200 });
    expect(counted.included + counted.billed).toBe(200 * CHAT_TOKENS);
    expectBilled(counted, 1_000_000n);
    // What a call is billed for is settled as it begins: units that others hold then are not free, though they
    // may come back. They are there for the next calls, before anything more is billed.
    let [left, calls] = [counted.allowed - counted.included, 0];
    for (; left >= 200; left -= CHAT_TOKENS) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await chat(customer, OUTPUT_TOKENS);
      calls += 1;
    }
    const after = await readCounted(customer);
    console.log({ calls, ...after });
    expect(after).toMatchObject({
      included: counted.included + calls * CHAT_TOKENS,
      billed: counted.billed,
    });
  });
});
