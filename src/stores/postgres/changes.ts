import { type ChangeRow, type ChangeTable, CHANGES_PER_SYNC_MAX } from '../ledger/tables.ts';
import type { Change } from '../store.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const NEWEST = new Statement<{ readonly newest: number }>('SELECT newest FROM news WHERE id = 1');
const LOCK = new Statement<{ readonly newest: number }>(
  'SELECT newest FROM news WHERE id = 1 FOR UPDATE',
);
const AFTER = new Statement<ChangeRow>(
  `SELECT seq, kind, id FROM changes
   WHERE seq > GREATEST($1::bigint, (SELECT seen_change FROM owners WHERE id = $2))
   ORDER BY seq LIMIT ${CHANGES_PER_SYNC_MAX}`,
);
const APPEND = new Statement<never>(
  `WITH counted AS (UPDATE news SET newest = newest + $1::bigint WHERE id = 1 RETURNING newest)
   INSERT INTO changes (seq, kind, id)
   SELECT counted.newest - $1::bigint + added.place, added.kind, added.id
   FROM counted, unnest($2::text[], $3::text[]) WITH ORDINALITY AS added (kind, id, place)`,
);
const PRUNE = new Statement<never>(
  `DELETE FROM changes USING news
   WHERE news.id = 1 AND changes.seq < news.newest AND changes.seq <= COALESCE(
     (SELECT MIN(seen_change) FROM owners WHERE state = 'live'), news.newest)`,
);

/**
 * News. The one row of `news` is locked by everybody who has some, so that its numbers are in the order of commits: who
 * has seen one has seen all before it. It is the last lock of a transaction about money, and the first of others.
 */
export class PostgresChanges implements ChangeTable {
  #known: readonly ChangeRow[] = [];
  readonly #appended: Change[] = [];

  /** What an owner has not seen: after `seq`, and after what it said last. */
  async load(transaction: Transaction, seq: number, owner: string): Promise<void> {
    this.#known = await transaction.query(AFTER, seq, owner);
  }

  append(change: Change): void {
    this.#appended.push(change);
  }

  after(seq: number): readonly ChangeRow[] {
    return this.#known.filter((change) => change.seq > seq);
  }

  flush(transaction: Transaction): void {
    if (this.#appended.length > 0) appendChanges(transaction, this.#appended);
  }
}

/** Also forgets what every live owner has seen, so that the table stays as long as the slowest is behind. */
export function appendChanges(transaction: Transaction, changes: readonly Change[]): void {
  const kinds = changes.map(({ kind }) => kind);
  const ids = changes.map(({ id }) => id);
  transaction.send(APPEND, changes.length, kinds, ids);
  transaction.send(PRUNE);
}

/** Until the end of the transaction nobody else has news. Returns the number of the newest. */
export async function lockNews(transaction: Transaction): Promise<number> {
  const [news] = await transaction.query(LOCK);
  return news?.newest ?? 0;
}

export async function newestChange(database: Database): Promise<number> {
  const [news] = await database.query(NEWEST);
  return news?.newest ?? 0;
}
