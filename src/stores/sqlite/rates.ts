import { type RateGrant, type RateState, reserveRate } from '../../domain/rate.ts';
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
    return this.#database.write(() => {
      const grants = requests.map((request) => this.#tryOne(request, request.want, now));
      const isRefused = grants.some(({ retryAfterMs }) => retryAfterMs > 0);
      // A call that one bucket refuses takes of none.
      const given = isRefused ? requests.map((request) => this.#tryOne(request, 0, now)) : grants;
      return given.map(({ state, ...result }, index) => {
        const request = requests[index];
        if (request !== undefined && result.granted > 0) this.#keep(request, state);
        return result;
      });
    });
  }

  /** A full bucket is as good as none. */
  prune(before: number): void {
    this.#prune.run(before);
  }

  #tryOne(request: RateRequest, want: number, now: number): RateGrant {
    assertSensible(request);
    const row = this.#select.get(request.bucketId);
    return reserveRate(row && toState(row), request, now, want);
  }

  #keep({ bucketId, count }: RateRequest, { debt, at, periodMs }: RateState): void {
    const fullAt = BigInt(at) + debt / BigInt(count) + 1n;
    this.#save.run(bucketId, debt, at, periodMs, fullAt);
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
