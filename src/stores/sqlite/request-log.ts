import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { requestTime } from '../../platform/ids.ts';
import { StoreError } from '../store-error.ts';
import type { RequestRow } from '../store.ts';
import { Database, type Statement } from './database.ts';

const OPEN_DAYS_MAX = 3;
const DAY_FILE = /^requests-(\d{4}-\d{2}-\d{2})\.db$/;

interface LogRow {
  readonly request_id: string;
  readonly at: number;
  readonly tenant_id: string;
  readonly status: number;
  readonly code: string;
  readonly facts: string;
}

/**
 * One file a day (OBS-01), named by the day inside the request id: apart from the ledger, so that its load never
 * holds up money and forgetting a day is removing a file. No code may open these files but through SQLite: closing
 * any other descriptor would drop this process's locks on them.
 */
export class RequestLogFiles {
  readonly #directory: string;
  readonly #busyTimeoutMs: number;
  /** Least recently used first. */
  readonly #open = new Map<string, DayFile>();

  constructor(directory: string, busyTimeoutMs: number) {
    this.#directory = directory;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  append(rows: readonly RequestRow[]): void {
    const byDay = new Map<string, RequestRow[]>();
    for (const row of rows) {
      const day = dayOf(row.requestId);
      if (day === undefined) {
        throw new StoreError('invalid_argument', `${row.requestId} is not a request id of ours`);
      }
      const group = byDay.get(day);
      if (group === undefined) byDay.set(day, [row]);
      else group.push(row);
    }
    for (const [day, group] of byDay) this.#file(day).append(group);
  }

  find(requestId: string): RequestRow | undefined {
    const day = dayOf(requestId);
    // Looking must not make files: anybody can invent ids of any day.
    if (day === undefined || !existsSync(this.#path(day))) return undefined;
    return this.#file(day).find(requestId);
  }

  prune(before: number): number {
    const firstKept = dayAt(before);
    let pruned = 0;
    for (const name of readdirSync(this.#directory)) {
      const day = DAY_FILE.exec(name)?.[1];
      if (day === undefined || day >= firstKept) continue;
      this.#closeDay(day);
      for (const suffix of ['-wal', '-shm', '']) removeIfThere(this.#path(day) + suffix);
      pruned += 1;
    }
    return pruned;
  }

  close(): void {
    for (const day of this.#open.keys()) this.#closeDay(day);
  }

  get openDays(): number {
    return this.#open.size;
  }

  #file(day: string): DayFile {
    const file = this.#open.get(day) ?? new DayFile(this.#path(day), this.#busyTimeoutMs);
    this.#open.delete(day);
    this.#open.set(day, file);
    const oldest = this.#open.keys().next().value;
    if (this.#open.size > OPEN_DAYS_MAX && oldest !== undefined) this.#closeDay(oldest);
    return file;
  }

  #closeDay(day: string): void {
    this.#open.get(day)?.close();
    this.#open.delete(day);
  }

  #path(day: string): string {
    return join(this.#directory, `requests-${day}.db`);
  }
}

class DayFile {
  readonly #database: Database;
  readonly #insert: Statement<never>;
  readonly #select: Statement<LogRow>;

  constructor(path: string, busyTimeoutMs: number) {
    this.#database = new Database({ path, durability: 'normal', busyTimeoutMs });
    this.#database.write(() => {
      this.#database.execute(
        `CREATE TABLE IF NOT EXISTS requests (
           request_id text PRIMARY KEY, at bigint NOT NULL, tenant_id text NOT NULL, status bigint NOT NULL,
           code text NOT NULL, facts text NOT NULL
         ) WITHOUT ROWID`,
      );
    });
    const columns = 'request_id, at, tenant_id, status, code, facts';
    this.#insert = this.#database.prepare(
      `INSERT INTO requests (${columns}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#select = this.#database.prepare(`SELECT ${columns} FROM requests WHERE request_id = ?`);
  }

  append(rows: readonly RequestRow[]): void {
    this.#database.write(() => {
      for (const row of rows) {
        this.#insert.run(row.requestId, row.at, row.tenantId, row.status, row.code, row.facts);
      }
    });
  }

  find(requestId: string): RequestRow | undefined {
    const row = this.#select.get(requestId);
    if (row === undefined) return undefined;
    const { at, status, code, facts } = row;
    return { requestId, at, tenantId: row.tenant_id, status, code, facts };
  }

  close(): void {
    this.#database.close();
  }
}

function dayOf(requestId: string): string | undefined {
  const time = requestTime(requestId);
  return time === undefined || time > MAX_TIME ? undefined : dayAt(time);
}

/** The last millisecond of a four-digit year. */
const MAX_TIME = 253_402_300_799_999;

function dayAt(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function removeIfThere(path: string): void {
  if (existsSync(path)) unlinkSync(path);
}
