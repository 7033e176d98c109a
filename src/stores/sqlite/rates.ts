import { type RateState, reserveRate } from '../../domain/rate.ts';
import { StoreError } from '../store-error.ts';
import type { RateRequest, RateResult } from '../store.ts';
import type { Database, Statement } from './database.ts';

interface RateRow {
  readonly debt: bigint;
  readonly at: bigint;
  readonly period_ms: bigint;
}

/** Protective buckets shared by all processes (QUOTA-07). */
export class Rates {
  readonly #database: Database;
  readonly #select: Statement<RateRow>;
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
    return this.#database.write(() => requests.map((request) => this.#takeOne(request, now)));
  }

  /** A full bucket is as good as none. */
  prune(before: number): void {
    this.#prune.run(before);
  }

  #takeOne(request: RateRequest, now: number): RateResult {
    assertSensible(request);
    const row = this.#select.get(request.bucketId);
    const { state, ...result } = reserveRate(row && toState(row), request, now, request.want);
    if (result.granted > 0) {
      const fullAt = BigInt(state.at) + state.debt / BigInt(request.count) + 1n;
      this.#save.run(request.bucketId, state.debt, state.at, state.periodMs, fullAt);
    }
    return result;
  }
}

function toState(row: RateRow): RateState {
  return { debt: row.debt, at: Number(row.at), periodMs: Number(row.period_ms) };
}

function assertSensible(request: RateRequest): void {
  const { count, periodMs, burst, want } = request;
  for (const [name, value] of Object.entries({ count, periodMs, burst, want })) {
    if (Number.isSafeInteger(value) && value >= (name === 'want' ? 0 : 1)) continue;
    throw new StoreError(
      'invalid_argument',
      `${name} ${value} of rate ${request.bucketId} must be a whole number and positive`,
    );
  }
}
