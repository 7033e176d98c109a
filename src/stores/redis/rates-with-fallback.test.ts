import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StoreError } from '../store-error.ts';
import { T0 } from '../store-fixture.conformance.ts';
import type { RateRequest, RateResult } from '../store.ts';
import { LOCAL_BUCKETS_MAX, LocalRates } from './local-rates.ts';
import { type LosableRates, RatesWithFallback } from './rates-with-fallback.ts';

/** Shared buckets of one machine that can be taken away: what is looked at here is who goes on without them. */
class FragileRates implements LosableRates {
  readonly #buckets = new LocalRates();
  trouble: string | undefined;
  processes = 2;
  asked = 0;
  beats = 0;

  takeRate(requests: readonly RateRequest[], now: number): Promise<readonly RateResult[]> {
    this.asked += 1;
    return this.#answer(() => this.#buckets.take(requests, 1, now));
  }
  beat(): Promise<number> {
    this.beats += 1;
    return this.#answer(() => this.processes);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  #answer<T>(value: () => T): Promise<T> {
    if (this.trouble === undefined) return Promise.resolve(value());
    return Promise.reject(new StoreError('unavailable', this.trouble));
  }
}

interface Process {
  readonly rates: RatesWithFallback;
  readonly heard: string[];
  readonly look: () => Promise<void>;
  readonly take: (request: RateRequest, now?: number) => Promise<number>;
}

async function startProcess(
  shared: LosableRates,
  { processes = 1, clock = new ManualClock() } = {},
): Promise<Process> {
  const heard: string[] = [];
  const rates = new RatesWithFallback({
    shared,
    processes,
    clock,
    events: {
      onLost: (reason) => heard.push(`lost: ${reason}`),
      onFound: () => heard.push('found'),
      onCounted: (count) => heard.push(`counted ${count}`),
    },
  });
  await rates.look();
  return {
    rates,
    heard,
    look: () => rates.look(),
    take: async (request, now = T0) => (await rates.takeRate([request], now))[0]?.granted ?? -1,
  };
}

const DAY_MS = 86_400_000;
const bucket = { bucketId: 'rate', count: 1, periodMs: DAY_MS, burst: 40, want: 1 };

