import { describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { createLogger } from '../../platform/logger.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import {
  acquire,
  numbersOf,
  openOwner,
  quotaOf,
  sync,
  T0,
} from '../../stores/store-fixture.conformance.ts';
import { createBooksJobs, PRUNE } from './books-jobs.ts';
import { JobRunner } from './job-runner.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A store whose only window ends in an hour with all of it spent, and a machine whose clock a test sets. */
async function openUsedUp() {
  const clock = { time: T0, now: () => clock.time, monotonicMs: () => performance.now() };
  const store = await openSqliteStore({ directory: temporaryDirectory('books-jobs'), clock });
  onTestFinished(() => store.close());
  const owner = await openOwner(store);
  const window = quotaOf('tenant', 5, T0 + HOUR_MS);
  await acquire(store, owner, { account: window, need: 5 });
  await sync(store, owner, { leases: [{ charged: 5, granted: 5, close: true }] });
  const logger = createLogger({ level: 'warn', destination: { write: () => undefined } });
  const audit = async () => [];
  const all = createBooksJobs({ store, audit, reconcileMs: DAY_MS, now: clock.now, logger });
  const jobs = all.filter(({ name }) => name === PRUNE);
  const runner = new JobRunner({ jobs, store, clock, logger, holder: 'here' });
  onTestFinished(() => runner.stop());
  const runAt = async (time: number): Promise<void> => {
    clock.time = time;
    await runner.poll();
    await waitFor(async () => (await store.jobs())[0]?.last?.startedAt === time, {
      timeoutMs: 20_000,
      what: 'the run to be recorded',
    });
  };
  const spent = async () => {
    const [, units] = await numbersOf(store, window);
    return units;
  };
  return { runAt, spent };
}

describe('prune', () => {
  it('a clock that is far ahead for hours forgets no window: set right again, none has its allowance anew', async () => {
    const { runAt, spent } = await openUsedUp();
    await runAt(T0);
    await runAt(T0 + 75 * DAY_MS);
    await runAt(T0 + HOUR_MS / 2);
    expect(await spent()).toBe(5n);
  });

  it('a gateway that starts with such a clock forgets none either', async () => {
    const { runAt, spent } = await openUsedUp();
    await runAt(T0 + 75 * DAY_MS);
    expect(await spent()).toBe(5n);
  });

  it('windows that ended 40 days before two runs in a row are forgotten', async () => {
    const { runAt, spent } = await openUsedUp();
    await runAt(T0 + 41 * DAY_MS);
    expect(await spent()).toBe(5n);
    await runAt(T0 + 42 * DAY_MS);
    await expect(spent()).rejects.toThrow('is not listed');
  });
});
