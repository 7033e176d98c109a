import { afterAll, beforeAll, expect, it } from 'vitest';

import { createCustomer, type Customer } from './support/customers.ts';
import {
  type CallAnswer,
  type GatewayCaller,
  nanoOf,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import { renderPlan } from './support/start-mid-month.ts';
import { type Shop, startShop } from './support/start-shop.ts';
import { waitFor } from './support/wait-for.ts';

/** PLAN-16: the number of its row. */
const CALLS = 1000;
const MEMBERS = 3;
const POOL = 400;
const SLOTS = 7;

let shop: Shop;
let caller: GatewayCaller;

beforeAll(async () => {
  const rest = `
${renderPlan('requests', [`{ requests: ${POOL}, per: month }`])}
${renderPlan('bank', [`{ compute_units: ${POOL * 3 + 2}, per: month }`])}
${renderPlan('credit', ['{ requests: 1M, per: month }'])}
${renderPlan('slots', [`{ concurrent_requests: ${SLOTS} }`])}
  own: { title: Own, price: 9.00 USD / month, limits: [{ requests: 5, per: month }] }
demo: { customer: { plan: own }, credit: 1.00 USD }
`;
  const work = 'price: 0.001 USD / request, compute: { units: 3 }';
  shop = await startShop({ work, rest, connectionsMax: CALLS });
  ({ caller } = shop);
}, 60_000);

afterAll(() => shop.close());

interface Pool {
  readonly organisation: Customer;
  /** Keys of the departments below it, and its own: all draw on what it has. */
  readonly keys: readonly string[];
}

async function createPool(plan: string, credit: string): Promise<Pool> {
  const organisation = await createCustomer(caller, { plan, credit });
  const members = await Promise.all(
    Array.from({ length: MEMBERS }, async () => {
      const member = await createCustomer(caller, { plan: 'own' });
      const terms = { parent_id: organisation.tenantId, pooled: true };
      await caller.admin(`/admin/tenants/${member.tenantId}`, terms, 'PATCH');
      return member.key;
    }),
  );
  return { organisation, keys: [organisation.key, ...members] };
}

/** As many calls at once as there are, of all members in turn. */
function callAll({ keys }: Pool): Promise<CallAnswer[]> {
  return runParallel(CALLS, CALLS, (index) => work(keys[index % keys.length]));
}

const work = (key: string | undefined): Promise<CallAnswer> =>
  caller.callPatiently({ path: '/work', key, headers: WORK });

const WORK = { 'x-work': JSON.stringify({ delayMs: 5 }) };

const outcomesOf = (answers: readonly CallAnswer[]) =>
  tally(answers.map((answer) => (answer.status === 200 ? 'served' : problemOf(answer).code)));

it.each([
  ['requests', '50.00', 'REQUEST_QUOTA_EXCEEDED'],
  ['bank', '50.00', 'COMPUTE_UNITS_EXHAUSTED'],
  ['credit', '0.40', 'INSUFFICIENT_CREDITS'],
])(
  'PLAN-16: a pool of %s: of 1,000 calls at once of all members exactly what it has is served',
  async (plan, credit, code) => {
    const pool = await createPool(plan, credit);
    shop.workshop.forget();
    const answers = await callAll(pool);
    const workers = await caller.workerCounts();
    const byMember = pool.keys.map((_, member) =>
      outcomesOf(answers.filter((__, index) => index % pool.keys.length === member)),
    );
    console.log({ plan, ...outcomesOf(answers), reached: shop.workshop.calls, byMember, workers });
    expect(outcomesOf(answers)).toEqual({ served: POOL, [code]: CALLS - POOL });
    expect(shop.workshop.calls).toBe(POOL);
    // It is one account, whoever looks.
    const usages = await Promise.all(pool.keys.map((key) => caller.usage(key)));
    for (const { limits, balance } of usages) {
      expect(nanoOf(credit) - nanoOf(balance.settled)).toBe(BigInt(POOL) * 1_000_000n);
      expect(limits).toMatchObject([{ used: plan === 'bank' ? POOL * 3 : POOL, held: 0 }]);
    }
    expect(await caller.audit()).toEqual([]);
  },
  60_000,
);

it('PLAN-16: a pool of slots: of 1,000 calls at once no more run together than it has, and all are free again', async () => {
  const pool = await createPool('slots', '50.00');
  shop.workshop.forget();
  const answers = await callAll(pool);
  const outcomes = outcomesOf(answers);
  console.log({ ...outcomes, mostRunning: shop.workshop.mostRunning });
  expect(Object.keys(outcomes)).toEqual(
    expect.arrayContaining(['served', 'CONCURRENCY_LIMIT_EXCEEDED']),
  );
  expect(outcomes).toEqual({
    served: shop.workshop.calls,
    CONCURRENCY_LIMIT_EXCEEDED: CALLS - shop.workshop.calls,
  });
  expect(shop.workshop.mostRunning).toBe(SLOTS);
  const limits = await waitFor(
    async () => {
      const read = (await caller.usage(pool.keys[1])).limits;
      return read.every(({ held }) => held === 0) && read;
    },
    { timeoutMs: 10_000, what: 'every slot to be free' },
  );
  expect(limits).toMatchObject([{ limit: SLOTS, used: 0, remaining: SLOTS }]);
}, 60_000);

it('PLAN-16: a member that leaves the pool has its own plan and money, and what it used stays with the pool', async () => {
  const pool = await createPool('requests', '50.00');
  const [, key] = pool.keys;
  const calls = await runParallel(20, 20, () => work(key));
  expect(outcomesOf(calls)).toEqual({ served: 20 });
  const { data } = await caller.admin<{ data: readonly { id: string }[] }>(
    `/admin/tenants?parent_id=${pool.organisation.tenantId}`,
  );
  await Promise.all(
    data.map(async ({ id }) => {
      await caller.admin(`/admin/tenants/${id}`, { pooled: false }, 'PATCH');
      await caller.admin(`/admin/tenants/${id}/grants`, { amount: '1.00' });
    }),
  );
  const after = await runParallel(10, 10, () => work(key));
  expect(outcomesOf(after)).toEqual({ served: 5, REQUEST_QUOTA_EXCEEDED: 5 });
  const { limits } = await caller.usage(pool.organisation.key);
  // Below it still: the limits of who is above hold for what is beneath.
  expect(limits).toMatchObject([{ id: 'requests_per_month', used: 25 }]);
});
