import { expect, it } from 'vitest';

import type { RateState } from '../../domain/rate.ts';
import { takeRates } from './rates.ts';

const NOW = 1_793_700_000_000;
const HOUR_MS = 3_600_000;
const TERMS = { bucketId: 'b', count: 10, periodMs: 1000, burst: 5, want: 5 };

/** A store of one bucket. */
function openBucket() {
  let state: RateState | undefined;
  return (now: number) => {
    const { results, changed } = takeRates([TERMS], () => state, now);
    for (const row of changed) state = row;
    return results[0];
  };
}

it('a bucket that was emptied before the clock was set back comes back from then on, not when the old time is reached', () => {
  const take = openBucket();
  expect(take(NOW)).toMatchObject({ granted: 5 });
  expect(take(NOW - HOUR_MS)).toMatchObject({ granted: 0, retryAfterMs: 100 });
  expect(take(NOW - HOUR_MS + 200)).toMatchObject({ granted: 2 });
  // Nothing is given twice when the clock is right again: it is full at most.
  expect(take(NOW)).toMatchObject({ granted: 5 });
  expect(take(NOW)).toMatchObject({ granted: 0 });
});

it('clocks that differ a little give nothing away, however often they take turns', () => {
  const take = openBucket();
  expect(take(NOW)).toMatchObject({ granted: 5 });
  let granted = 0;
  for (let turn = 0; turn < 100; turn += 1) granted += take(NOW - (turn % 2) * 4000)?.granted ?? 0;
  expect(granted).toBe(0);
});
