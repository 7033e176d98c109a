// @needs postgresql
import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { formatApiKey } from '../src/domain/api-key.ts';
import { checkProblem } from './support/check-problem.ts';
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
import { startFaultyNetwork } from './support/start-faulty-network.ts';
import { type Lab, startLab } from './support/start-lab.ts';
import { type Postgres, startPostgres } from './support/start-postgres.ts';
import { waitFor } from './support/wait-for.ts';

const PRICE_NANO = 1_000_000n;
const CREDIT = '5.00';
const CREDIT_NANO = 5_000_000_000n;
/** Fewer than the credit is for. */
const CALLS_MAX = 4000;
/** A statement that nobody answers is given up after 12 s. */
const RECOVERY = { timeoutMs: 30_000, what: 'the gateway to serve again by itself' };

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** A gateway whose way to its database can be spoilt. */
async function startRemoteLab() {
  const direct = await server.createDatabase();
  const network = await startFaultyNetwork(direct);
  onTestFinished(() => network.close());
  const lab = await startLab({ credit: '0.01', store: network.through(direct) });
  return { ...lab, network, store: direct };
}

/** Both workers know the key, so that what follows is about money alone. */
async function createKnown(caller: GatewayCaller): Promise<Customer> {
  const customer = await createCustomer(caller, { plan: 'lab', credit: CREDIT });
  await runParallel(8, 8, () => caller.usage(customer.key));
  return customer;
}

/** By status, and by code where it is refused. */
function tallyAnswers(answers: readonly CallAnswer[]): Readonly<Record<string, number>> {
  return tally(
    answers.map((answer) => (answer.status === 200 ? 200 : String(problemOf(answer).code))),
  );
}

async function serveAgain({ caller }: Pick<Lab, 'caller'>, key: string): Promise<void> {
  const isServed = async (): Promise<boolean> =>
    (await caller.call({ path: '/status', key })).status === 200;
  await waitFor(isServed, RECOVERY);
}

/** Every worker has settled, and so many calls of the price are charged: no more, no less. */
async function isCharged(caller: GatewayCaller, key: string, calls: number): Promise<void> {
  let spent = 0n;
  const isSettled = async (): Promise<boolean> => {
    const answer = await caller.call({ path: '/v1/usage', key });
    // A connection that was lost meanwhile is told by the first who uses it.
    if (answer.status !== 200) return false;
    spent = CREDIT_NANO - nanoOf((JSON.parse(answer.text) as UsageView).balance.settled);
    return spent >= BigInt(calls) * PRICE_NANO;
  };
  await waitFor(isSettled, { timeoutMs: 30_000, what: `${calls} calls to be charged` });
  expect(spent).toBe(BigInt(calls) * PRICE_NANO);
}

/** Calls until one is refused: what the slices hold is served first, which may be seconds of traffic. */
async function askUntilRefused(ask: () => Promise<CallAnswer>): Promise<readonly CallAnswer[]> {
  const answers: CallAnswer[] = [];
  let isRefused = false;
  await runParallel(CALLS_MAX, 16, async () => {
    if (isRefused) return;
    const answer = await ask();
    isRefused ||= answer.status !== 200;
    answers.push(answer);
  });
  return answers;
}

