import type { JobAnswer, JobClaim, JobRun, JobState } from '../job-store.ts';
import { claimJob, finishJob, type JobRow, newJob, renewJob, toJobState } from '../ledger/jobs.ts';
import type { Database, Statement } from './database.ts';

const COLUMNS =
  'name, fence, beat, holder, taken_at, started_at, ended_at, outcome, findings, detail';

/** The jobs table. */
export class Jobs {
  readonly #database: Database;
  readonly #select: Statement<JobRow>;
  readonly #selectAll: Statement<JobRow>;
  readonly #save: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE name = ?`);
    this.#selectAll = database.prepare(`SELECT ${COLUMNS} FROM jobs ORDER BY name`);
    this.#save = database.prepare(
      `INSERT INTO jobs (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET
         fence = excluded.fence, beat = excluded.beat, holder = excluded.holder, taken_at = excluded.taken_at,
         started_at = excluded.started_at, ended_at = excluded.ended_at, outcome = excluded.outcome,
         findings = excluded.findings, detail = excluded.detail`,
    );
  }

  /** Writes only when there is something to take, so that many may ask often. */
  take(claim: JobClaim, now: number): JobAnswer {
    const seen = this.#claim(claim, now);
    if (seen.taken === undefined) return seen.answer;
    return this.#database.write(() => {
      const { answer, taken } = this.#claim(claim, now);
      if (taken !== undefined) this.#write(taken);
      return answer;
    });
  }

  renew(name: string, fence: number): boolean {
    return this.#change(name, (row) => renewJob(row, fence));
  }

  finish(name: string, fence: number, run: JobRun): boolean {
    return this.#change(name, (row) => finishJob(row, fence, run));
  }

  list(): readonly JobState[] {
    return this.#selectAll.all().map(toJobState);
  }

  #claim(claim: JobClaim, now: number): ReturnType<typeof claimJob> {
    return claimJob(this.#select.get(claim.name) ?? newJob(claim.name), claim, now);
  }

  #change(name: string, change: (row: JobRow | undefined) => JobRow | undefined): boolean {
    return this.#database.write(() => {
      const changed = change(this.#select.get(name));
      if (changed !== undefined) this.#write(changed);
      return changed !== undefined;
    });
  }

  #write(row: JobRow): void {
    const { name, fence, beat, holder, taken_at, started_at, ended_at } = row;
    const { outcome, findings, detail } = row;
    this.#save.run(
      name,
      fence,
      beat,
      holder,
      taken_at,
      started_at,
      ended_at,
      outcome,
      findings,
      detail,
    );
  }
}
