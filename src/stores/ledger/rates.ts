import { type RateGrant, type RateState, reserveRates } from '../../domain/rate.ts';
import { assertRateRequest } from '../rate-terms.ts';
import type { RateRequest, RateResult } from '../store.ts';

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
  const asks = requests.map((terms) => ({ state: find(terms.bucketId), terms, want: terms.want }));
  const given = reserveRates(asks, now);
  const changed = requests.flatMap((request, index) => rowOf(request, given[index]));
  return { results: given.map(({ state: _state, ...result }) => result), changed };
}

function rowOf({ bucketId, count }: RateRequest, grant: RateGrant | undefined): readonly RateRow[] {
  if (grant === undefined || grant.granted === 0) return [];
  const { debt, at, periodMs } = grant.state;
  return [{ bucketId, debt, at, periodMs, fullAt: BigInt(at) + debt / BigInt(count) + 1n }];
}
