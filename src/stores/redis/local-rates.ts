import { type RateState, type RateTerms, reserveRate, reserveRates } from '../../domain/rate.ts';
import type { RateRequest, RateResult } from '../store.ts';

/** Buckets remembered. The one used longest ago is forgotten first, and is then full. */
export const LOCAL_BUCKETS_MAX = 100_000;

/** This process's part of each bucket while the shared ones cannot be reached. */
export class LocalRates {
  /** Least recently used first: a Map keeps the order of insertion. */
  readonly #buckets = new Map<string, RateState>();

  /** As RateStore.takeRate, over one of `processes` equal parts. */
  take(requests: readonly RateRequest[], processes: number, now: number): readonly RateResult[] {
    const asks = requests.map((request) => ({
      state: this.#buckets.get(request.bucketId),
      terms: partOf(request, processes),
      want: request.want,
    }));
    return reserveRates(asks, now).map(({ state, ...result }, index) => {
      this.#keep(requests[index]?.bucketId ?? '', state);
      return result;
    });
  }

  /** What was taken of the shared bucket is taken of the part, too: who has had its part does not get it again. */
  count({ granted, ...request }: CountedRate, processes: number, now: number): void {
    const { bucketId } = request;
    const known = this.#buckets.get(bucketId);
    this.#keep(bucketId, reserveRate(known, partOf(request, processes), now, granted).state);
  }

  #keep(bucketId: string, state: RateState): void {
    this.#buckets.delete(bucketId);
    if (this.#buckets.size >= LOCAL_BUCKETS_MAX) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    this.#buckets.set(bucketId, state);
  }
}

export type CountedRate = Omit<RateRequest, 'want'> & { readonly granted: number };

/** The n-th part of a rate is the same count in n times the period: nothing is rounded. Of a burst one call is left. */
function partOf({ count, periodMs, burst }: RateTerms, processes: number): RateTerms {
  return {
    count,
    periodMs: periodMs * processes,
    burst: Math.max(1, Math.floor(burst / processes)),
  };
}
