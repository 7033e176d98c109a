import type { BatchHead } from '../request-rows-reader.ts';
import type { SearchBounds, SearchResult } from '../request-search.ts';
import {
  type BatchesAsked,
  type BatchKind,
  endOfHolders,
  findInBatch,
  kindOf,
  LOOKED_AT_MAX,
  type StoredBatch,
  walkBatches,
} from '../request-walk.ts';
import type { RequestRow, RequestSearch } from '../store.ts';
import type { Database, Statement } from './database.ts';

/** Batches of rows as they came. `first_id` and `last_id` are the least and the greatest id of a batch. */
export class RequestBatches {
  readonly #insert: Statement<never>;
  readonly #holding: Statement<{ readonly seq: number }>;
  readonly #data: Statement<{ readonly data: Uint8Array }>;
  readonly #next: Readonly<Record<BatchKind, Statement<StoredBatch>>>;

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
    this.#next = {
      all: prepareNext(database, ''),
      refused: prepareNext(database, 'AND refused > 0'),
      observed: prepareNext(database, 'AND observed > 0'),
    };
  }

  /** A batch that is there already is not written again. */
  append(head: BatchHead, data: Uint8Array): void {
    const { leastId, greatestId, rows, refused, observed } = head;
    const batch = [leastId, greatestId, rows, refused, observed, data] as const;
    this.#insert.run(...batch, greatestId, leastId, data);
  }

  find(requestId: string): RequestRow | undefined {
    for (const { seq } of this.#holding.all(requestId, endOfHolders(requestId), requestId)) {
      const row = findInBatch(this.#data.get(seq), requestId);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  search(search: RequestSearch, bounds: SearchBounds): SearchResult {
    const next = this.#next[kindOf(search)];
    const walk = walkBatches(search, bounds);
    let step = walk.next();
    while (step.done !== true) step = walk.next(read(next, step.value));
    return step.value;
  }
}

/** `condition`: constant SQL. */
function prepareNext(database: Database, condition: string): Statement<StoredBatch> {
  return database.prepare(
    `SELECT seq, last_id, row_count, data FROM batches
     WHERE last_id >= ? AND last_id <= ? AND (last_id < ? OR seq < ?) AND first_id < ? ${condition}
     ORDER BY last_id DESC, seq DESC LIMIT ?`,
  );
}

function read(
  next: Statement<StoredBatch>,
  { least, before, lastId, seq, count }: BatchesAsked,
): readonly StoredBatch[] {
  return next.all(least, lastId, lastId, seq, before, count);
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
