import { type BatchHead, BatchRows, type FoundRow } from '../request-rows-reader.ts';
import type { RequestRow, RequestSearch } from '../store.ts';
import type { Database, Statement } from './database.ts';
import { idAfter, idAt, timeOf } from './request-ids.ts';
import {
  type DayResult,
  isFirstOfItsId,
  newestFirst,
  type RequestTable,
  type SearchBounds,
} from './request-search.ts';

/**
 * The requests of one batch began within this time. A batch that holds an id therefore ends at most so much later,
 * and only what began and ended around it has to be looked through: at 20,000 requests a second about as many batches
 * as were written while the request ran.
 */
export const SPAN_MAX_MS = 32_000;
/** What one look for an id may open: more than a gateway of ten workers writes in that time. */
export const LOOKED_AT_MAX = 4000;
/** Reading a batch costs as much as looking at so many of its rows. */
const ROWS_PER_READ = 4;
/** Batches read at a time: few are often enough, and many would be looked at beyond what a page may. */
const READ_LEAST = 2;
const READ_MOST = 8;

interface StoredBatch {
  readonly seq: number;
  readonly last_id: string;
  readonly row_count: number;
  readonly data: Uint8Array;
}

/**
 * Batches of rows as they came. `first_id` and `last_id` are the least and the greatest id of a batch, and `seq` the
 * order in which they were written: where a request is in two of them, the one before counts.
 */
export class RequestBatches implements RequestTable {
  readonly #insert: Statement<never>;
  readonly #holding: Statement<{ readonly seq: number }>;
  readonly #data: Statement<{ readonly data: Uint8Array }>;
  readonly #all: BatchWalk;
  readonly #refused: BatchWalk;
  readonly #observed: BatchWalk;

  constructor(database: Database) {
    database.write(() => prepareTable(database));
    this.#insert = database.prepare(
      `INSERT INTO batches (first_id, last_id, row_count, refused, observed, data)
       SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (
         SELECT 1 FROM batches WHERE last_id = ? AND first_id = ? AND data = ?)`,
    );
    this.#holding = database.prepare(
      `SELECT seq FROM batches WHERE last_id >= ? AND last_id < ? AND first_id <= ?
       ORDER BY seq LIMIT ${LOOKED_AT_MAX}`,
    );
    this.#data = database.prepare('SELECT data FROM batches WHERE seq = ?');
    this.#all = new BatchWalk(database, '');
    this.#refused = new BatchWalk(database, 'AND refused > 0');
    this.#observed = new BatchWalk(database, 'AND observed > 0');
  }

  /** A batch that is there already is not written again. */
  append(head: BatchHead, data: Uint8Array): void {
    const { leastId, greatestId, rows, refused, observed } = head;
    const batch = [leastId, greatestId, rows, refused, observed, data] as const;
    this.#insert.run(...batch, greatestId, leastId, data);
  }

  find(requestId: string): RequestRow | undefined {
    const end = idAt(timeOf(requestId) + SPAN_MAX_MS + 1);
    for (const { seq } of this.#holding.all(requestId, end, requestId)) {
      const batch = this.#data.get(seq);
      const row = batch && new BatchRows(batch.data).find(requestId);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  search(search: RequestSearch, bounds: SearchBounds): DayResult {
    if (search.observed === true) return this.#observed.run(search, bounds);
    return (search.codes === undefined ? this.#all : this.#refused).run(search, bounds);
  }
}

/**
 * Goes through batches by their greatest ids, newest first. All batches from some id on have been read when the next
 * one ends below it, so that rows above are known then, in order. No index but on where batches end, and on those
 * that hold what is rare.
 */
class BatchWalk {
  readonly #next: Statement<StoredBatch>;

  /** `condition`: constant SQL. */
  constructor(database: Database, condition: string) {
    this.#next = database.prepare(
      `SELECT seq, last_id, row_count, data FROM batches
       WHERE last_id >= ? AND last_id <= ? AND (last_id < ? OR seq < ?) AND first_id < ? ${condition}
       ORDER BY last_id DESC, seq DESC LIMIT ?`,
    );
  }

  run(search: RequestSearch, bounds: SearchBounds): DayResult {
    const { least, before, rowsMax, scanMax } = bounds;
    const { tenantId = '', keyId = '', codes, observed = false } = search;
    const filter = { least, before, tenantId, keyId, codes, observed };
    const found: FoundRow[] = [];
    let scanned = 0;
    let [lastId, seq] = [idAt(timeOf(before) + SPAN_MAX_MS + 1), 0];
    for (let count = READ_LEAST; ; count = Math.min(2 * count, READ_MOST)) {
      const batches = this.#next.all(least, lastId, lastId, seq, before, count);
      for (const batch of batches) {
        found.push(...new BatchRows(batch.data, batch.seq).select(filter));
        // Those that also hold what an earlier page showed do not count: every page gets on from where it began.
        if (batch.last_id < before) scanned += batch.row_count + ROWS_PER_READ;
      }
      const last = batches.at(-1);
      if (last === undefined || batches.length < count) return finish(found, scanned, '', rowsMax);
      ({ last_id: lastId, seq } = last);
      const isEnough = scanned >= scanMax || countAbove(found, lastId) >= rowsMax;
      if (isEnough && idAfter(lastId) < before) return finish(found, scanned, lastId, rowsMax);
    }
  }
}

function countAbove(found: readonly FoundRow[], id: string): number {
  let count = 0;
  for (const { requestId } of found) if (requestId > id) count += 1;
  return count;
}

/** `known`: all rows above this id are among those found. Empty = there are no others. */
function finish(
  found: readonly FoundRow[],
  scanned: number,
  known: string,
  rowsMax: number,
): DayResult {
  const above = found
    .filter(({ requestId }) => requestId > known)
    .toSorted((one, other) => newestFirst(one, other) || one.batch.seq - other.batch.seq)
    .filter(isFirstOfItsId);
  const rows = above.slice(0, rowsMax).map(({ batch, at }) => batch.read(at));
  const last = rows[rowsMax - 1];
  if (last !== undefined) return { rows, scanned, rest: last.requestId };
  return { rows, scanned, rest: known === '' ? undefined : idAfter(known) };
}

function prepareTable(database: Database): void {
  database.execute(
    `CREATE TABLE IF NOT EXISTS batches (
       seq integer PRIMARY KEY, first_id text NOT NULL, last_id text NOT NULL, row_count bigint NOT NULL,
       refused bigint NOT NULL, observed bigint NOT NULL, data blob NOT NULL
     )`,
  );
  const columns = 'batches (last_id, seq, first_id)';
  database.execute(`CREATE INDEX IF NOT EXISTS batches_ended ON ${columns}`);
  database.execute(`CREATE INDEX IF NOT EXISTS batches_refused ON ${columns} WHERE refused > 0`);
  database.execute(`CREATE INDEX IF NOT EXISTS batches_observed ON ${columns} WHERE observed > 0`);
}
