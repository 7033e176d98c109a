import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { createClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import type { JobStore } from '../../stores/job-store.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import type { Store } from '../../stores/store.ts';
import { type Job, JobRunner } from './job-runner.ts';

const HOUR_MS = 3_600_000;
const SILENT_MS = 200;
const PATIENCE = { timeoutMs: 20_000 };

let store: Store;
let lines: string[];
beforeEach(async () => {
  store = await openSqliteStore({ directory: temporaryDirectory('jobs') });
  onTestFinished(() => store.close());
  lines = [];
});

function runnerOf(job: Partial<Job>, over: JobStore = store): JobRunner {
  const run = async () => ({ findings: 2, detail: 'two' });
  const runner = new JobRunner({
    jobs: [{ name: 'work', periodMs: HOUR_MS, runMsMax: HOUR_MS, run, ...job }],
    store: over,
    clock: createClock(),
    logger: createLogger({
      level: 'debug',
      destination: { write: (line) => void lines.push(line) },
    }),
    holder: 'here',
    pollMs: 20,
    silentMs: SILENT_MS,
  });
  onTestFinished(() => runner.stop());
  return runner;
}

/** A run that ends when it is told to. */
function openEnded() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let begun = 0;
  const run = async () => {
    begun += 1;
    await ended;
    return { findings: 1, detail: 'at last' };
  };
  return { run, end, begun: () => begun };
}

const lastRun = async () => (await store.jobs())[0]?.last;
const waitForRun = (what: string) => waitFor(lastRun, { ...PATIENCE, what });

describe('JobRunner', () => {
  it('runs what is due, records it, reports it, and then waits for the next period', async () => {
    const reported: unknown[] = [];
    const runner = runnerOf({ report: (result) => reported.push(result) });
    runner.start();
    const last = await waitForRun('the run');
    expect(last).toMatchObject({ outcome: 'done', findings: 2, detail: 'two' });
    await waitFor(() => reported.length > 0, { ...PATIENCE, what: 'the report' });
    await runner.poll();
    expect(reported).toEqual([expect.objectContaining({ findings: 2, detail: 'two' })]);
    expect(await store.jobs()).toMatchObject([{ fence: 1, holder: undefined }]);
  });

  it('one look at a time: a call during a look gets that one', () => {
    const runner = runnerOf({});
    expect(runner.poll()).toBe(runner.poll());
  });

  it('bound: a run that takes too long has failed, and is not begun again here before it has ended', async () => {
    const { run, end, begun } = openEnded();
    const reported: unknown[] = [];
    const report = (result: unknown) => reported.push(result);
    const runner = runnerOf({ periodMs: 1, runMsMax: 30, run, report });
    await runner.poll();
    const last = await waitForRun('the time-out');
    expect(last).toMatchObject({ outcome: 'failed', detail: 'took more than 0 s' });
    for (let round = 0; round < 5; round += 1) await runner.poll();
    expect(begun()).toBe(1);
    end();
    await waitFor(
      async () => {
        await runner.poll();
        return begun() === 2;
      },
      { ...PATIENCE, what: 'the next run' },
    );
    await waitFor(() => reported.length === 1, { ...PATIENCE, what: 'its report' });
  });

  it('a run that throws has failed, with the reason on record and in the log', async () => {
    const runner = runnerOf({ run: () => Promise.reject(new Error('no such thing')) });
    await runner.poll();
    const last = await waitForRun('the failure');
    expect(last).toMatchObject({ outcome: 'failed', detail: 'Error: no such thing' });
    await waitFor(() => lines.join('').includes('a job failed'), { ...PATIENCE, what: 'the line' });
  });

  it('beats while it runs; when it is taken over it stops, and its result changes nothing and is not reported', async () => {
    const { run, end } = openEnded();
    let signal: AbortSignal | undefined;
    const reported: unknown[] = [];
    const runner = runnerOf({
      run: (given) => {
        signal = given;
        return run();
      },
      report: (result) => reported.push(result),
    });
    await runner.poll();
    const claim = { name: 'work', holder: 'other', periodMs: HOUR_MS };
    const seen = await waitFor(
      async () => {
        const answer = await store.takeJob(claim, Date.now());
        return answer.kind === 'running' && answer.beat >= 2 && answer;
      },
      { ...PATIENCE, what: 'two beats' },
    );
    let beat = seen.beat;
    const taken = await waitFor(
      async () => {
        // Between this claim and the last there may have been another beat.
        const answer = await store.takeJob(
          { ...claim, standstill: { fence: 1, beat } },
          Date.now(),
        );
        if (answer.kind === 'running') beat = answer.beat;
        return answer.kind === 'taken' && answer;
      },
      { ...PATIENCE, what: 'the claim between two beats' },
    );
    expect(taken.fence).toBe(2);
    await waitFor(() => lines.join('').includes('had been taken over'), {
      ...PATIENCE,
      what: 'it to notice',
    });
    expect(signal?.aborted).toBe(true);
    end();
    expect(await store.jobs()).toMatchObject([{ fence: 2, holder: 'other', last: undefined }]);
    expect(reported).toEqual([]);
  });

  it('stopped in the middle, the run is on record as given up, so that another may begin', async () => {
    const { run } = openEnded();
    const runner = runnerOf({ run });
    await runner.poll();
    await runner.stop();
    expect(await lastRun()).toMatchObject({ outcome: 'failed', detail: 'this gateway stopped' });
  });

  it('bound: who stops does not wait for a store that never answers', async () => {
    const never = () => new Promise<never>(() => undefined);
    const silent: JobStore = {
      takeJob: (...claim) => store.takeJob(...claim),
      renewJob: never,
      finishJob: never,
      jobs: () => store.jobs(),
    };
    const runner = runnerOf({ run: openEnded().run }, silent);
    await runner.poll();
    await runner.stop();
    expect(await store.jobs()).toMatchObject([{ holder: 'here', last: undefined }]);
  });

  it('a store that is away is told of in the log, and asked again', async () => {
    let away = true;
    const reject = () => Promise.reject(new Error('away'));
    const flaky: JobStore = {
      takeJob: (...claim) => (away ? reject() : store.takeJob(...claim)),
      renewJob: reject,
      finishJob: (...run) => store.finishJob(...run),
      jobs: () => store.jobs(),
    };
    const runner = runnerOf({}, flaky);
    await runner.poll();
    expect(lines.join('')).toContain('could not be asked');
    away = false;
    await runner.poll();
    expect(await waitForRun('the run')).toMatchObject({ outcome: 'done' });
  });
});
