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
import type { Database, Statement } from './database.ts';

/**
 * Requests kept one by one: those that no narrow batch holds, and all of a day that an earlier version began.
 * The caller sees to transactions.
 */
export class SingleRows {
  readonly #insert: Statement<never>;
  readonly #select: Statement<LogRow>;
  readonly #all: DaySearch;
  readonly #observed: DaySearch;

  constructor(database: Database) {
    database.write(() => prepareTable(database));
    this.#insert = database.prepare(
      `INSERT INTO requests (${LOG_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#select = database.prepare(`SELECT ${LOG_COLUMNS} FROM requests WHERE request_id = ?`);
    this.#all = new DaySearch(database, 'code', '');
    this.#observed = new DaySearch(database, 'would_refuse', "AND would_refuse <> ''");
  }

  append(rows: readonly RequestRow[]): void {
    for (const row of rows) this.#insert.run(...logValues(row));
  }

  find(requestId: string): RequestRow | undefined {
    const row = this.#select.get(requestId);
    return row && toRow(row);
  }

  search(search: RequestSearch, bounds: SearchBounds): SearchResult {
    return (search.observed === true ? this.#observed : this.#all).run(search, bounds);
  }
}

/**
 * A bounded stretch of the day is cut out first and filtered then, so that a search for something rare takes no
 * longer than one for something frequent. No index but the one of observed refusals: it costs nothing for rows
 * that are not in it, and all others would cost every request.
 */
class DaySearch {
  readonly #cut: Statement<Stretch>;
  readonly #filter: Statement<LogRow>;

  /** `condition`: constant SQL. */
  constructor(database: Database, codeColumn: 'code' | 'would_refuse', condition: string) {
    this.#cut = database.prepare(
      `SELECT MIN(request_id) AS least, COUNT(*) AS scanned FROM (
         SELECT request_id FROM requests WHERE request_id >= ? AND request_id < ? ${condition}
         ORDER BY request_id DESC LIMIT ?)`,
    );
    this.#filter = database.prepare(
      `SELECT ${LOG_COLUMNS} FROM requests
       WHERE request_id >= ? AND request_id < ? ${condition}
         AND (? = '' OR tenant_id = ?)
         AND (? = '' OR instr(?, '|' || ${codeColumn} || '|') > 0)
         AND (? = '' OR instr(facts, ?) > 0)
       ORDER BY request_id DESC LIMIT ?`,
    );
  }

  run(search: RequestSearch, bounds: SearchBounds): SearchResult {
    const { least, scanned } = this.#cut.get(bounds.least, bounds.before, bounds.scanMax) ?? {};
    if (typeof least !== 'string' || scanned === undefined) {
      return { rows: [], scanned: 0, rest: undefined };
    }
    const { tenantId, keyId, codeList } = filterOf(search);
    const found = this.#filter.all(
      least,
      bounds.before,
      ...[tenantId, tenantId, codeList, codeList, keyId, keyId],
      bounds.rowsMax,
    );
    return concludeStretch(search, bounds, { least, scanned }, found);
  }
}

/** Makes the table, or gives that of an earlier version what it lacks: the day goes on when the program is renewed. */
function prepareTable(database: Database): void {
  database.execute(
    `CREATE TABLE IF NOT EXISTS requests (
       request_id text PRIMARY KEY, at bigint NOT NULL, tenant_id text NOT NULL, status bigint NOT NULL,
       code text NOT NULL, facts text NOT NULL
     ) WITHOUT ROWID`,
  );
  const added = "SELECT name FROM pragma_table_info('requests') WHERE name = 'would_refuse'";
  if (database.prepare(added).get() === undefined) {
    database.execute(`ALTER TABLE requests ADD COLUMN would_refuse text NOT NULL DEFAULT ''`);
  }
  database.execute(
    `CREATE INDEX IF NOT EXISTS requests_observed ON requests (request_id) WHERE would_refuse <> ''`,
  );
}
