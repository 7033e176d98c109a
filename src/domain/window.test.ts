import fc from 'fast-check';
import { expect, it } from 'vitest';

import type { LimitWindow } from './catalog.ts';
import { windowOf, windowSeconds } from './window.ts';

const at = (iso: string): number => Date.parse(iso);
const FIRST = at('1970-01-01T00:00:00Z');
const LAST = at('2399-12-31T23:59:59.999Z');
const instants = fc.oneof(
  fc.integer({ min: FIRST, max: LAST }),
  // Midnights and their neighbours, where calendars go wrong.
  fc
    .tuple(fc.integer({ min: 0, max: 157_000 }), fc.integer({ min: -1, max: 1 }))
    .map(([days, milliseconds]) => Math.max(0, days * 86_400_000 + milliseconds)),
);

it.each<[LimitWindow, string, string, readonly [string, string]]>([
  [
    'second',
    '2026-12-31T23:59:59.999Z',
    '2026-12-31T23:59:59',
    ['2026-12-31T23:59:59Z', '2027-01-01T00:00Z'],
  ],
  [
    'minute',
    '2026-11-03T10:05:07Z',
    '2026-11-03T10:05',
    ['2026-11-03T10:05Z', '2026-11-03T10:06Z'],
  ],
  ['hour', '2026-12-31T23:59:59.999Z', '2026-12-31T23', ['2026-12-31T23:00Z', '2027-01-01T00:00Z']],
  ['day', '2028-02-29T12:00:00Z', '2028-02-29', ['2028-02-29T00:00Z', '2028-03-01T00:00Z']],
  ['week', '2027-01-03T23:59:59.999Z', '2026-W53', ['2026-12-28T00:00Z', '2027-01-04T00:00Z']],
  ['week', '2024-12-30T00:00:00Z', '2025-W01', ['2024-12-30T00:00Z', '2025-01-06T00:00Z']],
  ['month', '2026-11-30T23:59:59.999Z', '2026-11', ['2026-11-01T00:00Z', '2026-12-01T00:00Z']],
  ['year', '2028-12-31T23:59:59.999Z', '2028', ['2028-01-01T00:00Z', '2029-01-01T00:00Z']],
  ['billing_cycle', '2026-11-03T00:00:00Z', '2026-11', ['2026-11-01T00:00Z', '2026-12-01T00:00Z']],
  ['month', '2026-12-01T00:00:00Z', '2026-12', ['2026-12-01T00:00Z', '2027-01-01T00:00Z']],
])('QUOTA-04: the %s of %s is %s', (window, instant, id, [startsAt, endsAt]) => {
  expect(windowOf(window, at(instant))).toEqual({ id, startsAt: at(startsAt), endsAt: at(endsAt) });
});

it('QUOTA-04: a lifetime never ends', () => {
  expect(windowOf('lifetime', FIRST)).toEqual({ id: 'lifetime', startsAt: 0, endsAt: undefined });
  expect(windowSeconds('lifetime', FIRST)).toBeUndefined();
});

it.each<[LimitWindow, string, number]>([
  ['second', '2026-11-03T10:05:00Z', 1],
  ['minute', '2026-11-03T10:05:00Z', 60],
  ['hour', '2026-11-03T10:05:00Z', 3600],
  ['day', '2026-11-03T10:05:00Z', 86_400],
  ['week', '2026-11-03T10:05:00Z', 604_800],
  ['month', '2026-02-03T10:05:00Z', 28 * 86_400],
  ['month', '2028-02-03T10:05:00Z', 29 * 86_400],
  ['year', '2028-02-03T10:05:00Z', 366 * 86_400],
])('windowSeconds of the %s at %s is %i', (window, instant, seconds) => {
  expect(windowSeconds(window, at(instant))).toBe(seconds);
});

it('QUOTA-04: clock and calendar windows agree with Date', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      const text = new Date(instant).toISOString();
      expect(windowOf('second', instant).id).toBe(text.slice(0, 19));
      expect(windowOf('minute', instant).id).toBe(text.slice(0, 16));
      expect(windowOf('hour', instant).id).toBe(text.slice(0, 13));
      expect(windowOf('day', instant).id).toBe(text.slice(0, 10));
      expect(windowOf('year', instant).id).toBe(text.slice(0, 4));
      const month = windowOf('month', instant);
      expect(month.id).toBe(text.slice(0, 7));
      expect(month.startsAt).toBe(at(`${text.slice(0, 7)}-01T00:00:00Z`));
      const next = new Date(month.startsAt);
      expect(month.endsAt).toBe(next.setUTCMonth(next.getUTCMonth() + 1));
    }),
    { numRuns: 2000 },
  );
});

it('QUOTA-04: weeks begin on Monday and are numbered by the year of their Thursday', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      const { id, startsAt } = windowOf('week', instant);
      expect(new Date(startsAt).getUTCDay()).toBe(1);
      const thursday = new Date(startsAt + 3 * 86_400_000);
      const firstThursday = new Date(Date.UTC(thursday.getUTCFullYear(), 0, 1));
      while (firstThursday.getUTCDay() !== 4)
        firstThursday.setUTCDate(firstThursday.getUTCDate() + 1);
      const number = 1 + Math.round((thursday.getTime() - firstThursday.getTime()) / 604_800_000);
      expect(id).toBe(`${thursday.getUTCFullYear()}-W${String(number).padStart(2, '0')}`);
    }),
    { numRuns: 2000 },
  );
});

it('QUOTA-04: windows follow each other without gap or overlap', () => {
  const windows = fc.constantFrom<LimitWindow>(
    ...(['second', 'minute', 'hour', 'day', 'week', 'month', 'year'] as const),
  );
  fc.assert(
    fc.property(windows, instants, (window, instant) => {
      const current = windowOf(window, instant);
      const endsAt = current.endsAt ?? Number.NaN;
      expect(current.startsAt).toBeLessThanOrEqual(instant);
      expect(endsAt).toBeGreaterThan(instant);
      expect(windowOf(window, endsAt).startsAt).toBe(endsAt);
      expect(windowOf(window, endsAt - 1)).toEqual(current);
      expect(windowOf(window, endsAt).id > current.id).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
