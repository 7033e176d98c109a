// @needs postgresql
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { plantBudgetTree, PRICE, priceOf, spendEverywhere } from './support/budget-tree.ts';
import { checkProblem } from './support/check-problem.ts';
import { createCustomer } from './support/customers.ts';
import {
  type CallAnswer,
  GatewayCaller,
  nanoOf,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import { runTollkeeper } from './support/run-command.ts';
import type { Gateway } from './support/start-gateway.ts';
import { type Lab, startLab } from './support/start-lab.ts';
import { type Postgres, startPostgres } from './support/start-postgres.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const PRICE_NANO = 1_000_000n;
const PASSWORD = /p4ss-word/;
const FRESH_CONNECTIONS = 8;

let server: Postgres;
let store: string;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  store = await server.createDatabase();
});

/** A connection a call, so that every worker is asked. */
function callEverywhere(gateway: Gateway, key: string): Promise<CallAnswer[]> {
  return runParallel(FRESH_CONNECTIONS, FRESH_CONNECTIONS, async () => {
    const caller = new GatewayCaller(gateway, 1);
    try {
      return await caller.callPatiently({ path: '/status', key });
    } finally {
      caller.close();
    }
  });
}

async function pay(lab: Lab, refused: CallAnswer): Promise<unknown> {
  const { pathname, search } = new URL(problemOf(refused).resolution_url);
  const body = { pack: 'small' };
  const paid = await lab.caller.call({ path: pathname + search, body, key: undefined });
  return JSON.parse(paid.text);
}

async function doctor(lab: Lab): Promise<{ code: number | null; checks: string[] }> {
  const file = join(temporaryDirectory('doctor'), 'tollkeeper.yaml');
  writeFileSync(file, `version: 1\nstore: ${store}\n`);
  const { admin, data } = lab.gateway;
  const args = ['doctor', '--json', '--config', file, '--admin', admin, '--data', data];
  const { code, stdout, stderr } = await runTollkeeper(args);
  expect(stdout + stderr).not.toMatch(PASSWORD);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
  return { code, checks: checks.map(({ name, status }) => `${name} ${status}`) };
}

it('C402-04, BILL-01, OBS-01: two workers sell what there is to the unit, refuse, take a payment, and explain', async () => {
  const lab = await startLab({ credit: '0.010', store });
  const { caller, api, gateway } = lab;
  const answers = await runParallel(40, 8, () => caller.callPatiently({ path: '/status' }));
  expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 10, 402: 30 });
  expect(api.requestCount).toBe(10);
  const refused = answers.find(({ status }) => status === 402);
  if (refused === undefined) throw new Error('nothing was refused');
  expect(checkProblem(refused, 'INSUFFICIENT_CREDITS').details).toMatchObject({
    remaining: '0.0000 USD',
  });

  expect(await pay(lab, refused)).toMatchObject({ paid: true, in_force: true });
  const again = await caller.callPatiently({ path: '/status' });
  expect(again.status).toBe(200);
  const { balance } = await caller.usage();
  expect(nanoOf(balance.settled)).toBe(5_000_000_000n - PRICE_NANO);
  for (const answer of [refused, again]) {
    const id = String(answer.headers['x-request-id']);
    // oxlint-disable-next-line no-await-in-loop -- a row is there soon after its answer
    const row = await waitFor(() => caller.facts(answer).catch(() => undefined), {
      timeoutMs: 5000,
      what: `the row of ${id}`,
    });
    expect(row.requestId).toBe(id);
  }

  expect(await caller.audit()).toEqual([]);
  expect(await doctor(lab)).toEqual({
    code: 0,
    // The server of the tests flushes nothing, and doctor says so.
    checks: [
      ...['node ok', 'configuration ok', 'data ok', 'database warn'],
      ...['gateway ok', 'workers ok', 'store ok', 'books ok', 'owners ok', 'ledger ok'],
    ],
  });
  expect(JSON.stringify(await caller.admin('/admin/config'))).not.toMatch(PASSWORD);
  const files = readdirSync(gateway.data);
  expect(files.filter((name) => name.endsWith('.db'))).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['admin.token', 'journal']));
  await gateway.stop();
  expect(gateway.program.stdout + gateway.program.stderr).not.toMatch(PASSWORD);
});

