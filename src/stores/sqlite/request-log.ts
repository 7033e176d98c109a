import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { decodeRows } from '../request-rows.ts';
import { readHead } from '../request-rows-reader.ts';
import { dayAt, dayOf, firstIdOf, timeOf } from '../request-ids.ts';
import { rangeOf, ROWS_PER_PAGE_MAX, SCAN_PER_PAGE_MAX } from '../request-search.ts';
import { isKeptWhole } from '../request-walk.ts';
import type { RequestPage, RequestRow, RequestSearch } from '../store.ts';
import { RequestDay } from './request-day.ts';

const OPEN_DAYS_MAX = 3;
export const DAY_FILE = /^requests-(\d{4}-\d{2}-\d{2})\.db$/;
/** Of one page: opening a file takes a while. */
const DAYS_PER_PAGE_MAX = 7;

/**
 * One file a day (OBS-01), named by the day inside the request id: apart from the ledger, so that its load never
 * holds up money and forgetting a day is removing a file. No code may open these files but through SQLite: closing
 * any other descriptor would drop this process's locks on them.
 */
export class RequestLogFiles {
  readonly #directory: string;
  readonly #busyTimeoutMs: number;
  /** Least recently used first. */
  readonly #open = new Map<string, RequestDay>();

  constructor(directory: string, busyTimeoutMs: number) {
    this.#directory = directory;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  append(batch: Uint8Array): void {
    const head = readHead(batch);
    if (isKeptWhole(head)) this.#file(dayAt(timeOf(head.leastId))).appendBatch(head, batch);
    else this.#appendRows(decodeRows(batch));
  }

  find(requestId: string): RequestRow | undefined {
    const day = dayOf(requestId);
    // Looking must not make files: anybody can invent ids of any day.
    if (day === undefined || !existsSync(this.#path(day))) return undefined;
    return this.#file(day).find(requestId);
  }

  /** Newest first, from as many days as one page may look at. */
  search(search: RequestSearch): RequestPage {
    const range = rangeOf(search);
    const days = this.#days()
      .filter((day) => firstIdOf(day) < range.before && day >= dayAt(search.from))
      .toSorted()
      .reverse();
    const rows: RequestRow[] = [];
    let scanned = 0;
    for (const [opened, day] of days.entries()) {
      if (opened === DAYS_PER_PAGE_MAX) return { rows, cursor: firstIdOf(days[opened - 1]) };
      const result = this.#file(day).search(search, {
        ...range,
        rowsMax: Math.min(search.limit, ROWS_PER_PAGE_MAX) - rows.length,
        scanMax: SCAN_PER_PAGE_MAX - scanned,
      });
      rows.push(...result.rows);
      scanned += result.scanned;
      if (result.rest !== undefined) return { rows, cursor: result.rest };
    }
    return { rows, cursor: undefined };
  }

  prune(before: number): number {
    const firstKept = dayAt(before);
    let pruned = 0;
    for (const day of this.#days()) {
      if (day >= firstKept) continue;
      this.#closeDay(day);
      // Another gateway on the same data may be doing the same.
      for (const suffix of ['-wal', '-shm', '']) rmSync(this.#path(day) + suffix, { force: true });
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

  #appendRows(rows: readonly RequestRow[]): void {
    const byDay = new Map<string, RequestRow[]>();
    for (const row of rows) {
      const day = dayAt(timeOf(row.requestId));
      const group = byDay.get(day);
      if (group === undefined) byDay.set(day, [row]);
      else group.push(row);
    }
    for (const [day, group] of byDay) this.#file(day).appendRows(group);
  }

  #days(): readonly string[] {
    return readdirSync(this.#directory).flatMap((name) => DAY_FILE.exec(name)?.[1] ?? []);
  }

  #file(day: string): RequestDay {
    const file = this.#open.get(day) ?? new RequestDay(this.#path(day), this.#busyTimeoutMs);
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
