import { dayAt, timeOf } from '../request-ids.ts';
import type { BatchHead } from '../request-rows-reader.ts';
import type { SearchBounds, SearchResult } from '../request-search.ts';
import {
  type BatchKind,
  endOfHolders,
  findInBatch,
  kindOf,
  LOOKED_AT_MAX,
  type StoredBatch,
  walkBatches,
} from '../request-walk.ts';
import type { RequestRow, RequestSearch } from '../store.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const PRUNE_BATCH = 500;
const ADD = new Statement<never>(
  `INSERT INTO request_batches (first_id, last_id, row_count, refused, observed, data)
   SELECT $1::text, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::bytea WHERE NOT EXISTS (
     SELECT 1 FROM request_batches WHERE last_id = $2::text AND first_id = $1::text AND data = $6::bytea)`,
);
const HOLDING = new Statement<{ readonly seq: number }>(
  `SELECT seq FROM request_batches WHERE last_id >= $1 AND last_id < $2 AND first_id <= $1
   ORDER BY seq LIMIT ${LOOKED_AT_MAX}`,
);
const DATA = new Statement<{ readonly data: Uint8Array }>(
  'SELECT data FROM request_batches WHERE seq = $1',
);
const NEXT: Readonly<Record<BatchKind, Statement<StoredBatch>>> = {
  all: nextOf(''),
  refused: nextOf('AND refused > 0'),
  observed: nextOf('AND observed > 0'),
};
const PRUNE = new Statement<{ readonly last_id: string }>(
  `DELETE FROM request_batches WHERE seq IN (
     SELECT seq FROM request_batches WHERE last_id < $1 ORDER BY last_id LIMIT ${PRUNE_BATCH})
   RETURNING last_id`,
);

/** `condition`: constant SQL. */
function nextOf(condition: string): Statement<StoredBatch> {
  return new Statement(
    `SELECT seq, last_id, row_count, data FROM request_batches
     WHERE last_id >= $1 AND last_id <= $2 AND (last_id < $2 OR seq < $3) AND first_id < $4 ${condition}
     ORDER BY last_id DESC, seq DESC LIMIT $5`,
  );
}

/** Batches of rows as they came. `first_id` and `last_id` are the least and the greatest id of a batch. */
export class RequestBatches {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A batch that is there already is not written again. */
  async append(head: BatchHead, data: Uint8Array): Promise<void> {
    const { leastId, greatestId, rows, refused, observed } = head;
    await this.#database.query(ADD, leastId, greatestId, rows, refused, observed, data);
  }

  async find(requestId: string): Promise<RequestRow | undefined> {
    for (const { seq } of await this.#database.query(HOLDING, requestId, endOfHolders(requestId))) {
      // oxlint-disable-next-line no-await-in-loop -- the first that has it is enough, and each is large
      const [batch] = await this.#database.query(DATA, seq);
      const row = findInBatch(batch, requestId);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  /** Deletes one bounded batch of those of days before this id. Returns the days of what it deleted. */
  async prune(before: string): Promise<readonly string[]> {
    const removed = await this.#database.query(PRUNE, before);
    return removed.map(({ last_id }) => dayAt(timeOf(last_id)));
  }
}

export async function searchBatches(
  transaction: Transaction,
  search: RequestSearch,
  bounds: SearchBounds,
): Promise<SearchResult> {
  const next = NEXT[kindOf(search)];
  const walk = walkBatches(search, bounds);
  let step = walk.next();
  while (step.done !== true) {
    const { least, before, lastId, seq, count } = step.value;
    // oxlint-disable-next-line no-await-in-loop -- what is asked next depends on the answer
    step = walk.next(await transaction.query(next, least, lastId, seq, before, count));
  }
  return step.value;
}