it('PERF-04, DESIGN 10: over a slow network calls are served or told 503, never 402; when it is fast again all is charged', async () => {
  const lab = await startRemoteLab();
  const { caller, api, network } = lab;
  const warm = await createKnown(caller);
  const cold = await createKnown(caller);
  const ask = (key: string) => caller.call({ path: '/status', key });
  const before = await runParallel(200, 8, () => ask(warm.key));
  expect(tallyAnswers(before)).toEqual({ 200: 200 });

  network.delay(100);
  const slowed = await runParallel(200, 8, () => ask(warm.key));
  network.delay(1500);
  const stuck = await runParallel(64, 64, () => ask(warm.key));
  const firstCall = await ask(cold.key);
  const unknown = await ask(formatApiKey('test', randomBytes(22)));
  network.delay(0);

  console.log({ slowed: tallyAnswers(slowed), stuck: tallyAnswers(stuck) });
  for (const answers of [slowed, stuck]) {
    const told = Object.keys(tallyAnswers(answers));
    expect(told.filter((each) => each !== '200' && each !== 'BILLING_UNAVAILABLE')).toEqual([]);
  }
  // A round trip of three seconds: who has to ask the store is not kept waiting for it.
  checkProblem(firstCall, 'BILLING_UNAVAILABLE');
  checkProblem(unknown, 'BILLING_UNAVAILABLE');

  await serveAgain(lab, cold.key);
  await serveAgain(lab, warm.key);
  const served = [...before, ...slowed, ...stuck].filter(({ status }) => status === 200).length;
  await isCharged(caller, warm.key, served + 1);
  expect(api.requestCount).toBe(served + 2);
  expect(await caller.audit()).toEqual([]);
});

it('DESIGN 10: cut off from its database without a word, it serves from its slices, then 503; when the way is back it recovers by itself', async () => {
  const lab = await startRemoteLab();
  const { caller, api, network } = lab;
  const warm = await createKnown(caller);
  const ask = () => caller.call({ path: '/status', key: warm.key });
  const { data: workers } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
  const before = await runParallel(300, 8, ask);
  expect(tallyAnswers(before)).toEqual({ 200: 300 });

  network.cut();
  const during = await askUntilRefused(ask);
  const told = tallyAnswers(during);
  console.log({ cut_off: told });
  expect(Object.keys(told).filter((each) => each !== '200')).toEqual(['BILLING_UNAVAILABLE']);
  expect(told['200']).toBeGreaterThan(0);
  network.mend();

  await serveAgain(lab, warm.key);
  const served = [...before, ...during].filter(({ status }) => status === 200).length + 1;
  expect(api.requestCount).toBe(served);
  await isCharged(caller, warm.key, served);
  const after = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
  expect(after.data.map(({ pid }) => pid)).toEqual(workers.map(({ pid }) => pid));
  expect(await caller.audit()).toEqual([]);
});

/** What the processes have told of trouble with the books for the first time. */
function listTroubles({ gateway }: Pick<Lab, 'gateway'>): readonly string[] {
  const lines = gateway.program.stderr.split('\n').filter((line) => line.includes('the books'));
  return lines
    .map((line) => JSON.parse(line) as { process: string; error: string; repeats?: number })
    .filter(({ repeats }) => repeats === undefined)
    .map(({ process, error }) => `${process}: ${error}`);
}

it('DESIGN 10: a database that takes no writes, as a replica after a failover, is 503 and never 402, logged once and not by each round, and over when it is over', async () => {
  const lab = await startRemoteLab();
  const { caller, api, store } = lab;
  const warm = await createKnown(caller);
  const ask = () => caller.call({ path: '/status', key: warm.key });
  const before = await runParallel(200, 8, ask);
  const database = new URL(store).pathname.slice(1);
  const setReadOnly = (state: 'on' | 'off'): Promise<void> =>
    server.execute(
      store.replace(/[^/]+$/, 'postgres'),
      `ALTER DATABASE ${database} SET default_transaction_read_only = ${state};
       SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
    );
  await setReadOnly('on');
  const during = await askUntilRefused(ask);
  const told = tallyAnswers(during);
  console.log({ read_only: told });
  expect(Object.keys(told).filter((each) => each !== '200')).toEqual(['BILLING_UNAVAILABLE']);
  const troubles = listTroubles(lab);
  expect(troubles).toContainEqual(expect.stringContaining('read-only'));
  expect(new Set(troubles).size).toBe(troubles.length);
  await setReadOnly('off');
  await serveAgain(lab, warm.key);
  const served = [...before, ...during].filter(({ status }) => status === 200).length + 1;
  expect(api.requestCount).toBe(served);
  await isCharged(caller, warm.key, served);
  expect(await caller.audit()).toEqual([]);
});
