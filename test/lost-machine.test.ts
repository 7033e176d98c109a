// @needs postgresql
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { createCustomer } from './support/customers.ts';
import { type GatewayCaller, nanoOf, runParallel, tally } from './support/gateway-caller.ts';
import { runTollkeeper } from './support/run-command.ts';
import { type Lab, startLab } from './support/start-lab.ts';
import { type Postgres, startPostgres } from './support/start-postgres.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const PATIENCE = { timeoutMs: 60_000 };
const PRICE_NANO = 1_000_000n;
const CREDIT_NANO = 5_000_000_000n;
const WARMING_CALLS = 300;

interface OwnerView {
  readonly id: string;
  readonly machine: string;
  readonly state: string;
  readonly holds: readonly { readonly unit: string; readonly amount: string }[];
}

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** Every process of a gateway at once: it settles nothing and hands nothing back. */
async function killWhole(gateway: Lab['gateway'], workers: readonly number[]): Promise<void> {
  for (const pid of [gateway.pid, ...workers]) process.kill(pid, 'SIGKILL');
  await gateway.program.exited;
}

async function owners(caller: GatewayCaller): Promise<readonly OwnerView[]> {
  return (await caller.admin<{ data: OwnerView[] }>('/admin/owners')).data;
}

function command({ gateway }: Lab, ...line: readonly string[]) {
  return runTollkeeper([...line, '--admin', gateway.admin, '--data', gateway.data]);
}

it('DESIGN 5, PERF-05, BILL-27: what a dead machine holds is seen and alarmed about, written off by an administrator, and what its journal says later is of the house', async () => {
  const store = await server.createDatabase();
  const data = temporaryDirectory('lost');
  const lost = await startLab({ credit: '1.00', store, data });
  const customer = await createCustomer(lost.caller, { plan: 'lab', credit: '5.00' });
  const ask = () => lost.caller.call({ path: '/status', key: customer.key });
  const warm = await runParallel(WARMING_CALLS, 8, ask);
  expect(tally(warm.map(({ status }) => status))).toEqual({ 200: WARMING_CALLS });
  const { data: workers } = await lost.caller.admin<{ data: { pid: number }[] }>('/admin/workers');
  // What is served without the database is in the journals alone when all of the machine dies.
  await server.crash();
  await runParallel(40, 8, ask);
  const servedNano = BigInt(lost.api.requestCount) * PRICE_NANO;
  expect(servedNano).toBeGreaterThan(BigInt(WARMING_CALLS) * PRICE_NANO);
  await killWhole(
    lost.gateway,
    workers.map(({ pid }) => pid),
  );
  await server.start();

  const members = ['jobs: { reconcile: 1s }'];
  const other = await startLab({ credit: '1.00', store, clock: '+1h', members });
  const silent = (await owners(other.caller)).filter(({ state }) => state === 'silent');
  expect(silent.map(({ machine }) => machine)).toEqual([hostname(), hostname()]);
  expect(silent.some(({ holds }) => holds.some(({ unit }) => unit === 'USD'))).toBe(true);
  await waitFor(() => other.gateway.program.stderr.includes('"alert":"silent_owners"'), {
    ...PATIENCE,
    what: 'the alert',
  });
  const metrics = await other.caller.metrics();
  expect(metrics).toMatch(/^tollkeeper_owners_silent 2$/m);
  expect(metrics).toMatch(/^tollkeeper_owners_silent_units\{unit="USD"\} [1-9]/m);
  const doctor = await command(other, 'doctor');
  expect(doctor.stdout).toMatch(/^warn +owners +2 not heard of .*tollkeeper owners list$/m);
  const before = await other.caller.usage(customer.key);
  expect(nanoOf(before.balance.held)).toBeGreaterThan(0n);

  for (const { id } of silent) {
    // oxlint-disable-next-line no-await-in-loop -- an administrator writes off one process at a time
    const done = await command(other, 'owners', 'write-off', id, '--json');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ id, state: 'written_off' });
  }
  const after = await other.caller.usage(customer.key);
  expect(after.balance).toEqual({
    ...before.balance,
    held: '0.00',
    available: before.balance.settled,
  });
  expect(await other.caller.metrics()).toMatch(/^tollkeeper_owners_silent 0$/m);
  expect(await other.caller.audit()).toEqual([]);
  const settledNano = CREDIT_NANO - nanoOf(before.balance.settled);
  expect(settledNano).toBeLessThan(servedNano);

  const back = await startLab({ credit: '1.00', store, data });
  await waitFor(
    async () => (await owners(back.caller)).every(({ state }) => state !== 'written_off'),
    { ...PATIENCE, what: 'the journals to be read' },
  );
  expect((await back.caller.usage(customer.key)).balance).toEqual(after.balance);
  expect(await back.caller.audit()).toEqual([]);
  const sumIs = (account: string, nano: bigint) =>
    server.execute(
      store,
      `DO $$ BEGIN ASSERT (SELECT COALESCE(SUM(amount), 0) FROM entries WHERE ledger_account = '${account}') = ${nano}; END $$`,
    );
  await sumIs('house:at_risk', 0n);
  await sumIs('house:write_off', settledNano - servedNano);
  const evidence = readdirSync(join(data, 'journal', 'evidence'));
  for (const { id } of silent) expect(evidence).toContain(`${id}.000001.journal`);

  // Two machines share the job, and the one that does it raises the alarm.
  const entry = "transaction_id LIKE 'funding:%' AND leg = 1";
  await server.execute(store, `DELETE FROM entries WHERE ${entry}`);
  const alarm = await waitFor(
    () => /"alert":"(reconciliation_\w+)"/.exec(other.gateway.program.stderr)?.[1],
    { ...PATIENCE, what: 'the alert' },
  );
  expect(alarm).toBe('reconciliation_mismatch');
  expect(await back.caller.metrics()).toMatch(/^tollkeeper_reconcile_violations [1-9]/m);
}, 240_000);
