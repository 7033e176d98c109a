import { describe, expect, it, onTestFinished } from 'vitest';

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
import { type Lab, startLab } from './support/start-lab.ts';

const REQUESTS_MAX = 24;
const CONNECTIONS_MAX = 96;
const PRICE_NANO = 1_000_000n;
const SERVER = `{ requests_max: ${REQUESTS_MAX}, connections_max: ${CONNECTIONS_MAX} }`;
const DELAY_MS = 40;

/** Undefined = the connection was closed unheard. */
function chat({ caller }: Pick<Lab, 'caller'>, key: string): Promise<CallAnswer | undefined> {
  return caller
    .call({
      path: '/v1/chat/completions',
      key,
      body: { model: 'm', messages: [{ role: 'user', content: 'x' }] },
      headers: { 'x-echo-tokens': '1', 'x-echo-delay-ms': String(DELAY_MS) },
    })
    .catch(() => undefined);
}

describe('more than one worker can take', () => {
  it('PERF-04: three times its requests, and then its connections: 200, 503 and 429 with Retry-After, never a 402; what is served is charged', async () => {
    const plan = ['rate_limits: [5/min burst 5]'];
    const lab = await startLab({ credit: '0.01', plan, server: SERVER, workers: 1 });
    const paidUp = await createCustomer(lab.caller, { plan: 'bigger', credit: '1.00' });
    const hasty = await createCustomer(lab.caller, { plan: 'lab', credit: '1.00' });
    const answers = await runParallel(600, 3 * REQUESTS_MAX, (index) =>
      chat(lab, index % 10 === 0 ? hasty.key : paidUp.key),
    );
    const crowd = new GatewayCaller(lab.gateway, 3 * CONNECTIONS_MAX);
    onTestFinished(() => crowd.close());
    answers.push(
      ...(await runParallel(900, 3 * CONNECTIONS_MAX, () => chat({ caller: crowd }, paidUp.key))),
    );
    const statuses = tally(answers.map((answer) => answer?.status ?? 0));
    console.log(statuses);
    expect(Object.keys(statuses).toSorted()).toEqual(expect.arrayContaining(['200', '429', '503']));
    expect(
      Object.keys(statuses).filter((each) => !['0', '200', '429', '503'].includes(each)),
    ).toEqual([]);
    for (const answer of answers) {
      if (answer === undefined || answer.status === 200) continue;
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      if (answer.status !== 503) continue;
      // On a connection beyond the bound nobody reads what the call is: the answer is plain.
      const isPlain = typeof problemOf(answer).error === 'string';
      checkProblem(answer, 'OVERLOADED', isPlain ? 'plain' : 'openai');
    }
    const again = await lab.caller.callPatiently({ path: '/status', key: paidUp.key });
    expect(again.status).toBe(200);
    expect(await lab.caller.audit()).toEqual([]);
  });

  it('TEN-09: while one customer floods it, every call of another is served', async () => {
    const plan = ['rate_limits: [20/s burst 20]'];
    const lab = await startLab({ credit: '0.01', plan, server: SERVER, workers: 1 });
    const flood = await createCustomer(lab.caller, { plan: 'lab', credit: '5.00' });
    const quiet = await createCustomer(lab.caller, { plan: 'bigger', credit: '5.00' });
    const noisy = new GatewayCaller(lab.gateway, REQUESTS_MAX);
    onTestFinished(() => noisy.close());
    let isOver = false;
    const flooded: number[] = [];
    const flooding = runParallel(REQUESTS_MAX - 4, REQUESTS_MAX, async () => {
      while (!isOver) {
        // oxlint-disable-next-line no-await-in-loop -- each of the callers floods as fast as it is answered
        flooded.push((await noisy.call({ path: '/status', key: flood.key })).status);
      }
    });
    const served = await runParallel(200, 2, () =>
      lab.caller.call({ path: '/status', key: quiet.key }),
    );
    isOver = true;
    await flooding;
    console.log({ flooded: tally(flooded), quiet: tally(served.map(({ status }) => status)) });
    expect(flooded.length).toBeGreaterThan(served.length);
    expect(flooded).toContain(429);
    expect(tally(served.map(({ status }) => status))).toEqual({ 200: 200 });
    const { balance } = await lab.caller.usage(quiet.key);
    expect(5_000_000_000n - nanoOf(balance.settled)).toBe(200n * PRICE_NANO);
  });
});
