import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type RateState, type RateTerms, reserveRates } from '../domain/rate.ts';
import { failure, type Fixture, freshName, T0, useFixture } from './store-fixture.conformance.ts';
import type { RateRequest, RateResult, RateStore } from './store.ts';

/** A store of shared buckets that goes by the time its callers give. */
type OpenRates = () => Promise<Fixture<RateStore & { close(): Promise<void> }>>;

/** What a RateStore is (QUOTA-07): to the token what domain/rate.ts says, whoever asks. */
export function describeRates(open: OpenRates): void {
  describe('rates', () => {
    const database = useFixture(open);
    const bucket = { count: 10, periodMs: 1000, burst: 5 };

    it('QUOTA-07: processes share a bucket: together they get the burst, then the sustained rate', async () => {
      const stores = [database.store, await database.connect()];
      const request = { ...bucket, bucketId: freshName('rate'), want: 1 };
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, position) =>
          (stores[position % 2] ?? database.store).takeRate([request], T0),
        ),
      );
      const granted = results.flat().reduce((sum, result) => sum + result.granted, 0);
      expect(granted).toBe(5);
      const later = await database.store.takeRate([{ ...request, want: 50 }], T0 + 250);
      expect(later).toEqual([{ granted: 2, remaining: 0, retryAfterMs: 0 }]);
      const refused = await database.store.takeRate([request], T0 + 250);
      expect(refused).toEqual([{ granted: 0, remaining: 0, retryAfterMs: 50 }]);
    });

    it('a list is answered bucket by bucket', async () => {
      const [one, other] = [freshName('rate'), freshName('rate')];
      const results = await database.store.takeRate(
        [
          { ...bucket, bucketId: one, want: 9 },
          { ...bucket, bucketId: other, want: 2 },
        ],
        T0,
      );
      expect(results.map(({ granted, remaining }) => [granted, remaining])).toEqual([
        [5, 0],
        [2, 3],
      ]);
    });

    it('what one bucket refuses is taken of no other, and of none that is wanted it is told when there is one', async () => {
      const { store } = database;
      const [one, other] = [freshName('rate'), freshName('rate')];
      const both = (want: number) => [
        { ...bucket, bucketId: one, want },
        { ...bucket, bucketId: other, want },
      ];
      await store.takeRate([{ ...bucket, bucketId: one, want: 5 }], T0);
      const refused = [
        { granted: 0, remaining: 0, retryAfterMs: 100 },
        { granted: 0, remaining: 5, retryAfterMs: 0 },
      ];
      expect(await store.takeRate(both(1), T0)).toEqual(refused);
      expect(await store.takeRate(both(0), T0)).toEqual(refused);
      expect(await store.takeRate([{ ...bucket, bucketId: other, want: 9 }], T0)).toEqual([
        { granted: 5, remaining: 0, retryAfterMs: 0 },
      ]);
    });

    it.each([
      { count: 0 },
      { periodMs: 0 },
      { burst: 0 },
      { want: -1 },
      { count: 1.5 },
      { burst: 1_000_000_001 },
      { periodMs: 86_400_001 },
    ])('bad terms are refused: %o', async (wrong) => {
      const request = { ...bucket, bucketId: freshName('rate'), want: 1, ...wrong };
      await expect(database.store.takeRate([request], T0)).rejects.toMatchObject(
        failure('invalid_argument'),
      );
    });

    it('QUOTA-07: any list of calls is answered as domain/rate.ts answers it, with terms that change and clocks that go back', async () => {
      const checked = fc.assert(
        fc.asyncProperty(someCalls, async (calls) => {
          const names = [freshName('law'), freshName('law')];
          const model = new Map<string, RateState>();
          let now = T0;
          for (const { waitMs, asks } of calls) {
            now += waitMs;
            const requests = asks.map((ask, index) => ({ ...ask, bucketId: names[index] ?? '' }));
            // oxlint-disable-next-line no-await-in-loop -- one call after the other, as the model counts
            const results = await database.store.takeRate(requests, now);
            expect(results.map(boundWait)).toEqual(askModel(model, requests, now).map(boundWait));
          }
        }),
        { numRuns: 100 },
      );
      await expect(checked).resolves.toBeUndefined();
    }, 60_000);
  });
}

/** From the smallest terms to the largest: exactness ends where products no longer fit a double. */
const someTerms: fc.Arbitrary<RateTerms> = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1_000_000_000 })),
  periodMs: fc.oneof(
    fc.constantFrom(1000, 60_000, 86_400_000),
    fc.integer({ min: 1, max: 86_400_000 }),
  ),
  burst: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1_000_000_000 })),
});
const someAsk = fc.record({
  terms: fc.nat({ max: 2 }),
  want: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 1_000_000_000 })),
});
const someCalls = fc
  .record({
    terms: fc.array(someTerms, { minLength: 3, maxLength: 3 }),
    steps: fc.array(
      fc.record({
        waitMs: fc.oneof(fc.integer({ min: -50, max: 2000 }), fc.nat({ max: 200_000_000 })),
        asks: fc.array(someAsk, { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 15 },
    ),
  })
  .map(({ terms, steps }) =>
    steps.map(({ waitMs, asks }) => ({
      waitMs,
      asks: asks.map((ask) => ({ ...(terms[ask.terms] ?? PLAIN), want: ask.want })),
    })),
  );
const PLAIN: RateTerms = { count: 1, periodMs: 1000, burst: 1 };

/** A wait of 285,000 years is not told to the millisecond: it is no safe integer. */
function boundWait(result: RateResult): RateResult {
  return { ...result, retryAfterMs: Math.min(result.retryAfterMs, Number.MAX_SAFE_INTEGER) };
}

/** What domain/rate.ts answers; keeps what was taken. */
function askModel(model: Map<string, RateState>, requests: readonly RateRequest[], now: number) {
  const asks = requests.map((terms) => {
    return { state: model.get(terms.bucketId), terms, want: terms.want };
  });
  return reserveRates(asks, now).map(({ state, ...result }, index) => {
    if (result.granted > 0) model.set(requests[index]?.bucketId ?? '', state);
    return result;
  });
}
