import { expect, it } from 'vitest';

import { createClock } from './clock.ts';

it('tells epoch milliseconds, shifted when asked to', () => {
  const before = Date.now();
  const shifted = createClock(3_600_000).now();
  const plain = createClock().now();
  const after = Date.now();
  expect(plain).toBeGreaterThanOrEqual(before);
  expect(plain).toBeLessThanOrEqual(after);
  expect(shifted - 3_600_000).toBeGreaterThanOrEqual(before);
  expect(shifted - 3_600_000).toBeLessThanOrEqual(after);
});

it('its durations never go back, whatever the shift', () => {
  const clock = createClock(-1_000_000_000);
  let last = clock.monotonicMs();
  for (let i = 0; i < 1000; i += 1) {
    const next = clock.monotonicMs();
    expect(next).toBeGreaterThanOrEqual(last);
    last = next;
  }
});
