import { expect, it, onTestFinished } from 'vitest';

import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import { checkProblem } from './support/check-problem.ts';
import { createCustomer } from './support/customers.ts';
import { type CallAnswer, runParallel } from './support/gateway-caller.ts';
import { lockLedger } from './support/lock-ledger.ts';
import { startLab } from './support/start-lab.ts';
import { waitFor } from './support/wait-for.ts';

const PRICE_NANO = 1_000_000n;
const CALLS = 60;

function route(name: string, durability: string): string {
  const rewrite = `rewrite: { pattern: '^/${name}$', with: /status }`;
  return `{ name: ${name}, path: /${name}, price: 0.001 USD / request, durability: ${durability}, ${rewrite} }`;
}

it('durability: what commit-before-serve has answered is at the store; without the store it is 503 and costs nothing', async () => {
  const { gateway, caller } = await startLab({
    credit: '0.01',
    routes: [route('flushed', 'journal-fsync'), route('safe', 'commit-before-serve')],
  });
  const customer = await createCustomer(caller, { plan: 'lab', credit: '2.00' });
  const { key } = customer;
  const ask = (path: string): Promise<CallAnswer> => caller.call({ path, key });
  const store = await openSqliteStore({ directory: gateway.data });
  onTestFinished(() => store.close());
  const spent = async (): Promise<bigint> => {
    const accounts = await store.accounts(customer.tenantId, Date.now(), 0);
    return accounts.find(({ spec }) => spec.kind === 'balance')?.spent ?? 0n;
  };

  const safe = await runParallel(CALLS, 8, () => ask('/safe'));
  expect(safe.map(({ status }) => status)).toEqual(safe.map(() => 200));
  expect(await spent()).toBe(BigInt(CALLS) * PRICE_NANO);
  const others = await runParallel(2 * CALLS, 8, (each) =>
    ask(each % 2 === 0 ? '/flushed' : '/status'),
  );
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));

  const lock = lockLedger(gateway.data);
  const during = await Promise.all([ask('/safe'), ask('/flushed'), ask('/status')]);
  const [refused, ...slices] = during;
  checkProblem(refused, 'BILLING_UNAVAILABLE');
  // Out of slices, when they were not just handed back; never for want of money.
  for (const each of slices) if (each.status !== 200) checkProblem(each, 'BILLING_UNAVAILABLE');
  lock.release();
  await waitFor(async () => (await ask('/safe')).status === 200, {
    timeoutMs: 15_000,
    what: 'the ledger to be written to again',
  });
  const fromSlices = slices.filter(({ status }) => status === 200).length;
  const served = BigInt(3 * CALLS + fromSlices + 1) * PRICE_NANO;
  await waitFor(async () => (await spent()) >= served, {
    timeoutMs: 10_000,
    what: 'what was charged to be settled',
  });
  expect(await spent()).toBe(served);
  expect(await caller.audit()).toEqual([]);
}, 120_000);
