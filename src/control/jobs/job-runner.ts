import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { JobBeat, JobRun, JobStore } from '../../stores/job-store.ts';

/** Something that is done once for all machines, again and again. */
export interface Job {
  readonly name: string;
  readonly periodMs: number;
  /** A run that takes longer has failed. */
  readonly runMsMax: number;
  /**
   * Does it. Must stand being done twice at once: a process that was stopped in the middle goes on when it wakes, and
   * finds out only then that somebody else has done it. `signal` says that nobody waits for the result any more.
   */
  run(signal: AbortSignal): Promise<JobResult>;
  /** Told of a result that was recorded, and of no other: here is where alarm is raised. */
  readonly report?: (result: JobResult) => void;
}
export interface JobResult {
  readonly findings: number;
  readonly detail: string;
}

export interface JobRunnerParts {
  readonly jobs: readonly Job[];
  readonly store: JobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For people: which process this is. */
  readonly holder: string;
  /** Between two looks at what is due. Default: POLL_MS, or the shortest period. */
  readonly pollMs?: number;
  /** A holder whose beats have stood still for so long is taken for dead. Default: SILENT_MS. */
  readonly silentMs?: number;
}

const POLL_MS = 10_000;
const SILENT_MS = 30_000;
const BEATS_WHILE_SILENT = 4;
const STOP_WAIT_MS = 2000;

type Ended = { readonly outcome: JobRun['outcome'] } & JobResult;

/** Takes jobs that are due, beats while it runs them, and watches those that others run. */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #silentMs: number;
  readonly #pollMs: number;
  /** What is running here, also when nobody waits for it any more. */
  readonly #running = new Map<string, AbortController>();
  /** Beats of others, and since when, by the monotonic clock, they are what they are. */
  readonly #watched = new Map<string, JobBeat & { readonly sinceMs: number }>();
  readonly #ending = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
    this.#silentMs = parts.silentMs ?? SILENT_MS;
    const shortest = Math.min(...parts.jobs.map(({ periodMs }) => periodMs));
    this.#pollMs = parts.pollMs ?? Math.min(POLL_MS, shortest);
  }

  /** The first look is one pause away: a gateway that starts has other things to do. */
  start(): void {
    this.#timer = setInterval(() => void this.poll(), this.#pollMs);
  }

  /** One look at every job; a call during a look gets that one. Resolves before the jobs taken have ended. */
  poll(): Promise<void> {
    this.#polling ??= this.#pollAll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /**
   * What runs is given up and on record as such, so that another process may begin it anew. A store that does not answer
   * is not waited for: then the beats stand still.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const controller of this.#running.values()) controller.abort('this gateway stopped');
    const waiting = new AbortController();
    const enough = sleep(STOP_WAIT_MS, undefined, { signal: waiting.signal }).catch(
      () => undefined,
    );
    await Promise.race([Promise.all([this.#polling, ...this.#ending]), enough]);
    waiting.abort();
  }

  async #pollAll(): Promise<void> {
    for (const job of this.#parts.jobs) {
      if (this.#stopped) return;
      if (this.#running.has(job.name)) continue;
      // oxlint-disable-next-line no-await-in-loop -- questions to one store: at once they would only queue there
      await this.#consider(job);
    }
  }

  async #consider(job: Job): Promise<void> {
    const { store, clock, logger, holder } = this.#parts;
    const { name, periodMs } = job;
    try {
      const claim = { name, holder, periodMs, standstill: this.#standstillOf(name) };
      const answer = await store.takeJob(claim, clock.now());
      if (answer.kind === 'running') this.#watch(name, answer);
      else this.#watched.delete(name);
      // Taken while all was stopped: nobody beats, so another takes it over.
      if (answer.kind === 'taken' && !this.#stopped) this.#begin(job, answer.fence);
    } catch (error) {
      logger.warn({ job: name, error: String(error) }, 'whether a job is due could not be asked');
    }
  }

  #watch(name: string, { fence, beat }: JobBeat): void {
    const seen = this.#watched.get(name);
    if (seen?.fence === fence && seen.beat === beat) return;
    this.#watched.set(name, { fence, beat, sinceMs: this.#parts.clock.monotonicMs() });
  }

  #standstillOf(name: string): JobBeat | undefined {
    const seen = this.#watched.get(name);
    if (seen === undefined) return undefined;
    const isSilent = this.#parts.clock.monotonicMs() - seen.sinceMs >= this.#silentMs;
    return isSilent ? { fence: seen.fence, beat: seen.beat } : undefined;
  }

  #begin(job: Job, fence: number): void {
    const controller = new AbortController();
    this.#running.set(job.name, controller);
    const work = job.run(controller.signal).finally(() => this.#running.delete(job.name));
    const ending = this.#see(job, fence, { work, controller }).finally(() =>
      this.#ending.delete(ending),
    );
    this.#ending.add(ending);
  }

  /** Beats until the work has ended or nobody waits for it any more, and records what came of it. */
  async #see(
    job: Job,
    fence: number,
    { work, controller }: { work: Promise<JobResult>; controller: AbortController },
  ): Promise<void> {
    const { store, clock, logger } = this.#parts;
    const { name, runMsMax } = job;
    const startedAt = clock.now();
    const beat = setInterval(() => {
      store.renewJob(name, fence).then(
        (held) => held || controller.abort('another process has taken it over'),
        // A store that is away: either it is back in time, or the beats stand still.
        () => undefined,
      );
    }, this.#silentMs / BEATS_WHILE_SILENT);
    const seconds = Math.round(runMsMax / 1000);
    const limit = setTimeout(() => controller.abort(`took more than ${seconds} s`), runMsMax);
    const ended = await outcomeOf(work, controller.signal);
    clearInterval(beat);
    clearTimeout(limit);
    const { outcome, findings, detail } = ended;
    const run = { startedAt, endedAt: clock.now(), outcome, findings, detail };
    try {
      const recorded = await store.finishJob(name, fence, run);
      this.#tell(job, fence, { ended, recorded });
    } catch (error) {
      logger.error({ job: name, fence, error: String(error) }, 'a job could not be recorded');
    }
  }

  #tell(
    job: Job,
    fence: number,
    { ended, recorded }: { readonly ended: Ended; readonly recorded: boolean },
  ): void {
    const { logger } = this.#parts;
    const fields = { job: job.name, fence, findings: ended.findings, detail: ended.detail };
    if (!recorded) logger.warn(fields, 'a job had been taken over: its result changes nothing');
    else if (ended.outcome === 'failed') logger.error(fields, 'a job failed');
    else {
      logger.debug(fields, 'a job has run');
      job.report?.(ended);
    }
  }
}

/** How the work ends, or that it was given up first. */
function outcomeOf(work: Promise<JobResult>, signal: AbortSignal): Promise<Ended> {
  const failed = (detail: string): Ended => ({ outcome: 'failed', findings: 0, detail });
  const givenUp = new Promise<Ended>((resolve) => {
    signal.addEventListener('abort', () => resolve(failed(String(signal.reason))), { once: true });
  });
  const done = work.then(
    (result): Ended => ({ outcome: 'done', ...result }),
    (error: unknown) => failed(String(error)),
  );
  return Promise.race([done, givenUp]);
}
