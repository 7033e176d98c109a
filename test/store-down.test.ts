import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { checkProblem } from './support/check-problem.ts';
import { createCustomer } from './support/customers.ts';
import { type CallAnswer, nanoOf, runParallel, tally } from './support/gateway-caller.ts';
import { lockLedger } from './support/lock-ledger.ts';
import { startLab } from './support/start-lab.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const WARMING_CALLS = 300;
const CALLS_MAX = 2000;
const PRICE_NANO = 1_000_000n;

it('C402-19, DESIGN 10: with the ledger locked, BILLING_UNAVAILABLE and never a 402; slices in memory still serve; afterwards every served call is charged', async () => {
  const { gateway, caller, api } = await startLab({ credit: '0.01' });
  const [warm, cold, poor] = await Promise.all([
    createCustomer(caller, { plan: 'lab', credit: '2.00' }),
    createCustomer(caller, { plan: 'lab', credit: '2.00' }),
    createCustomer(caller, { plan: 'lab' }),
  ]);
  const ask = (key: string): Promise<CallAnswer> => caller.call({ path: '/status', key });
  // Slices grow with use: this one is worth some calls when the ledger goes.
  const served = await runParallel(WARMING_CALLS, 8, () => ask(warm.key));
  expect(served.filter(({ status }) => status !== 200)).toEqual([]);
  // Who asks the store for the first time during the outage must be known, so that it is about money alone.
  // On both workers: a key that has to be looked up would wait behind the writes that are stuck.
  for (const { key } of [cold, poor]) {
    // oxlint-disable-next-line no-await-in-loop -- several connections at once reach every worker
    await runParallel(8, 8, () => caller.usage(key));
  }

  // A slice that rests for a second goes back: these calls keep it where it is until the ledger goes.
  served.push(...(await runParallel(16, 8, () => ask(warm.key))));
  const beforeOutage = served.length;

  const lock = lockLedger(gateway.data);
  let answer = await ask(warm.key);
  while (answer.status === 200 && served.length < CALLS_MAX) {
    served.push(answer);
    answer = await ask(warm.key);
  }
  checkProblem(answer, 'BILLING_UNAVAILABLE');
  const duringOutage = served.length - beforeOutage;
  console.log({ served_from_slices: duringOutage, ...tally([answer.status]) });
  expect(duringOutage).toBeGreaterThan(0);
  expect(api.requestCount).toBe(served.length);

  const refused = await ask(cold.key);
  const body = checkProblem(refused, 'BILLING_UNAVAILABLE');
  expect(body.retryable).toBe(true);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  // Without a balance it is our trouble too: nobody can look whether somebody has just paid.
  checkProblem(await ask(poor.key), 'BILLING_UNAVAILABLE');

  lock.release();
  const again = await waitFor(
    async () => {
      const each = await ask(cold.key);
      return each.status === 200 && each;
    },
    { timeoutMs: 15_000, what: 'the ledger to be written to again' },
  );
  expect(again.status).toBe(200);
  checkProblem(await ask(poor.key), 'INSUFFICIENT_CREDITS');
  const readSpent = async (): Promise<bigint> =>
    2_000_000_000n - nanoOf((await caller.usage(warm.key)).balance.settled);
  const due = BigInt(served.length) * PRICE_NANO;
  // What each worker has charged meanwhile is written with its next settlement.
  const isPaid = async (): Promise<boolean> => (await readSpent()) >= due;
  await waitFor(isPaid, { timeoutMs: 10_000, what: 'all charges in the books' });
  expect(await readSpent()).toBe(due);
  expect(await caller.audit()).toEqual([]);
});

it('with the ledger locked, /readyz says that the store does not answer while a write still waits for it', async () => {
  const { gateway } = await startLab({ credit: '0.01' });
  const ready = async (): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${gateway.admin}/readyz`);
    return { status: answer.status, body: await answer.json() };
  };
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } });
  const lock = lockLedger(gateway.data);
  let isWritten = false;
  const token = readFileSync(gateway.admin_token_file, 'utf8').trim();
  const write = fetch(`${gateway.admin}/admin/tenants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Late', plan: 'lab' }),
  }).finally(() => {
    isWritten = true;
  });
  const seen = await waitFor(
    async () => {
      const answer = await ready();
      // One that waited for the write would answer after it.
      expect(isWritten).toBe(false);
      return answer.status === 503 && answer;
    },
    { timeoutMs: 20_000, what: 'the supervisor to be stuck in the write' },
  );
  expect(seen.body).toMatchObject({
    status: 'not_ready',
    parts: expect.arrayContaining([{ name: 'store', ok: false, detail: 'does not answer' }]),
  });
  lock.release();
  await write;
  await waitFor(async () => (await fetch(`${gateway.admin}/readyz`)).ok, {
    timeoutMs: 10_000,
    what: 'the store to answer',
  });
});

it('a store thread that dies is followed by another, in each process: what was served meanwhile is charged', async () => {
  const order = join(temporaryDirectory('order'), 'die');
  const NODE_OPTIONS = `--import ${new URL('support/dying-store-thread.mjs', import.meta.url).href}`;
  const { gateway, caller, api } = await startLab({
    credit: '0.01',
    env: { NODE_OPTIONS, DYING_STORE_THREAD: order },
  });
  const customer = await createCustomer(caller, { plan: 'lab', credit: '2.00' });
  const ask = (): Promise<CallAnswer> => caller.call({ path: '/status', key: customer.key });
  const isPaidUp = async (): Promise<boolean> =>
    2_000_000_000n - nanoOf((await caller.usage(customer.key)).balance.settled) ===
    BigInt(api.requestCount) * PRICE_NANO;
  await runParallel(50, 8, ask);
  for (let death = 0; death < 2; death += 1) {
    writeFileSync(order, '');
    // oxlint-disable-next-line no-await-in-loop -- a thread dies again only once another has taken its place
    const answers = await runParallel(400, 8, ask);
    for (const answer of answers) {
      if (answer.status !== 200) checkProblem(answer, 'BILLING_UNAVAILABLE');
    }
    // Of the supervisor too: it answers the admin API.
    // oxlint-disable-next-line no-await-in-loop -- a thread dies again only once another has taken its place
    await waitFor(() => createCustomer(caller, { plan: 'lab' }).catch(() => undefined), {
      timeoutMs: 30_000,
      what: 'the store to answer the supervisor',
    });
    const isServed = async (): Promise<boolean> =>
      (await runParallel(8, 8, ask)).every(({ status }) => status === 200);
    // oxlint-disable-next-line no-await-in-loop -- a thread dies again only once another has taken its place
    await waitFor(isServed, { timeoutMs: 30_000, what: 'both workers to serve' });
  }
  expect(gateway.program.stderr).toContain('the store thread failed: planted');
  await waitFor(() => isPaidUp().catch(() => false), { timeoutMs: 10_000, what: 'all charges' });
  expect(await caller.audit()).toEqual([]);
});
