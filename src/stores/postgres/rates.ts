import type { RateState } from '../../domain/rate.ts';
import { takeRates } from '../ledger/rates.ts';
import type { RateRequest, RateResult } from '../store.ts';
import type { Database } from './database.ts';
import { Outdated } from './postgres-error.ts';
import { Statement } from './statement.ts';

/** A debt of some tokens over a long period passes what a safe integer holds, so it travels as a text. */
interface RateColumns {
  readonly bucket_id: string;
  readonly debt: string;
  readonly at: number;
  readonly period_ms: number;
}

const ADD = new Statement<never>(
  `INSERT INTO rates (bucket_id, debt, at, period_ms, full_at)
   SELECT bucket_id, 0, $2::bigint, 1, $2::bigint FROM unnest($1::text[]) AS wanted (bucket_id)
   ORDER BY bucket_id ON CONFLICT DO NOTHING`,
);
const LOCK = new Statement<RateColumns>(
  `SELECT bucket_id, debt::text AS debt, at, period_ms FROM rates
   WHERE bucket_id = ANY($1::text[]) ORDER BY bucket_id FOR UPDATE`,
);
const SAVE = new Statement<never>(
  'UPDATE rates SET debt = $2, at = $3, period_ms = $4, full_at = $5 WHERE bucket_id = $1',
);
const PRUNE = new Statement<never>('DELETE FROM rates WHERE full_at < $1::bigint');

/** Protective buckets shared by all processes (QUOTA-07), locked in the order of their ids. */
export function takeRate(
  database: Database,
  requests: readonly RateRequest[],
  now: number,
): Promise<readonly RateResult[]> {
  const ids = [...new Set(requests.map(({ bucketId }) => bucketId))];
  return database.write(async (transaction) => {
    transaction.send(ADD, ids, now);
    const rows = await transaction.query(LOCK, ids);
    // Between the two it was forgotten, because it was full.
    if (rows.length < ids.length) throw new Outdated('a rate was removed');
    const states = new Map(rows.map((row) => [row.bucket_id, stateOf(row)]));
    const { results, changed } = takeRates(requests, (id) => states.get(id), now);
    for (const { bucketId, debt, at, periodMs, fullAt } of changed) {
      transaction.send(SAVE, bucketId, debt, at, periodMs, fullAt);
    }
    return results;
  });
}

/** A full bucket is as good as none. */
export async function pruneRates(database: Database, before: number): Promise<void> {
  await database.query(PRUNE, before);
}

function stateOf({ debt, at, period_ms: periodMs }: RateColumns): RateState | undefined {
  return debt === '0' ? undefined : { debt: BigInt(debt), at, periodMs };
}
