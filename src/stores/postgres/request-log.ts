import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, createClock } from '../../platform/clock.ts';
import { dayAt, dayOf, firstIdOf } from '../request-ids.ts';
import { decodeRows } from '../request-rows.ts';
import { readHead } from '../request-rows-reader.ts';
import { joinResults, rangeOf, ROWS_PER_PAGE_MAX, SCAN_PER_PAGE_MAX } from '../request-search.ts';
import { isKeptWhole } from '../request-walk.ts';
import type { RequestPage, RequestRow, RequestSearch } from '../store.ts';
import { StoreError } from '../store-error.ts';
import type { Database } from './database.ts';
import { RequestBatches, searchBatches } from './request-batches.ts';
import { searchRows, SingleRows } from './request-single-rows.ts';

/** A server that restarts, or fails over to another, is back by then. */
const AWAY_MS_MAX = 10_000;
const PAUSE_MS = 250;

/** The request log (OBS-01): nearly all in batches, the others row by row. */
export class RequestLog {
  readonly #database: Database;
  readonly #batches: RequestBatches;
  readonly #rows: SingleRows;
  readonly #clock: Clock;
  /** Monotonic milliseconds; undefined = it took the last batch. */
  #awaySinceMs: number | undefined = undefined;

  constructor(database: Database, clock: Clock = createClock()) {
    this.#database = database;
    this.#clock = clock;
    this.#batches = new RequestBatches(database);
    this.#rows = new SingleRows(database);
  }

  /**
   * Nobody else has these rows: they wait for a server that is away, though not for ever. A connection that broke may have
   * written them, which makes no difference: what is there is not written again.
   */
  async append(batch: Uint8Array): Promise<void> {
    try {
      await this.#appendOnce(batch);
      this.#awaySinceMs = undefined;
    } catch (error) {
      if (!this.#mayComeBack(error)) throw error;
      await sleep(PAUSE_MS);
      await this.append(batch);
    }
  }

  /** Counted from the first batch it did not take: those that wait behind it do not wait as long again each. */
  #mayComeBack(error: unknown): boolean {
    if (!(error instanceof StoreError) || error.code !== 'unavailable') return false;
    const nowMs = this.#clock.monotonicMs();
    this.#awaySinceMs ??= nowMs;
    return nowMs - this.#awaySinceMs < AWAY_MS_MAX;
  }

  #appendOnce(batch: Uint8Array): Promise<void> {
    const head = readHead(batch);
    if (isKeptWhole(head)) return this.#batches.append(head, batch);
    return this.#rows.append(decodeRows(batch));
  }

  async find(requestId: string): Promise<RequestRow | undefined> {
    if (dayOf(requestId) === undefined) return undefined;
    return (await this.#batches.find(requestId)) ?? this.#rows.find(requestId);
  }

  search(search: RequestSearch): Promise<RequestPage> {
    const range = rangeOf(search);
    const rowsMax = Math.min(search.limit, ROWS_PER_PAGE_MAX);
    const bounds = { ...range, rowsMax, scanMax: SCAN_PER_PAGE_MAX };
    return this.#database.read(async (transaction) => {
      const [batches, single] = await Promise.all([
        searchBatches(transaction, search, bounds),
        searchRows(transaction, search, bounds),
      ]);
      const { rows, rest } = joinResults(batches, single, rowsMax);
      return { rows, cursor: rest };
    });
  }

  /** Deletes in bounded batches, so that it holds up nobody. */
  async prune(before: number): Promise<number> {
    const firstKept = firstIdOf(dayAt(before));
    const pruned = new Set<string>();
    for (const table of [this.#batches, this.#rows]) {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- one batch after the other
        const days = await table.prune(firstKept);
        if (days.length === 0) break;
        for (const day of days) pruned.add(day);
      }
    }
    return pruned.size;
  }
}
