import type { Change } from '../store.ts';
import { type ChangeRow, type ChangeTable, CHANGES_PER_SYNC_MAX } from '../ledger/tables.ts';
import type { Database, Statement } from './database.ts';

/** The table of news, in which the only writer there is makes the next number. Runs inside its caller's transaction. */
export class SqliteChanges implements ChangeTable {
  readonly #newest: Statement<{ readonly seq: number }>;
  readonly #after: Statement<ChangeRow>;
  readonly #insert: Statement<never>;
  readonly #prune: Statement<never>;

  constructor(database: Database) {
    this.#newest = database.prepare('SELECT COALESCE(MAX(seq), 0) AS seq FROM changes');
    this.#after = database.prepare(
      `SELECT seq, kind, id FROM changes WHERE seq > ? ORDER BY seq LIMIT ${CHANGES_PER_SYNC_MAX}`,
    );
    this.#insert = database.prepare('INSERT INTO changes (seq, kind, id) VALUES (?, ?, ?)');
    this.#prune = database.prepare(
      `DELETE FROM changes WHERE seq < ? AND seq <= (
         SELECT COALESCE(MIN(seen_change), ?) FROM owners WHERE state = 'live')`,
    );
  }

  newest(): number {
    return this.#newest.get()?.seq ?? 0;
  }

  /** Also forgets what every live owner has seen, so that the table stays as long as the slowest is behind. */
  append(change: Change): void {
    const seq = this.newest() + 1;
    this.#insert.run(seq, change.kind, change.id);
    this.#prune.run(seq, seq);
  }

  after(seq: number): readonly ChangeRow[] {
    return this.#after.all(seq);
  }
}
