import type { JobAnswer, JobClaim, JobRun, JobState } from '../job-store.ts';
import { claimJob, finishJob, type JobRow, newJob, renewJob, toJobState } from '../ledger/jobs.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const COLUMNS =
  'name, fence, beat, holder, taken_at, started_at, ended_at, outcome, findings, detail';
const SELECT = new Statement<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE name = $1`);
const SELECT_ALL = new Statement<JobRow>(`SELECT ${COLUMNS} FROM jobs ORDER BY name`);
const LOCK = new Statement<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE name = $1 FOR UPDATE`);
const ADD = new Statement<never>(
  'INSERT INTO jobs (name, fence, beat, taken_at) VALUES ($1, 0, 0, 0) ON CONFLICT DO NOTHING',
);
const SAVE = new Statement<never>(
  `UPDATE jobs SET fence = $2, beat = $3, holder = $4, taken_at = $5, started_at = $6, ended_at = $7,
     outcome = $8, findings = $9, detail = $10 WHERE name = $1`,
);

/** The jobs table. */
export class Jobs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Locks only when there is something to take, so that many may ask often. */
  async take(claim: JobClaim, now: number): Promise<JobAnswer> {
    const [seen] = await this.#database.query(SELECT, claim.name);
    const { answer, taken } = claimJob(seen ?? newJob(claim.name), claim, now);
    if (taken === undefined) return answer;
    return this.#database.write(async (transaction) => {
      transaction.send(ADD, claim.name);
      const [row] = await transaction.query(LOCK, claim.name);
      const claimed = claimJob(row ?? newJob(claim.name), claim, now);
      if (claimed.taken !== undefined) save(transaction, claimed.taken);
      return claimed.answer;
    });
  }

  renew(name: string, fence: number): Promise<boolean> {
    return this.#change(name, (row) => renewJob(row, fence));
  }

  finish(name: string, fence: number, run: JobRun): Promise<boolean> {
    return this.#change(name, (row) => finishJob(row, fence, run));
  }

  async list(): Promise<readonly JobState[]> {
    return (await this.#database.query(SELECT_ALL)).map(toJobState);
  }

  #change(name: string, change: (row: JobRow | undefined) => JobRow | undefined): Promise<boolean> {
    return this.#database.write(async (transaction) => {
      const [row] = await transaction.query(LOCK, name);
      const changed = change(row);
      if (changed !== undefined) save(transaction, changed);
      return changed !== undefined;
    });
  }
}

function save(transaction: Transaction, row: JobRow): void {
  const { name, fence, beat, holder, taken_at, started_at, ended_at } = row;
  const { outcome, findings, detail } = row;
  const run = [started_at, ended_at, outcome, findings, detail] as const;
  transaction.send(SAVE, name, fence, beat, holder, taken_at, ...run);
}
