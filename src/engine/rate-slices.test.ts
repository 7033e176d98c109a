import { afterEach, describe, expect, it } from 'vitest';

import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Store } from '../stores/store.ts';
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
  clock = createClock(),
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
