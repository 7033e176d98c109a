import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { NEVER, TICK_MS, Ticker } from './ticker.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('fires once, never early and at most four ticks late', () => {
  const ticker = new Ticker();
  const timed = { deadline: NEVER, fired: 0, expire: () => (timed.fired += 1) };
  ticker.watch(timed);
  vi.advanceTimersByTime(TICK_MS * 1.5);
  timed.deadline = ticker.after(10 * TICK_MS);
  vi.advanceTimersByTime(10 * TICK_MS - 1);
  expect(timed.fired).toBe(0);
  vi.advanceTimersByTime(4 * TICK_MS + 1);
  expect(timed).toMatchObject({ fired: 1, deadline: NEVER });
  vi.advanceTimersByTime(100 * TICK_MS);
  expect(timed.fired).toBe(1);
  ticker.stop();
});

it('leaves alone what has no deadline or is no longer watched', () => {
  const ticker = new Ticker();
  const timed = { deadline: NEVER, fired: 0, expire: () => (timed.fired += 1) };
  ticker.watch(timed);
  vi.advanceTimersByTime(100 * TICK_MS);
  timed.deadline = ticker.after(0);
  ticker.unwatch(timed);
  vi.advanceTimersByTime(100 * TICK_MS);
  expect(timed.fired).toBe(0);
  ticker.stop();
});

describe('ticks that come late', () => {
  function startLate(tickMs: number) {
    let clock = 0;
    const ticker = new Ticker(() => clock);
    const timed = { deadline: ticker.after(4000), expire: () => undefined };
    ticker.watch(timed);
    return {
      ticker,
      timed,
      /** @returns what the clock showed when the deadline of 4 s had passed. */
      untilFired: () => {
        while (timed.deadline !== NEVER) {
          clock += tickMs;
          vi.advanceTimersByTime(TICK_MS);
        }
        return clock;
      },
    };
  }

  it.each([101, 130, 199])('each after %i ms: four seconds are four seconds', (tickMs) => {
    const { ticker, untilFired } = startLate(tickMs);
    const fired = untilFired();
    expect(fired).toBeGreaterThanOrEqual(4000);
    expect(fired).toBeLessThanOrEqual(4000 + 4 * TICK_MS + tickMs);
    ticker.stop();
  });

  it('a deadline that is set just before a late tick does not come early', () => {
    let clock = 0;
    const ticker = new Ticker(() => clock);
    const timed = { deadline: NEVER, expire: () => undefined };
    ticker.watch(timed);
    clock = 3 * TICK_MS - 1;
    timed.deadline = ticker.after(1000);
    const setAt = clock;
    for (; timed.deadline !== NEVER; clock += TICK_MS) vi.advanceTimersByTime(TICK_MS);
    expect(clock - TICK_MS - setAt).toBeGreaterThanOrEqual(1000);
    ticker.stop();
  });

  it('a pause of our own is not held against the other side', () => {
    const { ticker, untilFired } = startLate(1000);
    expect(untilFired()).toBeGreaterThan(15_000);
    ticker.stop();
  });

  it('a tick that comes early by the clock does not lose its time', () => {
    const { ticker, untilFired } = startLate(99);
    expect(untilFired()).toBeLessThanOrEqual(4000 + 5 * TICK_MS);
    ticker.stop();
  });
});
