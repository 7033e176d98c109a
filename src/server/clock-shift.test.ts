import { expect, it } from 'vitest';

import { readClockShift } from './clock-shift.ts';

const NOW = Date.parse('2026-11-03T10:00:00Z');
const HOUR_MS = 3_600_000;

it.each([
  [undefined, 0],
  ['', 0],
  ['+36h', 36 * HOUR_MS],
  ['-10m', -600_000],
  ['2026-11-03T11:00:00Z', HOUR_MS],
  ['2026-11-03T09:00:00Z', -HOUR_MS],
])('TOLLKEEPER_CLOCK=%s shifts by %d ms', (text, shiftMs) => {
  expect(readClockShift(text, true, NOW)).toEqual({ kind: 'ok', shiftMs });
});

it.each(['tomorrow', '+5', '+', '-1y', '+2026-11-03T11:00:00Z', '+25d'])(
  'TOLLKEEPER_CLOCK=%s is refused with what to write',
  (text) => {
    expect(readClockShift(text, true, NOW)).toEqual({
      kind: 'wrong',
      message: `TOLLKEEPER_CLOCK is ${text}: write +36h, -10m or an ISO time such as 2026-12-01T00:00:00Z`,
    });
  },
);

it('in production any shift is refused, none is not (DESIGN 12)', () => {
  expect(readClockShift('+1h', false, NOW)).toMatchObject({
    kind: 'wrong',
    message: expect.stringContaining('unset it'),
  });
  expect(readClockShift(undefined, false, NOW)).toEqual({ kind: 'ok', shiftMs: 0 });
});
