import { type RateGrant, type RateState, reserveRate } from '../../domain/rate.ts';
import { StoreError } from '../store-error.ts';
import type { RateRequest, RateResult } from '../store.ts';

/** A bucket as it is kept. */
export interface RateRow {
  readonly bucketId: string;
  readonly debt: bigint;
  readonly at: number;
  readonly periodMs: number;
  /** Epoch ms from which it is full again, and as good as none. */
  readonly fullAt: number;
}

/** What a call takes of shared buckets (QUOTA-07), and the rows to write for it. `find` answers for a bucket never used, or full, with nothing. */
export function takeRates(
  requests: readonly RateRequest[],
  find: (bucketId: string) => RateState | undefined,
  now: number,
): { readonly results: readonly RateResult[]; readonly changed: readonly RateRow[] } {
  for (const request of requests) assertSensible(request);
  const take = (request: RateRequest, want: number): RateGrant =>
    reserveRate(find(request.bucketId), request, now, want);
  const grants = requests.map((request) => take(request, request.want));
  const isRefused = grants.some(({ retryAfterMs }) => retryAfterMs > 0);
  // A call that one bucket refuses takes of none.
  const given = isRefused ? requests.map((request) => take(request, 0)) : grants;
  const changed = requests.flatMap((request, index) => rowOf(request, given[index]));
  return { results: given.map(({ state: _state, ...result }) => result), changed };
}

function rowOf({ bucketId, count }: RateRequest, grant: RateGrant | undefined): readonly RateRow[] {
  if (grant === undefined || grant.granted === 0) return [];
  const { debt, at, periodMs } = grant.state;
  return [{ bucketId, debt, at, periodMs, fullAt: at + Number(debt / BigInt(count)) + 1 }];
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
