import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PERIOD_NAMES } from '../contract/phrases/phrasebook.ts';
import {
  isSliding,
  recordSliding,
  SLIDING_WINDOWS,
  slideTo,
  slidingFreeAt,
  type SlidingTerms,
  slidingPeriodMs,
  slidingResetsAt,
  slidingWindowOf,
  type SubUsage,
  SUB_WINDOWS_MAX,
} from './sliding-window.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const HOURLY: SlidingTerms = { amount: 1000, periodMs: HOUR_MS };
const NOON = Date.parse('2026-11-03T12:00:00Z');

it('QUOTA-02: units come free a period after the sub-window they were settled in', () => {
  const usage = recordSliding([], HOURLY, NOON + 30_000, 400);
  expect(usage).toEqual([{ endsAt: NOON + MINUTE_MS, used: 400 }]);
  expect(slideTo(usage, HOURLY, NOON + HOUR_MS + MINUTE_MS - 1).used).toBe(400);
  expect(slideTo(usage, HOURLY, NOON + HOUR_MS + MINUTE_MS)).toEqual({ used: 0, usage: [] });
});

it('settlements of one sub-window are one entry, and late ones of another clock join the newest', () => {
  const first = recordSliding([], HOURLY, NOON, 1);
  const second = recordSliding(first, HOURLY, NOON + MINUTE_MS - 1, 2);
  const third = recordSliding(second, HOURLY, NOON + MINUTE_MS, 4);
  const late = recordSliding(third, HOURLY, NOON - MINUTE_MS, 8);
  expect(late).toEqual([
    { endsAt: NOON + MINUTE_MS, used: 3 },
    { endsAt: NOON + 2 * MINUTE_MS, used: 12 },
  ]);
});

describe('QUOTA-05: when units are there again', () => {
  const usage: readonly SubUsage[] = [
    { endsAt: NOON + MINUTE_MS, used: 300 },
    { endsAt: NOON + 5 * MINUTE_MS, used: 600 },
  ];
  it.each([
    [100, 0, 6 * MINUTE_MS],
    [101, 0, HOUR_MS + MINUTE_MS],
    [400, 0, HOUR_MS + MINUTE_MS],
    [401, 0, HOUR_MS + 5 * MINUTE_MS],
    [100, 1, HOUR_MS + MINUTE_MS],
    [1000, 0, HOUR_MS + 5 * MINUTE_MS],
    // What is reserved is spent by now at the latest, so that it is free a period from now.
    [1000, 1, HOUR_MS + 7 * MINUTE_MS],
    [1, 999, HOUR_MS + 5 * MINUTE_MS],
    [101, 900, HOUR_MS + 7 * MINUTE_MS],
    [1001, 0, undefined],
    [1001, 1000, undefined],
  ])('%i units with %i reserved: after %j ms', (need, reserved, after) => {
    const at = slidingResetsAt(usage, HOURLY, NOON + 6 * MINUTE_MS, { need, reserved });
    expect(at).toBe(after === undefined ? undefined : NOON + after);
  });
});

it('QUOTA-05: what another clock settled ahead of ours is free a period after that, not sooner', () => {
  const usage = [{ endsAt: NOON + 5 * MINUTE_MS, used: 900 }];
  const at = slidingResetsAt(usage, HOURLY, NOON, { need: 1000, reserved: 1 });
  expect(at).toBe(NOON + HOUR_MS + 5 * MINUTE_MS);
});

it('only windows of a fixed length slide', () => {
  expect(SLIDING_WINDOWS.map((window) => [window, slidingPeriodMs(window)])).toEqual([
    ['sliding_second', 1000],
    ['sliding_minute', MINUTE_MS],
    ['sliding_hour', HOUR_MS],
    ['sliding_day', 24 * HOUR_MS],
    ['sliding_week', 168 * HOUR_MS],
  ]);
  expect(PERIOD_NAMES.map(slidingWindowOf)).toEqual([
    ...SLIDING_WINDOWS,
    ...Array.from({ length: 4 }),
  ]);
  expect(['hour', 'sliding_month', 'toString'].filter(isSliding)).toEqual([]);
});

it('all of it is free a period after the newest sub-window', () => {
  let usage: readonly SubUsage[] = [];
  for (const minute of [0, 2, 5]) {
    usage = recordSliding(usage, HOURLY, NOON + minute * MINUTE_MS, 1);
  }
  expect(slidingFreeAt(usage, HOUR_MS)).toBe(NOON + HOUR_MS + 6 * MINUTE_MS);
  expect(slideTo(usage, HOURLY, slidingFreeAt(usage, HOUR_MS) - 1).used).toBe(1);
  expect(slideTo(usage, HOURLY, slidingFreeAt(usage, HOUR_MS)).used).toBe(0);
  expect(slidingFreeAt([], HOUR_MS)).toBe(0);
});

