import { type Gauge, MetricRegistry, type MetricSnapshot } from '../../platform/metrics.ts';
import type { JobState } from '../../stores/job-store.ts';
import type { OwnerReport } from '../../stores/owner-store.ts';
import type { Store } from '../../stores/store.ts';
import type { ReadinessPart } from '../admin/admin-deps.ts';
import { findLost, RECONCILE } from './books-jobs.ts';

/** What the store says of its jobs and of owners that are not heard of: the same on every machine. */
export interface BooksState {
  readonly jobs: readonly JobState[];
  readonly lost: readonly OwnerReport[];
}

export async function readBooksState(
  store: Pick<Store, 'jobs' | 'owners'>,
  now: number,
): Promise<BooksState> {
  const [jobs, lost] = await Promise.all([store.jobs(), findLost(store, now)]);
  return { jobs, lost };
}

/** OBS-17. Every machine tells the same, so that sums over machines mean nothing: take the greatest. */
export function snapshotBooks({ jobs, lost }: BooksState): MetricSnapshot {
  const registry = new MetricRegistry();
  const gauge = (name: string, help: string, label?: string) =>
    registry.gauge({ name, help, merge: 'max', labels: label === undefined ? [] : [label] });
  const reconciled = findRun(jobs, RECONCILE);
  // A run that failed counted nothing, and one that never was neither: no number is no zero.
  if (reconciled?.outcome === 'done') {
    gauge(
      'tollkeeper_reconcile_violations',
      'Invariants of the books found broken by the last run.',
    )
      .child()
      .set(reconciled.findings);
  }
  const ended = gauge('tollkeeper_job_last_run_timestamp_seconds', 'When a job ended last.', 'job');
  const took = gauge('tollkeeper_job_last_run_seconds', 'How long its last run took.', 'job');
  const failed = gauge('tollkeeper_job_last_run_failed', '1 = its last run failed.', 'job');
  for (const { name, last } of jobs) {
    if (last === undefined) continue;
    ended.child(name).set(last.endedAt / 1000);
    took.child(name).set((last.endedAt - last.startedAt) / 1000);
    failed.child(name).set(last.outcome === 'failed' ? 1 : 0);
  }
  gauge('tollkeeper_owners_silent', 'Processes that have not been heard of and hold what they had.')
    .child()
    .set(lost.length);
  setHeld(
    gauge(
      'tollkeeper_owners_silent_units',
      'What they hold: nano of an asset, units of quotas.',
      'unit',
    ),
    lost,
  );
  return registry.snapshot();
}

function setHeld(family: { child(unit: string): Gauge }, lost: readonly OwnerReport[]): void {
  const sums = new Map<string, bigint>();
  for (const { unit, amount } of lost.flatMap(({ held }) => held)) {
    sums.set(unit, (sums.get(unit) ?? 0n) + amount);
  }
  for (const [unit, amount] of sums) family.child(unit).set(Number(amount));
}

/** For `/readyz`, which anybody may ask: numbers and commands, no names. */
export function describeBooks({ jobs, lost }: BooksState): readonly ReadinessPart[] {
  return [describeReconciliation(findRun(jobs, RECONCILE)), describeLost(lost.length)];
}

function describeReconciliation(run: JobState['last']): ReadinessPart {
  const name = 'books';
  if (run === undefined) return { name, ok: true, detail: 'not reconciled yet' };
  const at = new Date(run.endedAt).toISOString();
  if (run.outcome === 'failed') {
    const detail = `could not be reconciled at ${at}: the log says why`;
    return { name, ok: true, degraded: true, detail };
  }
  if (run.findings === 0) return { name, ok: true, detail: `reconciled at ${at}` };
  const detail = `${run.findings} differences at ${at}: tollkeeper doctor --ledger`;
  return { name, ok: true, degraded: true, detail };
}

function describeLost(count: number): ReadinessPart {
  const name = 'owners';
  if (count === 0) return { name, ok: true, detail: 'all are heard of' };
  const detail = `${count} not heard of for over a minute, and what they hold stays held: tollkeeper owners list`;
  return { name, ok: true, degraded: true, detail };
}

function findRun(jobs: readonly JobState[], name: string): JobState['last'] {
  return jobs.find((job) => job.name === name)?.last;
}
