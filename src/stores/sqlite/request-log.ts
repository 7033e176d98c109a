import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { decodeRows } from '../request-rows.ts';
import { type BatchHead, readHead } from '../request-rows-reader.ts';
import { StoreError } from '../store-error.ts';
import {
  CODES_PER_SEARCH_MAX,
  type RequestPage,
  type RequestRow,
  type RequestSearch,
} from '../store.ts';
import { SPAN_MAX_MS } from './request-batches.ts';
import { RequestDay } from './request-day.ts';
import { dayAt, dayOf, firstIdOf, idAt, type IdRange, MAX_TIME, timeOf } from './request-ids.ts';

const OPEN_DAYS_MAX = 3;
const DAY_FILE = /^requests-(\d{4}-\d{2}-\d{2})\.db$/;
/** Bounds of one page, so that no search holds up the thread: some tens of milliseconds. */
const ROWS_PER_PAGE_MAX = 1000;
const SCAN_PER_PAGE_MAX = 20_000;
const DAYS_PER_PAGE_MAX = 7;
const CURSOR = /^req_[0-9a-f]{12}([0-9a-f]{20})?$/;
const CODE = /^[A-Z0-9_]{1,64}$/;

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

  /**
   * Keeps the batch as it is where its requests began within a short time of one day, which nearly all do: then an id
   * says which few batches may have it. Others, of long streams or over midnight, are kept row by row.
   */
  append(batch: Uint8Array): void {
    const head = readHead(batch);
    const [day, lastDay] = [dayOf(head.leastId), dayOf(head.greatestId)];
    if (day === undefined || lastDay === undefined) {
      const ids = `${head.leastId} and ${head.greatestId}`;
      throw new StoreError('invalid_argument', `${ids} are not both request ids of ours`);
    }
    if (day === lastDay && isNarrow(head)) this.#file(day).appendBatch(head, batch);
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

/** Ids begin with the time they were made at, so that a range of times is one of ids. */
function rangeOf(search: RequestSearch): IdRange {
  const problem = findProblem(search);
  if (problem !== undefined) throw new StoreError('invalid_argument', problem);
  const { from, to, cursor } = search;
  const end = idAt(to);
  return { least: idAt(from), before: cursor !== undefined && cursor < end ? cursor : end };
}

function findProblem({ from, to, limit, cursor, codes }: RequestSearch): string | undefined {
  const wrongTime = [from, to].find((time) => !isTime(time));
  if (wrongTime !== undefined) return `${wrongTime} is no time a request can be searched by`;
  if (!Number.isSafeInteger(limit) || limit < 1) return `${limit} rows are no page`;
  if (cursor !== undefined && !CURSOR.test(cursor)) return `${cursor} is not where a page ended`;
  const isBounded = codes === undefined || codes.length <= CODES_PER_SEARCH_MAX;
  if (isBounded && (codes ?? []).every((code) => CODE.test(code))) return undefined;
  return `codes are at most ${CODES_PER_SEARCH_MAX}, of capital letters, digits and _`;
}

function isTime(time: number): boolean {
  return Number.isSafeInteger(time) && time >= 0 && time <= MAX_TIME;
}

function isNarrow({ leastId, greatestId }: BatchHead): boolean {
  return timeOf(greatestId) - timeOf(leastId) <= SPAN_MAX_MS;
}
