import { expect, it, onTestFinished } from 'vitest';

import { type CallAnswer, problemOf, runParallel } from './support/gateway-caller.ts';
import { type Lab, startLab } from './support/start-lab.ts';
import { makeDirectory, removeDirectory } from './support/temporary-directory.ts';

const TIMEOUT_MS = 240_000;
const AMOUNT = 40;
const CALLERS = 20;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const LIMIT = `{ requests: ${AMOUNT}, per: hour, window: sliding }`;

/** What was answered when, by the gateway's clock, whatever its books say. */
interface Answered {
  /** Epoch ms at which the answer had arrived. */
  readonly at: number;
  readonly answer: CallAnswer;
}

/** A gateway at another time of the same life. Ends with the task. */
async function visit<Result>(
  data: string,
  at: number,
  task: (lab: Lab, exhaust: (count: number) => Promise<readonly Answered[]>) => Promise<Result>,
): Promise<Result> {
  const clock = new Date(at).toISOString();
  const lab = await startLab({ credit: '10.00', plan: [`limits: [${LIMIT}]`], clock, data });
  const shiftMs = (await readClock(lab)) - Date.now();
  const callOnce = async (): Promise<Answered> => {
    const answer = await lab.caller.call({ path: '/status' });
    return { at: Date.now() + shiftMs, answer };
  };
  const result = await task(lab, async (count) => {
    const answers = await runParallel(count, CALLERS, callOnce);
    // On a busy machine a call may be told to try again soon: until nothing more fits.
    let last: Answered;
    do {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      last = await callOnce();
      answers.push(last);
    } while (!isUsedUp(last));
    return answers;
  });
  expect(await lab.caller.audit()).toEqual([]);
  await lab.gateway.stop();
  return result;
}

/** What time it is in the gateway. */
async function readClock({ caller }: Lab): Promise<number> {
  return Date.parse((JSON.parse((await caller.call({ path: '/v1/usage' })).text) as AsOf).as_of);
}
interface AsOf {
  readonly as_of: string;
}

function servedTimes(answers: readonly Answered[]): readonly number[] {
  return answers.filter(({ answer }) => answer.status === 200).map(({ at }) => at);
}

function isUsedUp({ answer }: Answered): boolean {
  return answer.status === 402 && problemOf(answer).retry.kind === 'after_reset';
}

/** The last time that was told: what had not been settled by an earlier one is counted in it too. */
function resetOf(answers: readonly Answered[]): number {
  const refused = answers.findLast(isUsedUp);
  if (refused === undefined) throw new Error('nothing was refused');
  const { code, retry, details } = problemOf(refused.answer);
  expect(code).toBe('REQUEST_QUOTA_EXCEEDED');
  expect(details.resets_at).toBe(retry.resets_at);
  return Date.parse(retry.resets_at ?? '');
}

/** By brute force over every stretch that ends with something served. */
function mostInAnyHour(served: readonly number[]): number {
  const sums = served.map(
    (last) => served.filter((at) => at <= last && at >= last - HOUR_MS).length,
  );
  return Math.max(0, ...sums);
}

function makeData(): string {
  const data = makeDirectory('data');
  onTestFinished(() => removeDirectory(data));
  return data;
}

it(
  'QUOTA-02: over three windows, also around the full hour and over restarts, no hour sees more than the limit',
  async () => {
    const data = makeData();
    const begin = Date.parse('2026-11-03T12:40:00Z');
    const served: number[] = [];
    let resetsAt = begin;
    for (let round = 1; round <= 3; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one life, in its order
      const first = await visit(data, resetsAt, async (_lab, exhaust) => exhaust(AMOUNT * 2));
      expect(servedTimes(first)).toHaveLength(AMOUNT);
      served.push(...servedTimes(first));
      resetsAt = resetOf(first);
      const latest = Math.max(...servedTimes(first));
      expect(resetsAt).toBeGreaterThan(Math.min(...servedTimes(first)) + HOUR_MS);
      expect(resetsAt).toBeLessThanOrEqual(latest + HOUR_MS + 2 * MINUTE_MS);
      // In the next hour of the calendar.
      // oxlint-disable-next-line no-await-in-loop -- as above
      const between = await visit(data, resetsAt - 30 * MINUTE_MS, async (_lab, exhaust) =>
        exhaust(AMOUNT),
      );
      expect(servedTimes(between)).toEqual([]);
      expect(resetOf(between)).toBeLessThanOrEqual(resetsAt);
      // That is when the first of them are free; the last were settled a sub-window or so later.
      resetsAt += 2 * MINUTE_MS;
    }
    expect(mostInAnyHour(served)).toBe(AMOUNT);
  },
  TIMEOUT_MS,
);

it(
  'QUOTA-05, QUOTA-08: refusals, headers, usage and explanations tell what slides as it is',
  async () => {
    await visit(makeData(), Date.parse('2026-11-03T12:40:00Z'), async (lab, exhaust) => {
      const answers = await exhaust(AMOUNT + 5);
      expect(servedTimes(answers)).toHaveLength(AMOUNT);
      const refused = answers.findLast(isUsedUp)?.answer;
      const served = answers.find(({ answer }) => answer.status === 200)?.answer;
      if (refused === undefined || served === undefined) throw new Error('not both');
      expect(problemOf(refused).details).toMatchObject({
        exceeded_limit_type: 'requests_per_sliding_hour',
        limit_id: 'requests_per_sliding_hour',
        window: 'sliding_hour',
        current_usage: AMOUNT,
        allowed_usage: AMOUNT,
        remaining: 0,
      });
      expect(problemOf(refused).detail).toContain('in the last hour');
      const resetsAt = resetOf(answers);
      expect(String(served.headers['ratelimit-policy'])).toContain(`q=${AMOUNT};w=3600`);
      expect(String(refused.headers['ratelimit'])).toMatch(
        /"requests_per_sliding_hour";r=0;t=3[67]\d\d/,
      );
      expect(Number(refused.headers['x-ratelimit-reset'])).toBe(Math.ceil(resetsAt / 1000));

      const spoken = await Promise.all(
        ['de', 'es', 'zh'].map((language) =>
          lab.caller.call({ path: '/status', headers: { 'accept-language': language } }),
        ),
      );
      const details = spoken.map((answer) => problemOf(answer).detail ?? '');
      for (const [index, words] of [
        'in der letzten Stunde',
        'en la última hora',
        '1 小时',
      ].entries()) {
        expect(details[index]).toContain(words);
      }

      const { limits } = await lab.caller.usage();
      expect(limits).toEqual([
        expect.objectContaining({
          id: 'requests_per_sliding_hour',
          window: 'sliding_hour',
          limit: AMOUNT,
          used: AMOUNT,
          remaining: 0,
          resets_at: expect.stringMatching(/^2026-11-03T13:4\d:00\.000Z$/),
        }),
      ]);

      const facts = await lab.caller.facts(refused);
      expect(facts.limits[0]).toMatchObject({
        accountId: expect.stringMatching(/:requests_per_sliding_hour:sliding$/),
        label: { window: 'sliding_hour' },
        resetsAt,
      });
      const page = await fetch(problemOf(refused).instance, { headers: { accept: 'text/html' } });
      const html = await page.text();
      expect(html).toContain(`${AMOUNT} of ${AMOUNT} requests in any hour used`);
      expect(html).toContain('free enough again');
    });
  },
  TIMEOUT_MS,
);