it('KEY-01: a revoked key is refused by every worker within a second', async () => {
  const { gateway, caller } = await startLab({ credit: '1.00', store });
  const { key, keyId } = await createCustomer(caller, { plan: 'lab', credit: '1.00' });
  const before = await callEverywhere(gateway, key);
  expect(tally(before.map(({ status }) => status))).toEqual({ 200: FRESH_CONNECTIONS });
  const startedMs = performance.now();
  await caller.admin(`/admin/keys/${keyId}/revoke`, {});
  const answeredMs = performance.now() - startedMs;
  const after = await callEverywhere(gateway, key);
  console.log({ revoked_within_ms: Math.round(answeredMs) });
  expect(answeredMs).toBeLessThan(1000);
  expect(tally(after.map((answer) => problemOf(answer).code))).toEqual({
    KEY_REVOKED: FRESH_CONNECTIONS,
  });
});

it('I5, I10: after kill -9 of a worker with calls in flight all that was served is charged, and the rest is back', async () => {
  const { gateway, caller } = await startLab({ credit: '1.00', store });
  const customer = await createCustomer(caller, { plan: 'lab', credit: '5.00' });
  let served = 0;
  const call = async () => {
    const answer = await caller.call({ path: '/status', key: customer.key }).catch(() => undefined);
    if (answer?.status === 200) served += 1;
    return answer?.status ?? 0;
  };
  const load = runParallel(1500, 48, call);
  await waitFor(() => served >= 300, { timeoutMs: 30_000, what: 'calls to be served' });
  const { data: workers } = await caller.admin<{ data: { pid: number }[] }>('/admin/workers');
  process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
  const statuses = tally(await load);
  console.log(statuses);
  expect(statuses['402']).toBeUndefined();

  const { balance } = await waitFor(
    async () => {
      const usage = await caller.usage(customer.key);
      return nanoOf(usage.balance.held) === 0n && usage;
    },
    { timeoutMs: 10_000, what: 'what the dead worker held to come back' },
  );
  const charged = (5_000_000_000n - nanoOf(balance.settled)) / PRICE_NANO;
  expect(charged).toBeGreaterThanOrEqual(BigInt(served));
  // At most the one answer that it had charged and not begun to write.
  expect(charged - BigInt(served)).toBeLessThanOrEqual(1n);
  expect(await caller.audit()).toEqual([]);
  const books = await waitFor(
    async () => {
      const { code, checks } = await doctor({ gateway, caller } as Lab);
      return code === 0 && checks;
    },
    { timeoutMs: 20_000, what: 'doctor to find the worker replaced' },
  );
  expect(books).toContain('ledger ok');
});

it('C402-19, DESIGN 10: without its database the gateway answers 503 and never a 402, and afterwards every served call is charged', async () => {
  const { gateway, caller, api } = await startLab({ credit: '0.01', store });
  const [warm, cold] = await Promise.all([
    createCustomer(caller, { plan: 'lab', credit: '5.00' }),
    createCustomer(caller, { plan: 'lab', credit: '5.00' }),
  ]);
  // Both workers know both keys, so that the outage is about money alone.
  for (const { key } of [cold, warm]) {
    // oxlint-disable-next-line no-await-in-loop -- one key after the other
    await runParallel(8, 8, () => caller.usage(key));
  }
  const ask = (key: string): Promise<CallAnswer> => caller.call({ path: '/status', key });
  const before = await runParallel(300, 8, () => ask(warm.key));
  expect(tally(before.map(({ status }) => status))).toEqual({ 200: 300 });

  await server.crash();
  const during = await runParallel(600, 8, () => ask(warm.key));
  const statuses = tally(during.map(({ status }) => status));
  console.log({ during_outage: statuses });
  expect(Object.keys(statuses).filter((status) => status !== '200')).toEqual(['503']);
  checkProblem(await ask(cold.key), 'BILLING_UNAVAILABLE');
  await server.start();

  const served = 300 + (statuses['200'] ?? 0);
  expect(api.requestCount).toBe(served);
  const again = await waitFor(
    async () => {
      const answer = await ask(warm.key);
      return answer.status === 200 && answer;
    },
    { timeoutMs: 15_000, what: 'the database to be written to again' },
  );
  expect(again.status).toBe(200);
  const { balance } = await caller.usage(warm.key);
  expect(5_000_000_000n - nanoOf(balance.settled)).toBe(BigInt(served + 1) * PRICE_NANO);
  expect(await caller.audit()).toEqual([]);
  expect(gateway.program.stderr).not.toMatch(PASSWORD);
});

it('DESIGN 8: two machines that start at once on an empty database sell one quota to the unit, and hear of each other', async () => {
  const options = { credit: '1.00', store, plan: ['limits: [{ requests: 60, per: lifetime }]'] };
  const [one, two] = await Promise.all([startLab(options), startLab(options)]);
  const { key, keyId } = await createCustomer(one.caller, { plan: 'lab', credit: '1.00' });
  const ask = (index: number) =>
    (index % 2 === 0 ? one : two).caller.callPatiently({ path: '/status', key });
  const answers = await runParallel(120, 16, ask);
  expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 60, 402: 60 });
  expect(one.api.requestCount + two.api.requestCount).toBe(60);

  await two.caller.admin(`/admin/keys/${keyId}/revoke`, {});
  const after = await Promise.all([one, two].map((lab) => callEverywhere(lab.gateway, key)));
  expect(tally(after.flat().map((answer) => problemOf(answer).code))).toEqual({
    KEY_REVOKED: 2 * FRESH_CONNECTIONS,
  });
  expect(await one.caller.audit()).toEqual([]);
});

