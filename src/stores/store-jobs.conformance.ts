import { describe, expect, it } from 'vitest';

import { JOB_DETAIL_LENGTH_MAX, JOB_RETRY_MS, type JobClaim, type JobRun } from './job-store.ts';
import { freshName, type OpenFixture, T0, useStore } from './store-fixture.conformance.ts';

const HOUR_MS = 3_600_000;
const RUN: JobRun = {
  startedAt: T0,
  endedAt: T0 + 50,
  outcome: 'done',
  findings: 3,
  detail: 'three things',
};

function claimOf(claim: Partial<JobClaim> = {}): JobClaim {
  return { name: freshName('job'), holder: 'one', periodMs: HOUR_MS, ...claim };
}

/** Jobs that run once for all machines, whatever becomes of who runs them. */
export function describeJobs(open: OpenFixture): void {
  describe('jobs', () => {
    const database = useStore(open);
    describeTurns(database);
    describeFences(database);
  });
}

function describeTurns(database: ReturnType<typeof useStore>): void {
  it('of many that ask at once for a job that never ran, one takes it', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map(() => database.connect()));
    const claim = claimOf();
    const answers = await Promise.all(stores.map((store) => store.takeJob(claim, T0)));
    const kinds = answers.map(({ kind }) => kind).toSorted();
    expect(kinds).toEqual(['running', 'running', 'running', 'taken']);
  });

  it('a job that has run is due one period after it was taken, and not before', async () => {
    const { store } = database;
    const claim = claimOf();
    expect(await store.takeJob(claim, T0)).toEqual({ kind: 'taken', fence: 1 });
    expect(await store.finishJob(claim.name, 1, RUN)).toBe(true);
    expect(await store.takeJob(claim, T0 + HOUR_MS - 1)).toEqual({ kind: 'not_due' });
    expect(await store.takeJob(claim, T0 + HOUR_MS)).toEqual({ kind: 'taken', fence: 2 });
  });

  it('a run that a clock far ahead wrote down does not make the job wait for that time', async () => {
    const { store } = database;
    const claim = claimOf();
    await store.takeJob(claim, T0 + 1000 * HOUR_MS);
    await store.finishJob(claim.name, 1, RUN);
    expect(await store.takeJob(claim, T0)).toMatchObject({ kind: 'taken' });
  });

  it.each([
    ['soon, when its period is long', HOUR_MS, JOB_RETRY_MS],
    ['when it is due, when that is sooner', 1000, 1000],
  ])('a run that failed is repeated %s', async (_title, periodMs, afterMs) => {
    const { store } = database;
    const claim = claimOf({ periodMs });
    await store.takeJob(claim, T0);
    await store.finishJob(claim.name, 1, { ...RUN, outcome: 'failed' });
    expect(await store.takeJob(claim, T0 + afterMs - 1)).toEqual({ kind: 'not_due' });
    expect(await store.takeJob(claim, T0 + afterMs)).toMatchObject({ kind: 'taken' });
  });

  it('the last run is on record, with a bounded sentence, also while the next one runs', async () => {
    const { store } = database;
    const claim = claimOf();
    const find = async () => (await store.jobs()).find(({ name }) => name === claim.name);
    expect(await find()).toBeUndefined();
    await store.takeJob(claim, T0);
    expect(await find()).toMatchObject({ fence: 1, holder: 'one', last: undefined });
    await store.finishJob(claim.name, 1, { ...RUN, detail: 'x'.repeat(5000) });
    const last = { ...RUN, detail: 'x'.repeat(JOB_DETAIL_LENGTH_MAX) };
    expect(await find()).toEqual({ name: claim.name, fence: 1, holder: undefined, last });
    await store.takeJob({ ...claim, holder: 'two' }, T0 + HOUR_MS);
    expect(await find()).toEqual({ name: claim.name, fence: 2, holder: 'two', last });
  });
}

function describeFences(database: ReturnType<typeof useStore>): void {
  it('nobody else has a job that beats, however late it is and whatever is claimed of an earlier beat', async () => {
    const { store } = database;
    const claim = claimOf();
    await store.takeJob(claim, T0);
    const seen = await store.takeJob(claim, T0 + 100 * HOUR_MS);
    expect(seen).toEqual({ kind: 'running', fence: 1, beat: 0 });
    expect(await store.renewJob(claim.name, 1)).toBe(true);
    const standstill = { fence: 1, beat: 0 };
    expect(await store.takeJob({ ...claim, standstill }, T0)).toEqual({
      kind: 'running',
      fence: 1,
      beat: 1,
    });
  });

  it('one that stands still is taken over by one of those that saw it, and all that its first holder says later is refused', async () => {
    const { store } = database;
    const other = await database.connect();
    const claim = claimOf();
    await store.takeJob(claim, T0);
    await store.renewJob(claim.name, 1);
    const standstill = { fence: 1, beat: 1 };
    const heirs = await Promise.all(
      [store, other].map((each) => each.takeJob({ ...claim, holder: 'two', standstill }, T0 + 1)),
    );
    expect(heirs.map(({ kind }) => kind).toSorted()).toEqual(['running', 'taken']);
    const before = await store.jobs();
    expect(await store.renewJob(claim.name, 1)).toBe(false);
    expect(await store.finishJob(claim.name, 1, RUN)).toBe(false);
    expect(await store.jobs()).toEqual(before);
    expect(await store.renewJob(claim.name, 2)).toBe(true);
    expect(await store.finishJob(claim.name, 2, RUN)).toBe(true);
  });

  it('a run ends once: neither a beat nor another end comes after it', async () => {
    const { store } = database;
    const claim = claimOf();
    await store.takeJob(claim, T0);
    await store.finishJob(claim.name, 1, RUN);
    expect(await store.finishJob(claim.name, 1, { ...RUN, findings: 9 })).toBe(false);
    expect(await store.renewJob(claim.name, 1)).toBe(false);
    expect(await store.renewJob(freshName('job'), 1)).toBe(false);
    const state = (await store.jobs()).find(({ name }) => name === claim.name);
    expect(state?.last).toEqual(RUN);
  });
}
