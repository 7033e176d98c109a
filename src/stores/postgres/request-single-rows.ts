import { dayAt, timeOf } from '../request-ids.ts';
import type { SearchBounds, SearchResult } from '../request-search.ts';
import {
  concludeStretch,
  filterOf,
  LOG_COLUMNS,
  type LogRow,
  logValues,
  type Stretch,
  toRow,
} from '../request-single-rows.ts';
import type { RequestRow, RequestSearch } from '../store.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const PRUNE_BATCH = 5000;
const ADD = new Statement<never>(
  `INSERT INTO requests (${LOG_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
);
const SELECT = new Statement<LogRow>(`SELECT ${LOG_COLUMNS} FROM requests WHERE request_id = $1`);
const PRUNE = new Statement<{ readonly request_id: string }>(
  `DELETE FROM requests WHERE request_id IN (
     SELECT request_id FROM requests WHERE request_id < $1 ORDER BY request_id LIMIT ${PRUNE_BATCH})
   RETURNING request_id`,
);
const ALL = statementsOf('code', '');
const OBSERVED = statementsOf('would_refuse', "AND would_refuse <> ''");

/** `condition`: constant SQL. A bounded stretch is cut out first and filtered then, as SQLite does. */
function statementsOf(codeColumn: 'code' | 'would_refuse', condition: string) {
  const cut = new Statement<Stretch>(
    `SELECT MIN(request_id) AS least, COUNT(*) AS scanned FROM (
       SELECT request_id FROM requests WHERE request_id >= $1 AND request_id < $2 ${condition}
       ORDER BY request_id DESC LIMIT $3) AS stretch`,
  );
  const filter = new Statement<LogRow>(
    `SELECT ${LOG_COLUMNS} FROM requests
     WHERE request_id >= $1 AND request_id < $2 ${condition}
       AND ($3::text = '' OR tenant_id = $3::text)
       AND ($4::text = '' OR strpos($4::text, '|' || ${codeColumn} || '|') > 0)
       AND ($5::text = '' OR strpos(facts, $5::text) > 0)
     ORDER BY request_id DESC LIMIT $6`,
  );
  return { cut, filter };
}

/** Requests kept one by one: those that no narrow batch holds. */
export class SingleRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(rows: readonly RequestRow[]): Promise<void> {
    // In one order everywhere: two that append the same rows do not wait for each other.
    const ordered = rows.toSorted((one, other) => (one.requestId < other.requestId ? -1 : 1));
    return this.#database.write((transaction) => {
      for (const row of ordered) transaction.send(ADD, ...logValues(row));
      return Promise.resolve();
    });
  }

  async find(requestId: string): Promise<RequestRow | undefined> {
    const [row] = await this.#database.query(SELECT, requestId);
    return row && toRow(row);
  }

  /** Deletes one bounded batch of those before this id. Returns the days of what it deleted. */
  async prune(before: string): Promise<readonly string[]> {
    const removed = await this.#database.query(PRUNE, before);
    return removed.map(({ request_id }) => dayAt(timeOf(request_id)));
  }
}

export async function searchRows(
  transaction: Transaction,
  search: RequestSearch,
  bounds: SearchBounds,
): Promise<SearchResult> {
  const { cut, filter } = search.observed === true ? OBSERVED : ALL;
  const [stretch] = await transaction.query(cut, bounds.least, bounds.before, bounds.scanMax);
  if (stretch === undefined || stretch.least === null) {
    return { rows: [], scanned: 0, rest: undefined };
  }
  const { least, scanned } = stretch;
  const { tenantId, keyId, codeList } = filterOf(search);
  const found = await transaction.query(
    filter,
    least,
    bounds.before,
    ...[tenantId, codeList, keyId, bounds.rowsMax],
  );
  return concludeStretch(search, bounds, { least, scanned }, found);
}
