// @needs postgresql
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { requestTime } from '../src/platform/ids.ts';
import { checkProblem } from './support/check-problem.ts';
import { createCustomer } from './support/customers.ts';
import { GatewayCaller, nanoOf, problemOf, runParallel, tally } from './support/gateway-caller.ts';
import { startLab } from './support/start-lab.ts';
import { startPostgres } from './support/start-postgres.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const JUMPING_CLOCK = new URL('support/jumping-clock.mjs', import.meta.url).href;

/** A machine's clock that can be set while its gateway runs. */
function createMachineClock(shiftMs = 0) {
  const file = join(temporaryDirectory('clock'), 'shift');
  const set = (milliseconds: number): void => writeFileSync(file, String(milliseconds));
  set(shiftMs);
  return { set, env: { NODE_OPTIONS: `--import ${JUMPING_CLOCK}`, JUMPING_CLOCK: file } };
}

/** When the gateway thinks it is, by the id of an answer. */
async function readTime(caller: GatewayCaller): Promise<number> {
  const { headers } = await caller.call({ path: '/status', key: undefined });
  return requestTime(String(headers['x-request-id'])) ?? 0;
}

const RATE = 'rate_limits: [20/s burst 40]';

it('DESIGN 10: a clock that is set an hour forward and back again while calls run refuses nobody who has money, and the books add up', async () => {
  const clock = createMachineClock();
  const plan = ['limits: [{ requests: 100k, per: hour }]', RATE];
  const { caller, api } = await startLab({ credit: '0.01', plan, env: clock.env });
  const { key } = await createCustomer(caller, { plan: 'lab', credit: '5.00' });
  const ids: string[] = [];
  const statuses: number[] = [];
  const askFor = async (isOver: (time: number) => boolean): Promise<void> => {
    await waitFor(
      async () => {
        const answer = await caller.call({ path: '/status', key });
        statuses.push(answer.status);
        ids.push(String(answer.headers['x-request-id']));
        return isOver(await readTime(caller));
      },
      { timeoutMs: 15_000, what: 'the gateway to see its clock' },
    );
    await runParallel(30, 4, async () => {
      statuses.push((await caller.call({ path: '/status', key })).status);
    });
  };
  await askFor(() => true);
  clock.set(HOUR_MS);
  await askFor((time) => time > Date.now() + HOUR_MS - MINUTE_MS);
  clock.set(0);
  await askFor(() => true);
  clock.set(-HOUR_MS);
  await askFor(() => true);
  // A bucket that was emptied in the future fills again from now on, not in an hour.
  await waitFor(async () => (await caller.call({ path: '/status', key })).status === 200, {
    timeoutMs: 10_000,
    what: 'a token of the rate limit',
  });
  statuses.push(200);

  console.log(tally(statuses));
  expect(Object.keys(tally(statuses)).filter((each) => each !== '200' && each !== '429')).toEqual(
    [],
  );
  const { balance } = await caller.usage(key);
  const served = BigInt(api.requestCount);
  expect(5_000_000_000n - nanoOf(balance.settled)).toBe(served * 1_000_000n);
  expect(await caller.audit()).toEqual([]);
  // Of one worker or two: each names its requests in order, whatever its clock does.
  expect(new Set(ids).size).toBe(ids.length);
});

it('DESIGN 8, QUOTA-12: two machines whose clocks differ by ten minutes sell one quota and one balance to the unit, neither taking the other for dead', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const store = await server.createDatabase();
  const plan = ['limits: [{ requests: 300, per: lifetime }]', 'rate_limits: [5/s burst 600]'];
  const options = { credit: '0.01', store, plan };
  const late = createMachineClock(-10 * MINUTE_MS);
  const labs = [await startLab(options), await startLab({ ...options, env: late.env })] as const;
  const [here, behind] = labs;
  expect(await readTime(behind.caller)).toBeLessThan((await readTime(here.caller)) - 9 * MINUTE_MS);

  const quota = await createCustomer(here.caller, { plan: 'lab', credit: '5.00' });
  const poor = await createCustomer(here.caller, { plan: 'lab', credit: '0.10' });
  for (const [key, sold, code] of [
    [quota.key, 300, 'REQUEST_QUOTA_EXCEEDED'],
    [poor.key, 100, 'INSUFFICIENT_CREDITS'],
  ] as const) {
    const told: (string | number)[] = [];
    // oxlint-disable-next-line no-await-in-loop -- each customer is to have all the connections
    await runParallel(sold + 60, 16, async (index) => {
      const { caller } = labs[index % 2 === 0 ? 0 : 1];
      const answer = await caller.callPatiently({ path: '/status', key });
      told.push(answer.status === 200 ? 200 : (problemOf(answer).code ?? answer.status));
    });
    expect(tally(told)).toEqual({ 200: sold, [code]: 60 });
  }
  expect(here.api.requestCount + behind.api.requestCount).toBe(400);

  // Money under a call of the other machine is held by somebody who lives: a 402 that says so, and no 503.
  const single = await createCustomer(here.caller, { plan: 'bigger', credit: '0.001' });
  const running = behind.caller.call({
    path: '/v1/chat/completions',
    key: single.key,
    body: { model: 'm', max_tokens: 400, messages: [{ role: 'user', content: 'x' }] },
    headers: { 'x-echo-tokens': '1', 'x-echo-delay-ms': '4000' },
  });
  await waitFor(() => behind.model.requestCount > 0, {
    timeoutMs: 10_000,
    what: 'the call to be under way',
  });
  const meanwhile = await here.caller.callPatiently({ path: '/status', key: single.key });
  const told = checkProblem(meanwhile, 'INSUFFICIENT_CREDITS');
  expect(told.retry.kind).toBe('transient');
  expect((await running).status).toBe(200);

  // A change is in force everywhere when it answers: neither is passed over as one that is not heard of.
  await here.caller.admin(`/admin/keys/${quota.keyId}/revoke`, {});
  await behind.caller.admin(`/admin/keys/${poor.keyId}/revoke`, {});
  for (const { gateway } of labs) {
    for (const { key } of [quota, poor]) {
      // oxlint-disable-next-line no-await-in-loop -- connections of their own, so that every worker is asked
      const answers = await runParallel(8, 8, async () => {
        const caller = new GatewayCaller(gateway, 1);
        return caller.call({ path: '/status', key }).finally(() => caller.close());
      });
      expect(tally(answers.map((answer) => String(problemOf(answer).code)))).toEqual({
        KEY_REVOKED: 8,
      });
    }
  }
  expect(await here.caller.audit()).toEqual([]);
});