it('holds no more than its bound when the period grows: the oldest join, and come free later', () => {
  const minutely = { amount: 1000, periodMs: MINUTE_MS };
  const weekly = { amount: 1000, periodMs: 168 * HOUR_MS };
  let usage: readonly SubUsage[] = [];
  for (let second = 0; second <= 60; second += 1)
    usage = recordSliding(usage, minutely, NOON + second * 1000, 1);
  expect(usage).toHaveLength(SUB_WINDOWS_MAX);
  for (let round = 1; round <= 10; round += 1) {
    usage = recordSliding(usage, weekly, NOON + round * 3 * HOUR_MS, 1);
    expect(usage).toHaveLength(SUB_WINDOWS_MAX);
  }
  expect(usage[0]).toEqual({ endsAt: NOON + 11 * 1000, used: 11 });
  expect(usage[1]).toEqual({ endsAt: NOON + 12 * 1000, used: 1 });
  expect(slideTo(usage, weekly, NOON + 30 * HOUR_MS).used).toBe(71);
});

const periods = fc.constantFrom(1000, MINUTE_MS, HOUR_MS, 24 * HOUR_MS, 7);

it('holds no more than its bound at any pace', () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 300 });
  fc.assert(
    fc.property(periods, pauses, (periodMs, list) => {
      const terms = { amount: 1000, periodMs };
      let usage: readonly SubUsage[] = [];
      let now = NOON;
      for (const pause of list) {
        now += Math.ceil((pause * periodMs) / 3000);
        const before = slideTo(usage, terms, now).used;
        usage = recordSliding(usage, terms, now, 3);
        expect(usage.length).toBeLessThanOrEqual(SUB_WINDOWS_MAX);
        expect(slideTo(usage, terms, now).used).toBe(before + 3);
      }
    }),
  );
});

/**
 * A store and gateways, as the docstring asks for them: slices are granted against the sliding account, served
 * out of memory, settled or handed back at any time later.
 */
class Lab {
  readonly served: { readonly at: number; readonly units: number }[] = [];
  readonly #terms: SlidingTerms;
  readonly #slices = [0, 0, 0];
  readonly #unsettled = [0, 0, 0];
  #usage: readonly SubUsage[] = [];

  constructor(terms: SlidingTerms) {
    this.#terms = terms;
  }

  get reserved(): number {
    return [...this.#slices, ...this.#unsettled].reduce((sum, units) => sum + units, 0);
  }

  step(owner: number, kind: 'acquire' | 'serve' | 'settle' | 'return', units: number, now: number) {
    if (kind === 'acquire') {
      const { used } = slideTo(this.#usage, this.#terms, now);
      const growth = Math.min(units, this.#terms.amount - used - this.reserved);
      this.#slices[owner] = (this.#slices[owner] ?? 0) + Math.max(0, growth);
    } else if (kind === 'serve') {
      const taken = Math.min(units, this.#slices[owner] ?? 0);
      this.#slices[owner] = (this.#slices[owner] ?? 0) - taken;
      this.#unsettled[owner] = (this.#unsettled[owner] ?? 0) + taken;
      this.served.push({ at: now, units: taken });
    } else if (kind === 'settle') {
      this.#usage = recordSliding(this.#usage, this.#terms, now, this.#unsettled[owner] ?? 0);
      this.#unsettled[owner] = 0;
    } else {
      this.#slices[owner] = 0;
    }
  }

  /** By brute force over every stretch that ends with something served. */
  mostInAnyPeriod(): number {
    const sums = this.served.map(({ at: last }) =>
      this.served
        .filter(({ at }) => at <= last && at >= last - this.#terms.periodMs)
        .reduce((sum, { units }) => sum + units, 0),
    );
    return Math.max(0, ...sums);
  }
}

it('QUOTA-02: no stretch of one period sees more than the amount, whatever gateways do and when they settle', () => {
  const step = fc.record({
    owner: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom('acquire', 'serve', 'settle', 'return'),
    units: fc.integer({ min: 1, max: 40 }),
    pauseMs: fc.integer({ min: 0, max: 10_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), periods, (steps, periodMs) => {
      const terms = { amount: 100, periodMs };
      const lab = new Lab(terms);
      let now = NOON;
      for (const { owner, kind, units, pauseMs } of steps) {
        // Some pauses much shorter than the period, some longer.
        now += Math.ceil((pauseMs * periodMs) / 30_000);
        lab.step(owner, kind, units, now);
      }
      expect(lab.mostInAnyPeriod()).toBeLessThanOrEqual(terms.amount);
    }),
    { numRuns: 2000 },
  );
});

it.each([1000, MINUTE_MS, HOUR_MS, 24 * HOUR_MS])(
  'QUOTA-02: a greedy caller gets 98 %% of the limit in the long run (period %i ms)',
  (periodMs) => {
    const terms = { amount: 60, periodMs };
    let usage: readonly SubUsage[] = [];
    let served = 0;
    const periodsRun = 50;
    for (let now = NOON; now < NOON + periodsRun * periodMs; now += periodMs / 200) {
      const room = terms.amount - slideTo(usage, terms, now).used;
      if (room <= 0) continue;
      usage = recordSliding(usage, terms, now, 1);
      served += 1;
    }
    expect(served).toBeGreaterThanOrEqual(Math.floor(periodsRun * terms.amount * 0.98));
    expect(served).toBeLessThanOrEqual(periodsRun * terms.amount);
  },
);
