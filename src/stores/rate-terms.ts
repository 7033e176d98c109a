import type { RateTerms } from '../domain/rate.ts';
import { StoreError } from './store-error.ts';
import type { RateRequest } from './store.ts';

/** Bounds of what the configuration lets a rate be; within them every adapter counts exactly. */
const MOST = { count: 1_000_000_000, periodMs: 86_400_000, burst: 1_000_000_000 } as const;

/** Throws `invalid_argument` for terms no bucket can have. */
export function assertRateRequest({ bucketId, want, count, periodMs, burst }: RateRequest): void {
  const terms: RateTerms = { count, periodMs, burst };
  for (const name of ['count', 'periodMs', 'burst'] as const) {
    if (isWholeWithin(terms[name], 1, MOST[name])) continue;
    fail(
      `${name} ${terms[name]} of rate ${bucketId} must be a whole number from 1 to ${MOST[name]}`,
    );
  }
  if (!isWholeWithin(want, 0, Number.MAX_SAFE_INTEGER)) {
    fail(`want ${want} of rate ${bucketId} must be a whole number and not negative`);
  }
}

function isWholeWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

function fail(message: string): never {
  throw new StoreError('invalid_argument', message);
}