it('PLAN-07, KEY-01: on three gateways a change of plan and a revoked key are in force when the change answers, within a second', async () => {
  const options = { credit: '1.00', store, plan: ['limits: [{ requests: 5, per: lifetime }]'] };
  const labs = await Promise.all([startLab(options), startLab(options), startLab(options)]);
  const [one, two, three] = labs;
  const { key, keyId, tenantId } = await createCustomer(one.caller, {
    plan: 'lab',
    credit: '9.00',
  });
  const everywhere = async () => {
    const answers = await Promise.all(labs.map(({ gateway }) => callEverywhere(gateway, key)));
    return tally(answers.flat().map((answer) => problemOf(answer).code ?? answer.status));
  };
  const changeOn = async ({ caller }: Lab, change: (caller: GatewayCaller) => Promise<unknown>) => {
    const startedMs = performance.now();
    await change(caller);
    return Math.round(performance.now() - startedMs);
  };
  const planIs = (plan: string) => (caller: GatewayCaller) =>
    caller.admin(`/admin/tenants/${tenantId}`, { plan }, 'PATCH');

  const all = 3 * FRESH_CONNECTIONS;
  expect(await everywhere()).toEqual({ 200: 5, REQUEST_QUOTA_EXCEEDED: all - 5 });
  const upgradedMs = await changeOn(two, planIs('bigger'));
  expect(await everywhere()).toEqual({ 200: all });
  const downgradedMs = await changeOn(three, planIs('lab'));
  expect(await everywhere()).toEqual({ REQUEST_QUOTA_EXCEEDED: all });
  const revokedMs = await changeOn(one, (caller) =>
    caller.admin(`/admin/keys/${keyId}/revoke`, {}),
  );
  expect(await everywhere()).toEqual({ KEY_REVOKED: all });
  console.log({ upgradedMs, downgradedMs, revokedMs });
  expect(Math.max(upgradedMs, downgradedMs, revokedMs)).toBeLessThan(1000);
  expect(await one.caller.audit()).toEqual([]);
});

it('DEL-04, QUOTA-12: on three gateways 30 + 30 of 50 is spent to the cent, and one customer that has all the traffic spends its balance to the unit', async () => {
  const route = `{ name: big, path: /big, price: ${PRICE}, rewrite: { pattern: "^.*$", with: /status } }`;
  const options = { credit: '1.00', store, routes: [route] };
  const labs = await Promise.all([startLab(options), startLab(options), startLab(options)]);
  const [one, two, three] = labs;
  const callers = labs.map(({ caller }) => caller);
  const reached = () => labs.map(({ api }) => api.requestCount);
  const sum = (counts: readonly number[]) => counts.reduce((all, each) => all + each);

  const tree = await plantBudgetTree(one.caller, 'lab');
  const { outcomes, spentNano } = await spendEverywhere(callers, tree, '/big');
  console.log({ outcomes, reached: reached() });
  const served = outcomes.map((each) => each['served'] ?? 0);
  expect(sum(served)).toBe(200);
  expect(Math.max(...served)).toBeLessThanOrEqual(120);
  for (const { served: _, ...refused } of outcomes)
    expect(Object.keys(refused)).toEqual(['SPENDING_LIMIT_REACHED']);
  expect(spentNano).toEqual(served.map(priceOf));
  expect(sum(reached())).toBe(200);

  const hot = await createCustomer(two.caller, { plan: 'lab', credit: '1.5' });
  const answers = await runParallel(2400, 96, (index) => {
    const { caller } = [one, two, three][index % 3] ?? one;
    return caller.callPatiently({ path: '/status', key: hot.key });
  });
  const ofHot = tally(answers.map((each) => problemOf(each).code ?? 'served'));
  console.log({ ofHot, reached: reached() });
  // No gateway refused what another still had.
  expect(ofHot).toEqual({ served: 1500, INSUFFICIENT_CREDITS: 900 });
  expect(sum(reached())).toBe(1700);
  const { balance } = await three.caller.usage(hot.key);
  expect(balance).toMatchObject({ settled: '0.00', held: '0.00', available: '0.00' });
  expect(await one.caller.audit()).toEqual([]);
});
