import { expect, it } from 'vitest';

import { problemOf, runParallel, tally } from './support/gateway-caller.ts';
import { startLab } from './support/start-lab.ts';
import { waitFor } from './support/wait-for.ts';

/** The numbers of issue "Part 1" show 3. */
const QUOTA = 10_000;
const REQUESTS = 10_500;
const CONNECTIONS = 500;

const FREE_CALL = { path: '/healthz-of-upstream' };
const FREE_ROUTE =
  '{ name: unpriced, path: /healthz-of-upstream, rewrite: { pattern: "^.*$", with: "/status" } }';

it('show 3, QUOTA-04: of 10,500 requests at 500 connections over 2 workers exactly 10,000 of a quota of 10,000 are served and 500 are 402', async () => {
  const { api, caller } = await startLab({
    credit: '1.00',
    plan: ['limits: [{ requests: 10k, per: month }]'],
    routes: [FREE_ROUTE],
    // Mid-month, so that no window ends meanwhile.
    clock: '2026-11-15T12:00:00Z',
    connectionsMax: CONNECTIONS,
  });
  const answers = await runParallel(REQUESTS, CONNECTIONS, () => caller.call(FREE_CALL));
  const statuses = tally(answers.map(({ status }) => status));
  const workers = await caller.workerCounts();
  const usage = await caller.usage();
  console.log({ statuses, workers, reached_upstream: api.requestCount });

  expect(statuses).toEqual({ 200: QUOTA, 402: REQUESTS - QUOTA });
  expect(Object.keys(workers)).toHaveLength(2);
  // Both took part, by far more than a stray connection.
  for (const count of Object.values(workers)) expect(count).toBeGreaterThan(REQUESTS / 10);
  expect(Object.values(workers).reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
  // GW-05, QUOTA-13: a refusal reaches no upstream and counts nowhere.
  expect(api.requestCount).toBe(QUOTA);
  expect(usage.limits).toMatchObject([{ limit: QUOTA, used: QUOTA, held: 0, remaining: 0 }]);
  expect(await caller.audit()).toEqual([]);

  const refusals = answers.filter(({ status }) => status === 402);
  for (const answer of refusals) {
    expect(problemOf(answer)).toMatchObject({
      code: 'REQUEST_QUOTA_EXCEEDED',
      retry: { kind: 'after_reset', resets_at: '2026-12-01T00:00:00.000Z' },
      details: { current_usage: QUOTA, allowed_usage: QUOTA, remaining: 0 },
    });
    expect(answer.headers['x-ratelimit-remaining']).toBe('0');
  }
});

it('QUOTA-05: when the window ends the same call is served again without any action', async () => {
  const { caller } = await startLab({
    credit: '1.00',
    plan: ['limits: [{ requests: 5, per: month }]'],
    routes: [FREE_ROUTE],
    clock: '2026-11-30T23:59:48Z',
  });
  const before = await runParallel(7, 1, () => caller.call(FREE_CALL));
  expect(tally(before.map(({ status }) => status))).toEqual({ 200: 5, 402: 2 });
  const again = await waitFor(
    async () => {
      const answer = await caller.call(FREE_CALL);
      return answer.status === 200 && answer;
    },
    { timeoutMs: 30_000, what: 'the window to end' },
  );
  expect(again.headers['x-ratelimit-remaining']).toBe('4');
});
