import type { Logger } from '../../platform/logger.ts';
import type { OwnerReport } from '../../stores/owner-store.ts';
import type { Store, Violation } from '../../stores/store.ts';
import { raiseAlert } from './alert.ts';
import type { Job, JobResult } from './job-runner.ts';

export const RECONCILE = 'reconcile';
export const WATCH_OWNERS = 'watch-owners';
export const PRUNE = 'prune';

const MINUTE_MS = 60_000;
const PRUNE_PERIOD_MS = 24 * 60 * MINUTE_MS;
const WATCH_PERIOD_MS = 5 * MINUTE_MS;
/** The audit looks at all of history; the store gives it ten minutes. */
const RECONCILE_MS_MAX = 15 * MINUTE_MS;
const PRUNE_MS_MAX = 30 * MINUTE_MS;
/** Counters of ended windows, and days of the request log, are kept this long. */
const KEPT_MS = 40 * 24 * 60 * MINUTE_MS;
/** An owner that has not been heard of for so long is told about: a heartbeat comes many times a second. */
export const OWNER_LOST_MS = MINUTE_MS;
/** Owners and violations in one log line. */
const NAMED_MAX = 20;

export interface BooksJobsParts {
  readonly store: Pick<Store, 'owners' | 'jobs' | 'pruneWindows' | 'pruneLog'>;
  /** Recomputes the books, however long that takes, without holding up `store`. */
  readonly audit: () => Promise<readonly Violation[]>;
  /** From one reconciliation to the next. */
  readonly reconcileMs: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/** What has to be done once for a store, whatever number of machines share it. */
export function createBooksJobs(parts: BooksJobsParts): readonly Job[] {
  return [createReconcile(parts), createWatch(parts), createPrune(parts)];
}

/** BILL-27: every projection against its entries. */
function createReconcile({ audit, reconcileMs, logger }: BooksJobsParts): Job {
  let found: readonly Violation[] = [];
  return {
    name: RECONCILE,
    periodMs: reconcileMs,
    runMsMax: RECONCILE_MS_MAX,
    run: async () => {
      found = await audit();
      return { findings: found.length, detail: describeViolations(found) };
    },
    report: ({ findings }) => {
      if (findings === 0) return;
      const violations = found.slice(0, NAMED_MAX);
      const fields = { count: findings, violations };
      raiseAlert(logger, 'reconciliation_mismatch', fields, 'the books do not add up');
    },
  };
}

function describeViolations(violations: readonly Violation[]): string {
  const [first] = violations;
  if (first === undefined) return 'every invariant holds';
  const more = violations.length === 1 ? '' : `, and ${violations.length - 1} more`;
  return `${first.invariant}: ${first.detail}${more}`;
}

/** DESIGN 5: what a machine that is gone had reserved stays held until somebody does something about it. */
function createWatch({ store, now, logger }: BooksJobsParts): Job {
  let lost: readonly OwnerReport[] = [];
  return {
    name: WATCH_OWNERS,
    periodMs: WATCH_PERIOD_MS,
    runMsMax: MINUTE_MS,
    run: async () => {
      lost = await findLost(store, now());
      return { findings: lost.length, detail: lost.map(({ id }) => id).join(' ') };
    },
    report: ({ findings }) => {
      if (findings === 0) return;
      const owners = lost.slice(0, NAMED_MAX).map(({ id, machine, seenAt, held }) => ({
        id,
        machine,
        seen_at: new Date(seenAt).toISOString(),
        held: held.map(({ unit, amount }) => `${amount} ${unit}`).join(', '),
      }));
      const message = 'processes are not heard of, and what they hold stays held';
      raiseAlert(logger, 'silent_owners', { count: findings, owners }, message);
    },
  };
}

/** Live owners that nobody has heard of for OWNER_LOST_MS, longest silent first. */
export async function findLost(
  store: Pick<Store, 'owners'>,
  now: number,
): Promise<readonly OwnerReport[]> {
  const reports = await store.owners(now - OWNER_LOST_MS);
  return reports.filter(({ writtenOffAt }) => writtenOffAt === undefined);
}

/**
 * A clock that is far ahead would forget windows that run, and they would be sold again when it is set right. So what goes
 * was too old for the run before this one too, a day or another machine's clock earlier.
 */
function createPrune({ store, now }: BooksJobsParts): Job {
  return {
    name: PRUNE,
    periodMs: PRUNE_PERIOD_MS,
    runMsMax: PRUNE_MS_MAX,
    run: async (signal): Promise<JobResult> => {
      const last = (await store.jobs()).find(({ name }) => name === PRUNE)?.last;
      if (last?.outcome !== 'done')
        return { findings: 0, detail: 'the next run has a time to compare' };
      const before = Math.min(now(), last.startedAt) - KEPT_MS;
      const windows = await store.pruneWindows(before);
      const days = signal.aborted ? 0 : await store.pruneLog(before);
      return { findings: windows + days, detail: `${windows} windows, ${days} days of the log` };
    },
  };
}
