import { type RateGrant, type RateState, reserveRates } from '../../domain/rate.ts';
import { assertRateRequest } from '../rate-terms.ts';
import type { RateRequest, RateResult } from '../store.ts';

/** A clock that goes back by more was set. */
const CLOCK_STEP_MS = 5000;

/** A bucket as it is kept. */
export interface RateRow {
  readonly bucketId: string;
  readonly debt: bigint;
  readonly at: number;
  readonly periodMs: number;
  /** Epoch ms from which it is full again, and as good as none; may pass what a number holds exactly. */
  readonly fullAt: bigint;
}

/** What a call takes of shared buckets (QUOTA-07), and the rows to write for it. `find` answers for a bucket never used, or full, with nothing. */
export function takeRates(
  requests: readonly RateRequest[],
  find: (bucketId: string) => RateState | undefined,
  now: number,
): { readonly results: readonly RateResult[]; readonly changed: readonly RateRow[] } {
  for (const request of requests) assertRateRequest(request);
  const known = requests.map(({ bucketId }) => find(bucketId));
  const asks = requests.map((terms, index) => ({
    state: withoutFuture(known[index], now),
    terms,
    want: terms.want,
  }));
  const given = reserveRates(asks, now);
  const changed = requests.flatMap((request, index) => {
    const grant = given[index];
    const isKept = grant?.granted === 0 && asks[index]?.state === known[index];
    return grant === undefined || isKept ? [] : [rowOf(request, grant)];
  });
  return { results: given.map(({ state: _state, ...result }) => result), changed };
}

/**
 * The clock was set back: what is owed stays owed, and comes back from now on instead of once the old time is reached
 * again. Processes that share a store go by one clock to less than the step.
 */
function withoutFuture(state: RateState | undefined, now: number): RateState | undefined {
  return state !== undefined && state.at - now > CLOCK_STEP_MS ? { ...state, at: now } : state;
}

function rowOf({ bucketId, count }: RateRequest, { state }: RateGrant): RateRow {
  const { debt, at, periodMs } = state;
  return { bucketId, debt, at, periodMs, fullAt: BigInt(at) + debt / BigInt(count) + 1n };
}
