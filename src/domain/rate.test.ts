import fc from 'fast-check';
import { expect, it } from 'vitest';

import { type RateState, type RateTerms, reserveRate, reserveRates } from './rate.ts';

const T0 = 1_793_700_000_000;
const termsOf = (count: number, periodMs: number, burst: number): RateTerms => ({
  count,
  periodMs,
  burst,
});
const someTerms = fc.record({
  count: fc.integer({ min: 1, max: 1_000_000 }),
  periodMs: fc.integer({ min: 1, max: 86_400_000 }),
  burst: fc.integer({ min: 1, max: 1000 }),
});
const steps = fc.array(
  fc.record({ waitMs: fc.nat({ max: 5000 }), want: fc.integer({ min: 0, max: 50 }) }),
  { maxLength: 60 },
);

it('QUOTA-07: a bucket never used gives exactly its burst at once', () => {
  const first = reserveRate(undefined, termsOf(3, 1000, 10), T0, 25);
  expect(first).toMatchObject({ granted: 10, remaining: 0, retryAfterMs: 0 });
  expect(reserveRate(first.state, termsOf(3, 1000, 10), T0, 1)).toMatchObject({
    granted: 0,
    remaining: 0,
    retryAfterMs: 334,
  });
});

it('QUOTA-07: 1000 s at 3 a second give 3000 and the burst, to the token, though 1000 ms are not divisible by 3', () => {
  const terms = termsOf(3, 1000, 5);
  let state: RateState | undefined;
  let granted = 0;
  for (let elapsedMs = 0; elapsedMs <= 1_000_000; elapsedMs += 7) {
    const result = reserveRate(state, terms, T0 + elapsedMs, 100);
    state = result.state;
    granted += result.granted;
  }
  expect(granted).toBe(5 + Math.floor((999_999 * 3) / 1000));
});

it('QUOTA-07: no interval ever gets more than burst + elapsed * rate', () => {
  fc.assert(
    fc.property(someTerms, steps, (terms, sequence) => {
      let state: RateState | undefined;
      let now = T0;
      const taken: { readonly at: number; readonly granted: number }[] = [];
      for (const step of sequence) {
        now += step.waitMs;
        const result = reserveRate(state, terms, now, step.want);
        state = result.state;
        taken.push({ at: now, granted: result.granted });
      }
      for (let from = 0; from < taken.length; from += 1) {
        let sum = 0n;
        for (const { at, granted } of taken.slice(from)) {
          sum += BigInt(granted);
          const elapsed = BigInt(at - (taken[from]?.at ?? 0));
          const allowed =
            BigInt(terms.burst) + (elapsed * BigInt(terms.count)) / BigInt(terms.periodMs);
          expect(sum <= allowed).toBe(true);
        }
      }
    }),
  );
});

it('QUOTA-07: it grants all that is wanted or all that is there', () => {
  fc.assert(
    fc.property(someTerms, steps, (terms, sequence) => {
      let state: RateState | undefined;
      let now = T0;
      for (const step of sequence) {
        now += step.waitMs;
        const before = reserveRate(state, terms, now, 0);
        const result = reserveRate(state, terms, now, step.want);
        expect(result.granted).toBe(Math.min(step.want, before.remaining));
        expect(result.remaining).toBe(before.remaining - result.granted);
        state = result.state;
      }
    }),
  );
});

it('QUOTA-07: after retryAfterMs a token is there, and a millisecond earlier it is not', () => {
  fc.assert(
    fc.property(someTerms, fc.nat({ max: 100_000 }), (terms, waitMs) => {
      const drained = reserveRate(undefined, terms, T0, terms.burst).state;
      const refused = reserveRate(drained, terms, T0 + waitMs, 1);
      if (refused.granted === 1) return;
      const readyAt = T0 + waitMs + refused.retryAfterMs;
      expect(reserveRate(refused.state, terms, readyAt - 1, 1).granted).toBe(0);
      expect(reserveRate(refused.state, terms, readyAt, 1).granted).toBe(1);
    }),
  );
});

it('a clock that goes back refills nothing and adds its step to the wait', () => {
  const terms = termsOf(1, 1000, 1);
  const taken = reserveRate(undefined, terms, T0, 1).state;
  const refused = reserveRate(taken, terms, T0 - 400, 1);
  expect(refused).toMatchObject({ granted: 0, retryAfterMs: 1400 });
  expect(refused.state).toEqual(taken);
});

it('changed terms keep what is owed: tokens taken stay taken', () => {
  const taken = reserveRate(undefined, termsOf(10, 1000, 10), T0, 10).state;
  expect(reserveRate(taken, termsOf(10, 60_000, 10), T0, 1).granted).toBe(0);
  expect(reserveRate(taken, termsOf(10, 60_000, 15), T0, 10).granted).toBe(5);
  expect(reserveRate(taken, termsOf(1, 7, 10), T0, 1).granted).toBe(0);
});

it('changed terms round what is owed up: a reload never brings a token sooner', () => {
  const terms = termsOf(3, 1000, 1);
  const taken = reserveRate(undefined, terms, T0, 1).state;
  const later = reserveRate(taken, terms, T0 + 1, 0).state;
  // 997 thousandths of a token are 6.979 sevenths, of which a millisecond works off three.
  expect(reserveRate(later, termsOf(3, 7, 1), T0 + 1, 1)).toMatchObject({
    granted: 0,
    retryAfterMs: 3,
  });
});

it.each([1, 1000])(
  'QUOTA-07: a burst lowered below what is owed gives nothing until that is worked off, %i ms a token',
  (periodMs) => {
    const taken = reserveRate(undefined, termsOf(1, periodMs, 10), T0, 8).state;
    const lowered = termsOf(1, periodMs, 2);
    const refused = reserveRate(taken, lowered, T0, 5);
    expect(refused).toEqual({
      state: taken,
      granted: 0,
      remaining: 0,
      retryAfterMs: 7 * periodMs,
    });
    expect(reserveRate(taken, lowered, T0 + 7 * periodMs, 5).granted).toBe(1);
  },
);

it('QUOTA-07: of several buckets at once all give or none does', () => {
  const terms = termsOf(1, 1000, 2);
  const drained = reserveRate(undefined, terms, T0, 2).state;
  const asks = [undefined, drained].map((state) => ({ state, terms, want: 1 }));
  expect(reserveRates(asks, T0)).toMatchObject([
    { granted: 0, remaining: 2, retryAfterMs: 0 },
    { granted: 0, remaining: 0, retryAfterMs: 1000 },
  ]);
  expect(reserveRates(asks, T0 + 1000)).toMatchObject([
    { granted: 1, remaining: 1 },
    { granted: 1, remaining: 0 },
  ]);
});
