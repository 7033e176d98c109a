import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { NEVER, TICK_MS, Ticker } from './ticker.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('fires once, never early and at most two ticks late', () => {
  const ticker = new Ticker();
  const timed = { deadline: NEVER, fired: 0, expire: () => (timed.fired += 1) };
  ticker.watch(timed);
  vi.advanceTimersByTime(TICK_MS * 1.5);
  timed.deadline = ticker.after(10 * TICK_MS);
  vi.advanceTimersByTime(10 * TICK_MS - 1);
  expect(timed.fired).toBe(0);
  vi.advanceTimersByTime(2 * TICK_MS + 1);
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
