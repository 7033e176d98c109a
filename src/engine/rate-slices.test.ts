import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { type Clock, createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { RateRequest, Store } from '../stores/store.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import type { RateNeed } from './engine.ts';
import { RateSlices } from './rate-slices.ts';

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

async function openProcesses(count: number): Promise<RateSlices[]> {
  const directory = temporaryDirectory('rates');
  const clock = createClock();
  const opened = await Promise.all(
    Array.from({ length: count }, () => openSqliteStore({ directory, clock })),
  );
  stores.push(...opened);
  return opened.map((store) => new RateSlices(store, clock));
}

/** What the engine does for one request: true = it got its token. */
async function takeOne(
  slices: RateSlices,
  rate: RateNeed,
  clock: Clock = createClock(),
): Promise<boolean> {
  while (!slices.ready([rate], clock.monotonicMs())) {
    // oxlint-disable-next-line no-await-in-loop -- as the engine: ask until there is one or none will be
    if ((await slices.fill([rate])) !== undefined) return false;
  }
  slices.take([rate]);
  return true;
}

/** A day's period: nothing comes back while the test runs. */
const DAY_MS = 86_400_000;

describe('slices of a protective limit (QUOTA-07)', () => {
  it.each([1, 2])(
    'callers of %d processes that come all at once get the whole burst: nobody takes a slice that the others miss',
    async (processes) => {
      const opened = await openProcesses(processes);
      const rate = { bucketId: 'rate:all', count: 1, periodMs: DAY_MS, burst: 2000 };
      const taken = await Promise.all(
        opened.flatMap((slices) =>
          Array.from({ length: 1000 / processes }, () => takeOne(slices, rate)),
        ),
      );
      expect(taken.filter(Boolean)).toHaveLength(1000);
    },
  );

  it('one token more than the burst is refused, with the time until the next', async () => {
    const [slices] = await openProcesses(1);
    if (slices === undefined) throw new Error('no process');
    const rate = { bucketId: 'rate:few', count: 1, periodMs: DAY_MS, burst: 50 };
    const taken = await Promise.all(Array.from({ length: 51 }, () => takeOne(slices, rate)));
    expect(taken.filter(Boolean)).toHaveLength(50);
    expect(await slices.fill([rate])).toMatchObject({ index: 0 });
  });

  it('what remains is told without asking: the whole burst at first, and every token taken is missing', async () => {
    const [slices] = await openProcesses(1);
    if (slices === undefined) throw new Error('no process');
    const rate = { bucketId: 'rate:told', count: 1, periodMs: DAY_MS, burst: 20 };
    const remaining = () => slices.remaining(rate, createClock().monotonicMs());
    expect(remaining()).toBeUndefined();
    for (let taken = 1; taken <= 20; taken += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other: each is looked at
      await takeOne(slices, rate);
      expect(Math.floor(remaining() ?? 0)).toBe(20 - taken);
    }
  });

  it('PERF-04: who comes while nobody has asked, and who comes during a question, waits for one question', async () => {
    const wants: (readonly number[])[] = [];
    const store = {
      takeRate: (requests: readonly RateRequest[]) => {
        wants.push(requests.map(({ want }) => want));
        const granted = requests.map(({ want }) => ({ granted: want, remaining: 1 }));
        return Promise.resolve(granted.map((each) => ({ ...each, retryAfterMs: 0 })));
      },
    };
    const slices = new RateSlices(store, createClock());
    const ofKey = { bucketId: 'rate:key', count: 1, periodMs: DAY_MS, burst: 100 };
    const ofTenant = { ...ofKey, bucketId: 'rate:tenant' };
    const comeAtOnce = (callers: number) =>
      Array.from({ length: callers }, async () => {
        const rates = [ofKey, ofTenant];
        while (!slices.ready(rates, createClock().monotonicMs())) {
          // oxlint-disable-next-line no-await-in-loop -- as the engine: looks again after each answer
          await slices.fill(rates);
        }
        slices.take(rates);
      });
    const early = comeAtOnce(20);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([...early, ...comeAtOnce(15)]);
    expect(wants).toEqual([
      [20, 20],
      [15, 15],
    ]);
  });

  it('several limits at once: the one without a token is named', async () => {
    const [slices] = await openProcesses(1);
    if (slices === undefined) throw new Error('no process');
    const wide = { bucketId: 'rate:wide', count: 1, periodMs: DAY_MS, burst: 10 };
    const narrow = { bucketId: 'rate:narrow', count: 1, periodMs: DAY_MS, burst: 1 };
    expect(await slices.fill([wide, narrow])).toBeUndefined();
    slices.take([wide, narrow]);
    expect(await slices.fill([wide, narrow])).toMatchObject({ index: 1 });
  });
});

it('GCRA through the slices of two processes never gives more than burst and what has come back (QUOTA-07)', async () => {
  const clock = new ManualClock();
  const directory = temporaryDirectory('rates');
  const opened = await Promise.all([0, 1].map(() => openSqliteStore({ directory })));
  stores.push(...opened);
  const terms = fc.record({
    count: fc.integer({ min: 1, max: 20 }),
    periodMs: fc.constantFrom(100, 1000, 60_000),
    burst: fc.integer({ min: 1, max: 30 }),
  });
  const calls = fc.array(
    fc.record({
      process: fc.nat({ max: 1 }),
      waitMs: fc.nat({ max: 1500 }),
      callers: fc.nat({ max: 12 }),
    }),
    { maxLength: 12 },
  );
  let buckets = 0;
  const checked = fc.assert(
    fc.asyncProperty(terms, calls, async (each, list) => {
      buckets += 1;
      const rate = { ...each, bucketId: `rate:law:${buckets}` };
      const slices = opened.map((store) => new RateSlices(store, clock));
      const startedMs = clock.monotonicMs();
      let served = 0;
      for (const { process, waitMs, callers } of list) {
        clock.advance(waitMs);
        const own = slices[process];
        if (own === undefined) continue;
        const taken = await Promise.all(
          Array.from({ length: callers }, () => takeOne(own, rate, clock)),
        );
        served += taken.filter(Boolean).length;
        const elapsedMs = clock.monotonicMs() - startedMs;
        expect(served).toBeLessThanOrEqual(rate.burst + (elapsedMs * rate.count) / rate.periodMs);
      }
    }),
    { numRuns: 40 },
  );
  await expect(checked).resolves.toBeUndefined();
}, 60_000);

describe('what a process keeps of its buckets', () => {
  const rateOf = (number: number): RateNeed => ({
    bucketId: `rate:${number}`,
    count: 1,
    periodMs: DAY_MS,
    burst: 2,
  });
  /** A store with tokens for everybody, and how often it was asked. */
  function plenty() {
    let asked = 0;
    const store = {
      takeRate: (requests: readonly RateRequest[]) => {
        asked += 1;
        return Promise.resolve(requests.map(() => ({ granted: 1, remaining: 1, retryAfterMs: 0 })));
      },
    };
    return { store, count: () => asked };
  }

  it('bound: of more than 100,000 slices the one filled longest ago is forgotten', async () => {
    const clock = new ManualClock();
    const slices = new RateSlices(plenty().store, clock);
    for (let first = 0; first < 100_000; first += 1000) {
      await slices.fill(Array.from({ length: 1000 }, (_, i) => rateOf(first + i)));
    }
    expect(slices.ready([rateOf(0)], clock.monotonicMs())).toBe(true);
    await slices.fill([rateOf(100_000)]);
    expect(slices.ready([rateOf(0)], clock.monotonicMs())).toBe(false);
    expect(slices.ready([rateOf(1), rateOf(100_000)], clock.monotonicMs())).toBe(true);
  }, 60_000);

  it('tokens not used within a second are forgotten', async () => {
    const clock = new ManualClock();
    const { store, count } = plenty();
    const slices = new RateSlices(store, clock);
    await slices.fill([rateOf(1)]);
    clock.advance(999);
    expect(slices.ready([rateOf(1)], clock.monotonicMs())).toBe(true);
    clock.advance(1);
    expect(slices.ready([rateOf(1)], clock.monotonicMs())).toBe(false);
    await slices.fill([rateOf(1)]);
    slices.take([rateOf(1)]);
    expect([slices.ready([rateOf(1)], clock.monotonicMs()), count()]).toEqual([false, 2]);
  });

  it('a refused bucket is refused from memory until a token is due, or until its limit changes', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const empty = {
      takeRate: () => {
        asked += 1;
        return Promise.resolve([{ granted: 0, remaining: 0, retryAfterMs: 500 }]);
      },
    };
    const slices = new RateSlices(empty, clock);
    expect(await slices.fill([rateOf(1)])).toMatchObject({ index: 0, retryAfterMs: 500 });
    clock.advance(200);
    expect(await slices.fill([rateOf(1)])).toEqual({ index: 0, retryAfterMs: 300 });
    expect(asked).toBe(1);
    slices.forgetRefusals();
    await slices.fill([rateOf(1)]);
    clock.advance(500);
    await slices.fill([rateOf(1)]);
    expect(asked).toBe(3);
  });

  it('QUOTA-08: what is left comes back with time, up to the whole burst', async () => {
    const clock = new ManualClock();
    const store = {
      takeRate: () => Promise.resolve([{ granted: 1, remaining: 0, retryAfterMs: 0 }]),
    };
    const slices = new RateSlices(store, clock);
    const rate = { bucketId: 'rate:a', count: 2, periodMs: 60_000, burst: 2 };
    const left = () => slices.remaining(rate, clock.monotonicMs());
    await slices.fill([rate]);
    slices.take([rate]);
    const told: (number | undefined)[] = [left()];
    for (const ms of [15_000, 15_000, 54_000]) {
      clock.advance(ms);
      told.push(left());
    }
    expect(told).toEqual([0, 0.5, 1, 2]);
  });

  it('a second counts from when tokens came, however long the store took', async () => {
    const clock = new ManualClock();
    const slow = {
      takeRate: () => {
        clock.advance(1500);
        return Promise.resolve([{ granted: 1, remaining: 0, retryAfterMs: 0 }]);
      },
    };
    const slices = new RateSlices(slow, clock);
    await slices.fill([rateOf(1)]);
    expect(slices.ready([rateOf(1)], clock.monotonicMs())).toBe(true);
  });

  it('terms that change leave the tokens that were taken', async () => {
    const clock = new ManualClock();
    const { store, count } = plenty();
    const slices = new RateSlices(store, clock);
    await slices.fill([rateOf(1)]);
    slices.forgetRefusals();
    expect([slices.ready([rateOf(1)], clock.monotonicMs()), count()]).toEqual([true, 1]);
  });

  it('a bucket that another one kept back refuses nobody', async () => {
    const store = {
      takeRate: () =>
        Promise.resolve([
          { granted: 0, remaining: 3, retryAfterMs: 0 },
          { granted: 0, remaining: 0, retryAfterMs: 70 },
        ]),
    };
    const slices = new RateSlices(store, new ManualClock());
    const both = [rateOf(1), rateOf(2)];
    expect(await slices.fill(both)).toMatchObject({ index: 1, retryAfterMs: 70 });
  });

  it('how long a bucket refuses is known from memory, or asked for once at a time, and nothing is taken', async () => {
    const clock = new ManualClock();
    const wants: number[] = [];
    const store = {
      takeRate: ([request]: readonly RateRequest[]) => {
        const want = request?.want ?? -1;
        wants.push(want);
        return Promise.resolve([
          { granted: want, remaining: 1, retryAfterMs: want === 0 ? 40 : 0 },
        ]);
      },
    };
    const slices = new RateSlices(store, clock);
    expect(await Promise.all([slices.ask(rateOf(1)), slices.ask(rateOf(1))])).toEqual([40, 40]);
    await slices.fill([rateOf(1)]);
    expect(await slices.ask(rateOf(1))).toBe(0);
    expect(slices.ready([rateOf(1)], clock.monotonicMs())).toBe(true);
    expect(wants).toEqual([0, 1]);
  });

  it('a store that fails fails the caller, and the next one asks again', async () => {
    let works = false;
    const store = {
      takeRate: () =>
        works
          ? Promise.resolve([{ granted: 1, remaining: 0, retryAfterMs: 0 }])
          : Promise.reject(new Error('silent')),
    };
    const slices = new RateSlices(store, new ManualClock());
    await expect(slices.fill([rateOf(1)])).rejects.toThrow('silent');
    works = true;
    expect(await slices.fill([rateOf(1)])).toBeUndefined();
    expect(await slices.fill([rateOf(1)])).toBeUndefined();
  });
});
