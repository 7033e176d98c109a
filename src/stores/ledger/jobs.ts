import {
  JOB_DETAIL_LENGTH_MAX,
  JOB_RETRY_MS,
  type JobAnswer,
  type JobClaim,
  type JobRun,
  type JobState,
} from '../job-store.ts';

/** A job as the database has it. Of the last run that ended all five are there, or none is. */
export interface JobRow {
  readonly name: string;
  readonly fence: number;
  readonly beat: number;
  readonly holder: string | null;
  /** When it was taken last. */
  readonly taken_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly outcome: JobRun['outcome'] | null;
  readonly findings: number | null;
  readonly detail: string | null;
}

/** A job that was never taken. */
export function newJob(name: string): JobRow {
  return {
    name,
    fence: 0,
    beat: 0,
    holder: null,
    taken_at: 0,
    started_at: null,
    ended_at: null,
    outcome: null,
    findings: null,
    detail: null,
  };
}

/** What a claim comes to; `taken` is the row to write, where it comes to something. */
export function claimJob(
  row: JobRow,
  claim: JobClaim,
  now: number,
): { readonly answer: JobAnswer; readonly taken?: JobRow } {
  const { fence, beat } = row;
  const standsStill = claim.standstill?.fence === fence && claim.standstill.beat === beat;
  if (row.holder !== null && !standsStill) return { answer: { kind: 'running', fence, beat } };
  if (row.holder === null && !isDue(row, claim, now)) return { answer: { kind: 'not_due' } };
  const next = fence + 1;
  return {
    answer: { kind: 'taken', fence: next },
    taken: { ...row, fence: next, beat: 0, holder: claim.holder, taken_at: now },
  };
}

/**
 * By the distance and not by the order of the two times: a run that a clock far ahead has written down does not keep the
 * job waiting until all clocks are there.
 */
function isDue(row: JobRow, { periodMs }: JobClaim, now: number): boolean {
  if (row.fence === 0) return true;
  const pauseMs = row.outcome === 'failed' ? Math.min(periodMs, JOB_RETRY_MS) : periodMs;
  return Math.abs(now - row.taken_at) >= pauseMs;
}

/** The row after one more beat; undefined = the fence is an old one, or the run is over. */
export function renewJob(row: JobRow | undefined, fence: number): JobRow | undefined {
  return isHeld(row, fence) ? { ...row, beat: row.beat + 1 } : undefined;
}

/** The row after the run; undefined as for `renewJob`. */
export function finishJob(row: JobRow | undefined, fence: number, run: JobRun): JobRow | undefined {
  if (!isHeld(row, fence)) return undefined;
  return {
    ...row,
    holder: null,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    outcome: run.outcome,
    findings: run.findings,
    detail: run.detail.slice(0, JOB_DETAIL_LENGTH_MAX),
  };
}

function isHeld(row: JobRow | undefined, fence: number): row is JobRow {
  return row !== undefined && row.holder !== null && row.fence === fence;
}

export function toJobState(row: JobRow): JobState {
  const { name, fence, started_at: startedAt, ended_at: endedAt, outcome, findings, detail } = row;
  const isComplete =
    startedAt !== null &&
    endedAt !== null &&
    outcome !== null &&
    findings !== null &&
    detail !== null;
  const last = isComplete ? { startedAt, endedAt, outcome, findings, detail } : undefined;
  return { name, fence, holder: row.holder ?? undefined, last };
}
