import { describe, expect, it } from 'vitest';

import { renderMetrics } from '../../platform/metrics.ts';
import type { JobRun, JobState } from '../../stores/job-store.ts';
import type { OwnerReport } from '../../stores/owner-store.ts';
import { type BooksState, describeBooks, snapshotBooks } from './books-report.ts';

const T0 = Date.UTC(2026, 10, 21);
const RUN: JobRun = {
  startedAt: T0 - 1500,
  endedAt: T0,
  outcome: 'done',
  findings: 0,
  detail: '',
};

function stateOf(run: Partial<JobRun> | undefined, lost: readonly OwnerReport[] = []): BooksState {
  const last = run === undefined ? undefined : { ...RUN, ...run };
  const job: JobState = { name: 'reconcile', fence: 1, holder: undefined, last };
  return { jobs: [job], lost };
}

function silent(id: string, units: readonly (readonly [string, bigint])[]): OwnerReport {
  const held = units.map(([unit, amount]) => ({
    kind: 'balance' as const,
    unit,
    amount,
    tenants: 1,
  }));
  return { id, machine: 'host-a', seenAt: T0, writtenOffAt: undefined, held };
}

describe('what is said of the books', () => {
  it.each([
    ['never reconciled', undefined, undefined, /^not reconciled yet$/],
    ['reconciled', {}, undefined, /^reconciled at 2026-11-21T00:00:00\.000Z$/],
    ['with differences', { findings: 3 }, true, /^3 differences at .*doctor --ledger$/],
    ['a run that failed', { outcome: 'failed' as const }, true, /^could not be reconciled at/],
  ])('%s', (_title, run, degraded, detail) => {
    const [books] = describeBooks(stateOf(run));
    expect(books).toMatchObject({ name: 'books', ok: true });
    expect(books?.degraded).toBe(degraded);
    expect(books?.detail).toMatch(detail);
  });

  it('of silent owners it tells how many and what to do, and no names', () => {
    const [, owners] = describeBooks(stateOf({}, [silent('own_1', [['USD', 5n]])]));
    expect(owners).toMatchObject({ name: 'owners', ok: true, degraded: true });
    expect(owners?.detail).toMatch(/^1 not heard of .*tollkeeper owners list$/);
    expect(owners?.detail).not.toMatch(/own_1|host-a/);
  });

  it('OBS-17: as metrics, with what silent owners hold by unit', () => {
    const lost = [
      silent('own_1', [
        ['USD', 5n],
        ['requests', 2n],
      ]),
      silent('own_2', [['USD', 7n]]),
    ];
    const lines = renderMetrics(snapshotBooks(stateOf({ findings: 3 }, lost))).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'tollkeeper_reconcile_violations 3',
        `tollkeeper_job_last_run_timestamp_seconds{job="reconcile"} ${T0 / 1000}`,
        'tollkeeper_job_last_run_seconds{job="reconcile"} 1.5',
        'tollkeeper_job_last_run_failed{job="reconcile"} 0',
        'tollkeeper_owners_silent 2',
        'tollkeeper_owners_silent_units{unit="USD"} 12',
        'tollkeeper_owners_silent_units{unit="requests"} 2',
      ]),
    );
  });

  it.each([
    ['never ran', undefined],
    ['failed', { outcome: 'failed' as const }],
  ])('a reconciliation that %s has no number of violations, not a zero', (_title, run) => {
    const text = renderMetrics(snapshotBooks(stateOf(run)));
    expect(text).not.toContain('tollkeeper_reconcile_violations');
  });
});
