import type { RateState } from '../../domain/rate.ts';
import { takeRates } from '../ledger/rates.ts';
import type { RateRequest, RateResult } from '../store.ts';
import type { Database, Statement } from './database.ts';

interface RateColumns {
  readonly debt: bigint;
  readonly at: bigint;
  readonly period_ms: bigint;
}

/** Protective buckets shared by all processes (QUOTA-07). */
export class Rates {
  readonly #database: Database;
  readonly #select: Statement<RateColumns>;
  readonly #save: Statement<never>;
  readonly #prune: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#select = database.prepareBigInts(
      'SELECT debt, at, period_ms FROM rates WHERE bucket_id = ?',
    );
    this.#save = database.prepare(
      `INSERT INTO rates (bucket_id, debt, at, period_ms, full_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (bucket_id) DO UPDATE SET
         debt = excluded.debt, at = excluded.at, period_ms = excluded.period_ms, full_at = excluded.full_at`,
    );
    this.#prune = database.prepare('DELETE FROM rates WHERE full_at < ?');
  }

  take(requests: readonly RateRequest[], now: number): readonly RateResult[] {
    return this.#database.write(() => {
      const { results, changed } = takeRates(requests, (id) => this.#find(id), now);
      for (const { bucketId, debt, at, periodMs, fullAt } of changed) {
        this.#save.run(bucketId, debt, at, periodMs, fullAt);
      }
      return results;
    });
  }

  /** A full bucket is as good as none. */
  prune(before: number): void {
    this.#prune.run(before);
  }

  #find(bucketId: string): RateState | undefined {
    const row = this.#select.get(bucketId);
    return row && { debt: row.debt, at: Number(row.at), periodMs: Number(row.period_ms) };
  }
}
