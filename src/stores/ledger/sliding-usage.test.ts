import { expect, it } from 'vitest';

import { T0 } from '../store-fixture.conformance.ts';
import { freeAtOf, recordUsage, resetOf, usedIn } from './sliding-usage.ts';

const HOUR_MS = 3_600_000;
const ROW = { allowance: 100, reserved: 0, spent: 7, sliding_ms: HOUR_MS, usage: '[]' };
const CALENDAR = { ...ROW, sliding_ms: null, usage: null };

it('bound: what a row keeps stays below 2 kB, however often and however much is settled', () => {
  const most = Math.floor(Number.MAX_SAFE_INTEGER / 100);
  let row = ROW;
  for (let settlement = 0; settlement < 500; settlement += 1) {
    const now = T0 + settlement * 20_000;
    const usage = recordUsage(row, most, now)?.text ?? '';
    row = { ...row, usage };
    expect(usage.length).toBeLessThan(2048);
    expect(freeAtOf(row, HOUR_MS)).toBeGreaterThan(now + HOUR_MS);
  }
  expect(row.usage.length).toBeGreaterThan(1500);
});

it('of an account that does not slide, what is spent is what the row says', () => {
  expect(usedIn(CALENDAR, T0)).toBe(7);
  expect(recordUsage(CALENDAR, 1, T0)).toBeUndefined();
  expect(resetOf(CALENDAR, 1000, T0)).toBeUndefined();
});