describe('shared buckets that are lost (QUOTA-07)', () => {
  it('the parts of all processes add up to the limit, and what one has had of the shared bucket is of its part', async () => {
    const shared = new FragileRates();
    const [one, other] = [await startProcess(shared), await startProcess(shared)];
    expect(await one.take({ ...bucket, want: 12 })).toBe(12);
    shared.trouble = 'gone';
    expect(await one.take({ ...bucket, want: 100 })).toBe(8);
    expect(await other.take({ ...bucket, want: 100 })).toBe(20);
    expect([await one.take(bucket), await other.take(bucket)]).toEqual([0, 0]);
  });

  it('a part refills at its part of the rate', async () => {
    const shared = new FragileRates();
    const { take } = await startProcess(shared);
    shared.trouble = 'gone';
    const rate = { ...bucket, count: 10, periodMs: 1000, burst: 4, want: 100 };
    expect(await take(rate)).toBe(2);
    expect([await take(rate, T0 + 199), await take(rate, T0 + 200)]).toEqual([0, 1]);
  });

  it('a burst that is smaller than the number of processes leaves each of them one call', async () => {
    const shared = new FragileRates();
    shared.processes = 5;
    const { take } = await startProcess(shared);
    shared.trouble = 'gone';
    expect([await take({ ...bucket, burst: 3 }), await take({ ...bucket, burst: 3 })]).toEqual([
      1, 0,
    ]);
  });

  it('a list is taken all or none of the parts, too', async () => {
    const shared = new FragileRates();
    const { rates, take } = await startProcess(shared);
    shared.trouble = 'gone';
    await take({ ...bucket, want: 20 });
    const wide = { ...bucket, bucketId: 'wide', burst: 100 };
    const both = await rates.takeRate([wide, bucket], T0);
    expect(both.map(({ granted }) => granted)).toEqual([0, 0]);
    expect(await take({ ...wide, want: 100 })).toBe(50);
  });

  it('a loss is told once, the store is then asked only whether it is back, and that is told once, too', async () => {
    const shared = new FragileRates();
    const { heard, take, look } = await startProcess(shared);
    shared.trouble = 'connect ECONNREFUSED';
    for (let call = 0; call < 3; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await take(bucket);
    }
    await look();
    expect([shared.asked, shared.beats]).toEqual([1, 2]);
    expect(heard).toEqual(['counted 2', 'lost: connect ECONNREFUSED']);
    shared.trouble = undefined;
    await look();
    await take(bucket);
    expect(shared.asked).toBe(2);
    expect(heard.slice(2)).toEqual(['counted 2', 'found']);
  });

  it('a process that starts without the store goes by the processes it was told of', async () => {
    const shared = new FragileRates();
    shared.trouble = 'not connected yet';
    const { heard, take } = await startProcess(shared, { processes: 4 });
    expect(heard).toEqual(['lost: not connected yet']);
    expect(await take({ ...bucket, want: 100 })).toBe(10);
  });

  it('more processes count at once, fewer only after 10 s: others may be late after an outage', async () => {
    const shared = new FragileRates();
    const clock = new ManualClock();
    const { heard, look } = await startProcess(shared, { clock });
    const hear = async (processes: number, afterMs: number): Promise<string | undefined> => {
      clock.advance(afterMs);
      shared.processes = processes;
      await look();
      return heard.at(-1);
    };
    expect(await hear(8, 0)).toBe('counted 8');
    expect(await hear(1, 1000)).toBe('counted 8');
    expect(await hear(8, 9000)).toBe('counted 8');
    expect(await hear(3, 5000)).toBe('counted 8');
    expect(await hear(4, 9999)).toBe('counted 8');
    expect(await hear(4, 1)).toBe('counted 4');
  });

  it('bad terms are the fault of the caller and no loss', async () => {
    const { rates, heard } = await startProcess({
      takeRate: () => Promise.reject(new StoreError('invalid_argument', 'burst 0')),
      beat: () => Promise.resolve(1),
      close: () => Promise.resolve(),
    });
    await expect(rates.takeRate([bucket], T0)).rejects.toThrow('burst 0');
    expect(heard).toEqual(['counted 1']);
  });

  it('bound: of more buckets than it keeps, the one used longest ago is forgotten', () => {
    const local = new LocalRates();
    const drain = (bucketId: string): number =>
      local.take([{ ...bucket, bucketId, burst: 1 }], 1, T0)[0]?.granted ?? -1;
    for (let index = 0; index < LOCAL_BUCKETS_MAX; index += 1) drain(`rate:${index}`);
    expect([drain('rate:0'), drain('rate:new'), drain('rate:1')]).toEqual([0, 1, 1]);
    expect(drain('rate:0')).toBe(0);
  }, 60_000);
});

it('QUOTA-07: whatever is lost and found, each change gives at most one more burst, and time no more than the rate', async () => {
  const someTerms = fc.record({
    count: fc.integer({ min: 1, max: 20 }),
    periodMs: fc.constantFrom(100, 1000, 60_000),
    burst: fc.integer({ min: 1, max: 30 }),
  });
  const someSteps = fc.array(
    fc.record({
      process: fc.nat({ max: 2 }),
      waitMs: fc.nat({ max: 1500 }),
      want: fc.nat({ max: 40 }),
      turns: fc.boolean(),
    }),
    { maxLength: 25 },
  );
  const checked = fc.assert(
    fc.asyncProperty(someTerms, someSteps, async (terms, steps) => {
      const shared = new FragileRates();
      shared.processes = 3;
      const processes = await Promise.all([0, 1, 2].map(() => startProcess(shared)));
      const burst = Math.max(terms.burst, processes.length);
      let [now, served, stretches] = [T0, 0, 1];
      for (const { process, waitMs, want, turns } of steps) {
        now += waitMs;
        if (turns) {
          shared.trouble = shared.trouble === undefined ? 'gone' : undefined;
          stretches += 1;
          await Promise.all(processes.map(({ look }) => look()));
        }
        served += (await processes[process]?.take({ ...terms, bucketId: 'law', want }, now)) ?? 0;
        const earned = ((now - T0) * terms.count) / terms.periodMs;
        expect(served).toBeLessThanOrEqual(stretches * burst + earned);
        expect(served).toBeLessThanOrEqual(2 * (burst + earned));
      }
    }),
    { numRuns: 150 },
  );
  await expect(checked).resolves.toBeUndefined();
}, 60_000);
