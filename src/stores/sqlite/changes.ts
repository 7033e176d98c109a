import type { Change } from '../store.ts';
import type { Database, Statement } from './database.ts';

const CHANGES_PER_SYNC_MAX = 1000;

interface ChangeRow {
  readonly seq: number;
  readonly kind: Change['kind'];
  readonly id: string;
}

/** News for running gateways, numbered in order of commit. Runs inside its caller's transaction. */
export class Changes {
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

  after(seq: number): { readonly changes: readonly Change[]; readonly lastChange: number } {
    const rows = this.#after.all(seq);
    return {
      changes: rows.map(({ kind, id }) => ({ kind, id })),
      lastChange: rows.at(-1)?.seq ?? seq,
    };
  }
}
