/**
 * Jobs that run once for all machines of a store. Who runs one holds a lease with a fence: a number that grows each
 * time the job is taken. What is said under an earlier fence is refused, so a process that was stopped in the middle of
 * a job and wakes after somebody else took it changes nothing. No two clocks are compared for that: a holder counts
 * beats, and only who has watched them stand still, by its own monotonic clock, may take the job over.
 */
export interface JobStore {
  /** Takes the job when it is due and nobody runs it, or when its holder stands still as the claim says. */
  takeJob(claim: JobClaim, now: number): Promise<JobAnswer>;
  /** One more beat of a running job. False = it is somebody else's by now, or over: stop. */
  renewJob(name: string, fence: number): Promise<boolean>;
  /** Ends the run and records it. False = as `renewJob`, and nothing was recorded. */
  finishJob(name: string, fence: number, run: JobRun): Promise<boolean>;
  /** Every job that was ever taken, in order of name. */
  jobs(): Promise<readonly JobState[]>;
}

export interface JobClaim {
  readonly name: string;
  /** For people: which process this is. */
  readonly holder: string;
  /** From the start of one run to the next. A run that failed is repeated after JOB_RETRY_MS, if that is sooner. */
  readonly periodMs: number;
  /** What a holder was seen at, again and again, for so long that the caller takes it for dead. */
  readonly standstill?: JobBeat | undefined;
}
export interface JobBeat {
  readonly fence: number;
  readonly beat: number;
}
export type JobAnswer =
  | { readonly kind: 'taken'; readonly fence: number }
  | ({ readonly kind: 'running' } & JobBeat)
  | { readonly kind: 'not_due' };

/** How a run ended. Times are epoch ms. */
export interface JobRun {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: 'done' | 'failed';
  /** How many things it found: what that means is the job's. */
  readonly findings: number;
  /** A sentence; at most JOB_DETAIL_LENGTH_MAX of it is kept. */
  readonly detail: string;
}
export interface JobState {
  readonly name: string;
  readonly fence: number;
  /** Undefined = nobody runs it. */
  readonly holder: string | undefined;
  /** Undefined = no run has ended yet. */
  readonly last: JobRun | undefined;
}

export const JOB_RETRY_MS = 5 * 60_000;
export const JOB_DETAIL_LENGTH_MAX = 1000;
