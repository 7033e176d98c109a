import { describe, expect, it } from 'vitest';

import {
  type CallAnswer,
  type GatewayCaller,
  nanoOf,
  problemOf,
  runParallel,
  tally,
} from './support/gateway-caller.ts';
import { waitFor } from './support/wait-for.ts';
import { MODEL_TOKENS_MAX, OUTPUT_PRICE_NANO, startLab } from './support/start-lab.ts';

/** Issue "Part 1" show 4. */
const CALLERS = 100;

/** The books from every side: no violated invariant, and what grants have left is the balance that is shown. */
async function checkBooks(caller: GatewayCaller): Promise<bigint> {
  expect(await caller.audit()).toEqual([]);
  const balance = await waitFor(
    async () => {
      const shown = (await caller.usage()).balance;
      return nanoOf(shown.held) === 0n && shown;
    },
    { timeoutMs: 5000, what: 'every slice to come back' },
  );
  const id = await caller.tenantId();
  const shown = await caller.admin<{ balance: { settled: string } }>(`/admin/tenants/${id}`);
  const { data: grants } = await caller.admin<{ data: { remaining: string }[] }>(
    `/admin/tenants/${id}/grants`,
  );
  const recomputed = grants.reduce((sum, grant) => sum + nanoOf(grant.remaining), 0n);
  expect(nanoOf(balance.settled)).toBe(recomputed);
  expect(nanoOf(shown.balance.settled)).toBe(recomputed);
  expect(recomputed).toBeGreaterThanOrEqual(0n);
  return recomputed;
}

function outcomesOf(answers: readonly CallAnswer[]): Readonly<Record<string, number>> {
  return tally(
    answers.map((answer) => {
      if (answer.status === 200) return 'served';
      const { code, retry } = problemOf(answer);
      return `${answer.status} ${code} ${retry.kind}`;
    }),
  );
}

describe('flat-priced calls', () => {
  it.each([
    ['exactly', '1.00', 0n],
    ['half a call more than', '1.0005', 500_000n],
  ])(
    'show 4, BILL-01: a balance that affords %s 1,000 calls (%s USD) gives 1,000 x 200, then 402, under 100 parallel callers',
    async (_, credit, rest) => {
      const { api, caller } = await startLab({ credit });
      const answers = await runParallel(1300, CALLERS, () => caller.call({ path: '/status' }));
      const outcomes = outcomesOf(answers);
      console.log({ credit, ...outcomes, workers: await caller.workerCounts() });
      expect(outcomes).toEqual({
        served: 1000,
        '402 INSUFFICIENT_CREDITS never_until_action': 300,
      });
      expect(api.requestCount).toBe(1000);
      expect(await checkBooks(caller)).toBe(rest);
      // C402-20: credit added now counts for the very next call.
      await caller.admin(`/admin/tenants/${await caller.tenantId()}/grants`, { amount: '0.001' });
      expect((await caller.call({ path: '/status' })).status).toBe(200);
    },
  );
});

describe('token-priced calls whose cost is below their hold', () => {
  it('show 4, LLM-08: spend ends within one smallest call of the balance and never above it', async () => {
    const { caller, model } = await startLab({ credit: '0.10' });
    const answers = await runParallel(2000, CALLERS, () => caller.chat({ tokens: 40 }));
    const outcomes = outcomesOf(answers);
    const served = answers.filter(({ status }) => status === 200);
    const spent = served
      .map(({ headers }) => nanoOf(String(headers['x-tollkeeper-cost'])))
      .reduce((sum, cost) => sum + cost, 0n);
    const left = await checkBooks(caller);

    const refusal = await caller.chat({ tokens: 40 });
    const { code, details, retry } = problemOf(refusal);
    expect({ code, kind: retry.kind }).toEqual({
      code: 'INSUFFICIENT_CREDITS',
      kind: 'never_until_action',
    });
    // What the refused call could cost, with one token of output instead of the most there can be.
    const smallest =
      nanoOf(String(details.needed)) - BigInt(MODEL_TOKENS_MAX - 1) * OUTPUT_PRICE_NANO;
    const clamped = served.filter((answer) => 'x-tollkeeper-max-tokens' in answer.headers).length;
    console.log({ ...outcomes, clamped, spent_nano: spent, left_nano: left, smallest });
    expect(spent + left).toBe(100_000_000n);
    expect(left).toBeLessThan(smallest);
    expect(model.requestCount).toBe(served.length);
    expect(Object.keys(outcomes).filter((outcome) => outcome !== 'served')).toEqual([
      '402 INSUFFICIENT_CREDITS never_until_action',
    ]);
  });

  it.each([
    ['with their own bound', { maxTokens: MODEL_TOKENS_MAX }],
    ['without a bound', {}],
  ])(
    'show 4: calls %s that are affordable one after the other are all served, though together they hold more than there is',
    async (_, bound) => {
      // Each holds 1.2 million nano of 4 million and costs 41 thousand: the last still fits.
      const { caller } = await startLab({ credit: '0.004' });
      const answers = await runParallel(60, 60, () => caller.chat({ tokens: 20, ...bound }));
      console.log(outcomesOf(answers));
      expect(outcomesOf(answers)).toEqual({ served: 60 });
      expect(await checkBooks(caller)).toBe(4_000_000n - 60n * 41_000n);
    },
  );

  it('DESIGN 5: money that stays held for a second is a transient 402 with Retry-After, and is served after the release', async () => {
    const { caller, model } = await startLab({ credit: '0.0015' });
    const slow = caller.chat({ tokens: 1, maxTokens: MODEL_TOKENS_MAX, delayMs: 4000 });
    await waitFor(() => model.requestCount === 1, { timeoutMs: 10_000, what: 'the slow call' });
    const early = await caller.chat({ tokens: 1, maxTokens: MODEL_TOKENS_MAX });
    expect(problemOf(early)).toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
      retryable: true,
      retry: { kind: 'transient', retry_after_seconds: 1 },
      details: { held: expect.stringContaining('USD') },
    });
    expect(early.headers['retry-after']).toBe('1');
    expect(early.headers).not.toHaveProperty('x-should-retry');
    expect((await slow).status).toBe(200);
    expect((await caller.chat({ tokens: 1, maxTokens: MODEL_TOKENS_MAX })).status).toBe(200);
    expect(await checkBooks(caller)).toBe(1_500_000n - 2n * 3000n);
  });
});
