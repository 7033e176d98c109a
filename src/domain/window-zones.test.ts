import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { LimitWindow } from './catalog.ts';
import { type Calendar, type Window, windowOf, windowSeconds } from './window.ts';

// The oracle reads wall clocks field by field and compares them as text; the implementation works with offsets
// and day numbers. They share the tz database and nothing else.

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const FIRST = at('1990-01-01T00:00Z');
const LAST = at('2060-12-31T00:00Z');
const RUNS = { numRuns: 3000 };

const ZONES = [
  'UTC',
  'Etc/UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  // Half an hour of daylight saving.
  'Australia/Lord_Howe',
  // Had no 2011-12-30.
  'Pacific/Apia',
  // Skipped midnight every spring until 2018.
  'America/Sao_Paulo',
  // Goes back for Ramadan, and forward after it.
  'Africa/Casablanca',
  // Changed at 00:01 until 2011.
  'America/St_Johns',
  // Changes at midnight.
  'Asia/Beirut',
  // Half an hour forward at 02:30, in the middle of an hour.
  'America/Caracas',
  'Asia/Gaza',
  // Two hours of daylight saving.
  'Antarctica/Troll',
];

function at(iso: string): number {
  return Date.parse(iso);
}

interface Wall {
  /** `2026-11-03` */
  readonly date: string;
  /** `10:05:07` */
  readonly time: string;
  /** Both, as if local were UTC: only differences mean something. */
  readonly reading: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function wall(zone: string, instant: number): Wall {
  let format = formats.get(zone);
  if (format === undefined) {
    const two = '2-digit';
    format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: two, day: two },
      ...{ hour: two, minute: two, second: two },
    });
    formats.set(zone, format);
  }
  const part: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(instant)) part[type] = value;
  const date = `${part['year']}-${part['month']}-${part['day']}`;
  const time = `${part['hour']}:${part['minute']}:${part['second']}`;
  return { date, time, reading: Date.parse(`${date}T${time}Z`) };
}

/** Whether the clock does not simply go on at this instant. */
function jumpsAt(zone: string, instant: number): boolean {
  return wall(zone, instant).reading - wall(zone, instant - SECOND_MS).reading !== SECOND_MS;
}

/** When the zone's clock was changed: where calendars go wrong. */
function changesOf(zone: string): readonly number[] {
  const found: number[] = [];
  const step = 3 * DAY_MS;
  const aheadAt = (instant: number): number => wall(zone, instant).reading - instant;
  let before = aheadAt(FIRST);
  for (let instant = FIRST + step; instant < LAST; instant += step) {
    const now = aheadAt(instant);
    if (now !== before) {
      let [low, high] = [instant - step, instant];
      while (high - low > SECOND_MS) {
        const middle = Math.floor((low + high) / 2 / SECOND_MS) * SECOND_MS;
        if (aheadAt(middle) === before) low = middle;
        else high = middle;
      }
      found.push(high);
    }
    before = now;
  }
  return found;
}

const anywhere = fc.integer({ min: FIRST, max: LAST });
const placeAndTime = fc.oneof(
  ...ZONES.map((zone) => {
    const nearChange = fc
      .tuple(
        fc.constantFrom(...changesOf(zone), FIRST),
        fc.oneof(
          fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }),
          fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }),
        ),
      )
      .map(([change, by]) => change + by);
    return fc.record({ zone: fc.constant(zone), instant: fc.oneof(anywhere, nearChange) });
  }),
);
const anchors = fc.oneof(fc.constant(undefined), fc.integer({ min: FIRST, max: LAST }));
const kinds = fc.constantFrom<LimitWindow>(
  ...(['second', 'minute', 'hour', 'day', 'week', 'month', 'year', 'billing_cycle'] as const),
);

function calendarOf(timeZone: string, billingAnchorAt?: number): Calendar {
  return { timeZone, billingAnchorAt };
}

function endOf(window: Window): number {
  return window.endsAt ?? Number.NaN;
}

it('QUOTA-02: in every zone the windows of a kind cut time without gap or overlap, each under its own name', () => {
  const startOf = new Map<string, number>();
  fc.assert(
    fc.property(
      placeAndTime,
      kinds,
      anchors,
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      ({ zone, instant }, kind, anchor, fraction) => {
        const calendar = calendarOf(zone, anchor);
        const window = windowOf(kind, instant, calendar);
        const endsAt = endOf(window);
        expect(window.startsAt).toBeLessThanOrEqual(instant);
        expect(endsAt).toBeGreaterThan(instant);
        const within = window.startsAt + Math.floor(fraction * (endsAt - window.startsAt));
        for (const inside of [window.startsAt, within, endsAt - 1])
          expect(windowOf(kind, inside, calendar)).toEqual(window);
        expect(windowOf(kind, endsAt, calendar).startsAt).toBe(endsAt);
        // Account ids keep the part of a limit before their last slash.
        expect(window.id).not.toContain('/');
        expect(windowOf(kind, window.startsAt - 1, calendar).endsAt).toBe(window.startsAt);
        const name = `${zone} ${kind} ${anchor} ${window.id}`;
        expect(startOf.get(name) ?? window.startsAt).toBe(window.startsAt);
        startOf.set(name, window.startsAt);
      },
    ),
    { numRuns: 6000 },
  );
});

it('QUOTA-02: a day begins when the local clock first shows its date', () => {
  fc.assert(
    fc.property(placeAndTime, ({ zone, instant }) => {
      const { id, startsAt } = windowOf('day', instant, calendarOf(zone));
      const endsAt = endOf(windowOf('day', instant, calendarOf(zone)));
      expect(wall(zone, startsAt).date).toBe(id);
      expect(wall(zone, startsAt).time === '00:00:00' || jumpsAt(zone, startsAt)).toBe(true);
      // Never before had it shown that date, and never after its end for the first time.
      for (let before = SECOND_MS; before <= 3 * HOUR_MS; before += 599 * SECOND_MS) {
        expect(wall(zone, startsAt - before).date < id).toBe(true);
        expect(wall(zone, endsAt - before).date <= id).toBe(true);
      }
      expect(wall(zone, startsAt - 1).date < id).toBe(true);
      expect(wall(zone, endsAt).date > id).toBe(true);
    }),
    RUNS,
  );
});

it('QUOTA-02: weeks, months and years are whole local days, and of the right number', () => {
  const daysOf = { week: [6, 7], month: [28, 31], year: [365, 366] } as const;
  fc.assert(
    fc.property(
      placeAndTime,
      fc.constantFrom('week', 'month', 'year'),
      ({ zone, instant }, kind) => {
        const { id, startsAt, endsAt = Number.NaN } = windowOf(kind, instant, calendarOf(zone));
        const days = new Set<string>();
        let day = windowOf('day', startsAt, calendarOf(zone));
        expect(day.startsAt).toBe(startsAt);
        for (; day.startsAt < endsAt; day = windowOf('day', endOf(day), calendarOf(zone))) {
          const { date } = wall(zone, day.startsAt);
          days.add(date);
          expect(kind === 'week' || date.startsWith(id)).toBe(true);
        }
        expect(day.startsAt).toBe(endsAt);
        const [least, most] = daysOf[kind];
        // The only day ever left out: Apia's 2011-12-30.
        const lost = zone === 'Pacific/Apia' && id.startsWith('2011') && kind === 'year' ? 1 : 0;
        expect(days.size).toBeGreaterThanOrEqual(least - lost);
        expect(days.size).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: 300 },
  );
});

it('QUOTA-02: local weeks begin on Monday and have the number of their Thursday', () => {
  fc.assert(
    fc.property(placeAndTime, ({ zone, instant }) => {
      const { id, startsAt } = windowOf('week', instant, calendarOf(zone));
      const monday = new Date(`${wall(zone, startsAt).date}T00:00Z`);
      expect(monday.getUTCDay()).toBe(1);
      const thursday = new Date(monday.getTime() + 3 * DAY_MS);
      const year = thursday.getUTCFullYear();
      const dayOfYear = (thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS;
      const number = String(Math.floor(dayOfYear / 7) + 1).padStart(2, '0');
      expect(id).toBe(`${year}-W${number}`);
    }),
    RUNS,
  );
});

it('QUOTA-02: hours and shorter begin on the local clock and last as long as their name says, or are cut by a change', () => {
  const seconds = { second: 1, minute: 60, hour: 3600 } as const;
  fc.assert(
    fc.property(
      placeAndTime,
      fc.constantFrom('second', 'minute', 'hour'),
      ({ zone, instant }, kind) => {
        const { startsAt, endsAt = Number.NaN } = windowOf(kind, instant, calendarOf(zone));
        const long = seconds[kind] * SECOND_MS;
        expect(endsAt - startsAt).toBeLessThanOrEqual(long);
        expect(endsAt - startsAt === long || jumpsAt(zone, startsAt) || jumpsAt(zone, endsAt)).toBe(
          true,
        );
        for (const edge of [startsAt, endsAt])
          expect(wall(zone, edge).reading % long === 0 || jumpsAt(zone, edge)).toBe(true);
      },
    ),
    RUNS,
  );
});

it('QUOTA-02: billing cycles begin on the anchor day, or on the last day of a shorter month', () => {
  fc.assert(
    fc.property(
      placeAndTime,
      fc.integer({ min: FIRST, max: LAST }),
      ({ zone, instant }, anchor) => {
        const { id, startsAt } = windowOf('billing_cycle', instant, calendarOf(zone, anchor));
        // The second evening of a clock that goes back over midnight is a day by another rule.
        fc.pre(wall(zone, anchor - HOUR_MS).date <= wall(zone, anchor).date);
        const [year = 0, month = 0, day = 0] = wall(zone, anchor)
          .date.split('-')
          .map((digits) => Number.parseInt(digits, 10));
        const number = Number.parseInt(id.slice('cycle'.length), 10);
        const lastDay = new Date(Date.UTC(year, month + number, 0)).getUTCDate();
        const expected = new Date(Date.UTC(year, month - 1 + number, Math.min(day, lastDay)));
        const begins = wall(zone, startsAt);
        const date = expected.toISOString().slice(0, 10);
        const isSkipped = zone === 'Pacific/Apia' && date === '2011-12-30';
        expect(begins.date).toBe(isSkipped ? '2011-12-31' : date);
        expect(wall(zone, startsAt - 1).date < begins.date).toBe(true);
      },
    ),
    RUNS,
  );
});

it('QUOTA-02: a zone that is UTC by another name cuts and names its windows as UTC does', () => {
  fc.assert(
    fc.property(kinds, fc.integer({ min: 0, max: LAST }), anchors, (kind, instant, anchor) => {
      const plain = windowOf(kind, instant, calendarOf('UTC', anchor));
      expect(windowOf(kind, instant, calendarOf('Etc/UTC', anchor))).toEqual(plain);
      expect(windowOf(kind, instant, calendarOf('No/Such_Zone', anchor))).toEqual(plain);
    }),
    RUNS,
  );
});

/** `zone kind instant id startsAt endsAt` */
function readRow(row: string): {
  readonly zone: string;
  readonly kind: LimitWindow;
  readonly instant: number;
  readonly window: Window;
} {
  const [zone = '', kind, instant = '', id = '', startsAt = '', endsAt = ''] = row.split(' ');
  return {
    zone,
    kind: kind as LimitWindow,
    instant: at(instant),
    window: { id, startsAt: at(startsAt), endsAt: at(endsAt) },
  };
}

describe('QUOTA-02: midnights', () => {
  it.each([
    'Asia/Kolkata day 2026-11-03T18:29:59.999Z 2026-11-03 2026-11-02T18:30Z 2026-11-03T18:30Z',
    'Asia/Kolkata day 2026-11-03T18:30:00Z 2026-11-04 2026-11-03T18:30Z 2026-11-04T18:30Z',
    'Asia/Kathmandu day 2026-11-03T18:15:00Z 2026-11-04 2026-11-03T18:15Z 2026-11-04T18:15Z',
    'America/New_York day 2028-03-01T04:59:59Z 2028-02-29 2028-02-29T05:00Z 2028-03-01T05:00Z',
    'America/New_York day 2027-03-01T04:59:59Z 2027-02-28 2027-02-28T05:00Z 2027-03-01T05:00Z',
    'Europe/Berlin month 2028-02-29T22:59:59Z 2028-02 2028-01-31T23:00Z 2028-02-29T23:00Z',
    'Europe/Berlin month 2027-02-28T23:00:00Z 2027-03 2027-02-28T23:00Z 2027-03-31T22:00Z',
    'Europe/Berlin month 2026-10-01T00:00:00Z 2026-10 2026-09-30T22:00Z 2026-10-31T23:00Z',
    'Europe/Berlin year 2026-12-31T22:59:59Z 2026 2025-12-31T23:00Z 2026-12-31T23:00Z',
    'Europe/Berlin year 2026-12-31T23:00:00Z 2027 2026-12-31T23:00Z 2027-12-31T23:00Z',
    'Europe/Berlin week 2027-01-03T22:59:59Z 2026-W53 2026-12-27T23:00Z 2027-01-03T23:00Z',
    'Europe/Berlin week 2027-01-03T23:00:00Z 2027-W01 2027-01-03T23:00Z 2027-01-10T23:00Z',
  ])('%s', (row) => {
    const { zone, kind, instant, window } = readRow(row);
    expect(windowOf(kind, instant, calendarOf(zone))).toEqual(window);
  });
});

describe('QUOTA-02: changes of the clock', () => {
  it.each([
    // Forward at 02:00: 23 hours. Back at 02:00: 25.
    'America/New_York day 2026-03-08T12:00:00Z 2026-03-08 2026-03-08T05:00Z 2026-03-09T04:00Z',
    'America/New_York day 2026-11-01T12:00:00Z 2026-11-01 2026-11-01T04:00Z 2026-11-02T05:00Z',
    'America/New_York week 2026-03-08T12:00:00Z 2026-W10 2026-03-02T05:00Z 2026-03-09T04:00Z',
    // 01:30 twice: two windows of one hour.
    'America/New_York hour 2026-11-01T05:30:00Z 2026-11-01T05 2026-11-01T05:00Z 2026-11-01T06:00Z',
    'America/New_York hour 2026-11-01T06:30:00Z 2026-11-01T06 2026-11-01T06:00Z 2026-11-01T07:00Z',
    'Europe/Berlin day 2026-03-29T12:00:00Z 2026-03-29 2026-03-28T23:00Z 2026-03-29T22:00Z',
    'Europe/Berlin day 2026-10-25T12:00:00Z 2026-10-25 2026-10-24T22:00Z 2026-10-25T23:00Z',
    // Quarters of an hour.
    'Asia/Kathmandu hour 2026-11-03T10:05:00Z 2026-11-03T09+900s 2026-11-03T09:15Z 2026-11-03T10:15Z',
    'Asia/Kathmandu minute 2026-11-03T10:05:30Z 2026-11-03T10:05 2026-11-03T10:05Z 2026-11-03T10:06Z',
    // Half an hour forward at 02:00, and back: one hour of thirty minutes each.
    'Australia/Lord_Howe hour 2026-10-03T15:29:59Z 2026-10-03T14+1800s 2026-10-03T14:30Z 2026-10-03T15:30Z',
    'Australia/Lord_Howe hour 2026-10-03T15:45:00Z 2026-10-03T15+1800s 2026-10-03T15:30Z 2026-10-03T16:00Z',
    'Australia/Lord_Howe hour 2026-10-03T16:00:00Z 2026-10-03T16 2026-10-03T16:00Z 2026-10-03T17:00Z',
    'Australia/Lord_Howe hour 2026-04-04T15:10:00Z 2026-04-04T15 2026-04-04T15:00Z 2026-04-04T15:30Z',
    'Australia/Lord_Howe hour 2026-04-04T15:30:00Z 2026-04-04T15+1800s 2026-04-04T15:30Z 2026-04-04T16:30Z',
    // Half an hour forward at 02:30: that hour ends there.
    'America/Caracas hour 2016-05-01T06:45:00Z 2016-05-01T06+1800s 2016-05-01T06:30Z 2016-05-01T07:00Z',
    'Australia/Lord_Howe day 2026-10-04T00:00:00Z 2026-10-04 2026-10-03T13:30Z 2026-10-04T13:00Z',
    // No midnight on that day; and a day of 25 hours that ends where the clock went back over midnight.
    'America/Sao_Paulo day 2018-11-04T03:00:00Z 2018-11-04 2018-11-04T03:00Z 2018-11-05T02:00Z',
    'America/Sao_Paulo day 2018-02-18T02:30:00Z 2018-02-17 2018-02-17T02:00Z 2018-02-18T03:00Z',
    // Midnight, one minute of today, and another hour of yesterday: that one is today's.
    'America/St_Johns day 2006-10-29T02:29:59Z 2006-10-28 2006-10-28T02:30Z 2006-10-29T02:30Z',
    'America/St_Johns day 2006-10-29T02:45:00Z 2006-10-29 2006-10-29T02:30Z 2006-10-30T03:30Z',
    // The day that Samoa left out.
    'Pacific/Apia day 2011-12-30T09:59:59Z 2011-12-29 2011-12-29T10:00Z 2011-12-30T10:00Z',
    'Pacific/Apia day 2011-12-30T10:00:00Z 2011-12-31 2011-12-30T10:00Z 2011-12-31T10:00Z',
    'Africa/Casablanca day 2026-02-15T12:00:00Z 2026-02-15 2026-02-14T23:00Z 2026-02-16T00:00Z',
  ])('%s', (row) => {
    const { zone, kind, instant, window } = readRow(row);
    expect(windowOf(kind, instant, calendarOf(zone))).toEqual(window);
  });

  it('windowSeconds tells the day of 23 and the day of 25 hours', () => {
    const calendar = calendarOf('America/New_York');
    expect(windowSeconds('day', at('2026-03-08T12:00Z'), calendar)).toBe(23 * 3600);
    expect(windowSeconds('day', at('2026-11-01T12:00Z'), calendar)).toBe(25 * 3600);
    expect(windowSeconds('month', at('2026-11-15T12:00Z'), calendar)).toBe((30 * 24 + 1) * 3600);
  });
});

describe('QUOTA-02: billing cycles', () => {
  const anchor = at('2026-01-31T08:00:00Z');
  const name = (number: number): string => `cycle${number}@2026-01-31T08:00:00`;

  it.each([
    ['2026-01-30T23:59:59Z', -1, '2025-12-31T00:00Z', '2026-01-31T00:00Z'],
    ['2026-01-31T00:00:00Z', 0, '2026-01-31T00:00Z', '2026-02-28T00:00Z'],
    ['2026-02-28T00:00:00Z', 1, '2026-02-28T00:00Z', '2026-03-31T00:00Z'],
    ['2026-03-30T23:59:59Z', 1, '2026-02-28T00:00Z', '2026-03-31T00:00Z'],
    ['2026-03-31T00:00:00Z', 2, '2026-03-31T00:00Z', '2026-04-30T00:00Z'],
    ['2026-12-31T00:00:00Z', 11, '2026-12-31T00:00Z', '2027-01-31T00:00Z'],
    ['2028-02-29T12:00:00Z', 25, '2028-02-29T00:00Z', '2028-03-31T00:00Z'],
  ])('from the 31st: %s is in cycle %i', (instant, number, startsAt, endsAt) => {
    expect(windowOf('billing_cycle', at(instant), calendarOf('UTC', anchor))).toEqual({
      id: name(number),
      startsAt: at(startsAt),
      endsAt: at(endsAt),
    });
  });

  it('another zone moves the edges of a cycle and keeps its name', () => {
    // 2026-01-31 03:00 in New York, 21:00 the same day in Auckland.
    const inAuckland = windowOf('billing_cycle', at('2026-11-10T00:00Z'), {
      timeZone: 'Pacific/Auckland',
      billingAnchorAt: anchor,
    });
    expect(inAuckland).toEqual({
      id: name(9),
      startsAt: at('2026-10-30T11:00Z'),
      endsAt: at('2026-11-29T11:00Z'),
    });
    const inNewYork = windowOf('billing_cycle', at('2026-11-10T00:00Z'), {
      timeZone: 'America/New_York',
      billingAnchorAt: anchor,
    });
    expect(inNewYork).toEqual({
      id: name(9),
      startsAt: at('2026-10-31T04:00Z'),
      endsAt: at('2026-11-30T05:00Z'),
    });
  });

  it('without an anchor a cycle is the calendar month', () => {
    const calendar = calendarOf('Europe/Berlin');
    const instant = at('2026-11-10T00:00Z');
    expect(windowOf('billing_cycle', instant, calendar)).toEqual(
      windowOf('month', instant, calendar),
    );
  });
});

it.each([
  ['day', ['2026-11-15', '2026-11-16']],
  ['week', ['2026-W46', '2026-W47']],
  ['month', ['2026-11']],
  ['year', ['2026']],
] as const)('QUOTA-02: a change of zone within one %s keeps the account', (kind, expected) => {
  const noon = at('2026-11-15T12:00Z');
  const names = ZONES.map((zone) => windowOf(kind, noon, calendarOf(zone)).id);
  expect([...new Set(names)].toSorted()).toEqual(expected);
});

it('QUOTA-02: a change of zone to and fro never finds an allowance that was granted before', () => {
  const midnight = at('2026-11-01T00:00Z');
  const month = (instant: number, zone: string): string =>
    windowOf('month', instant, calendarOf(zone)).id;
  // November has begun in Auckland only; back in New York it is October, as it was.
  expect(month(midnight - HOUR_MS, 'America/New_York')).toBe('2026-10');
  expect(month(midnight - HOUR_MS, 'Pacific/Auckland')).toBe('2026-11');
  expect(month(midnight + HOUR_MS, 'America/New_York')).toBe('2026-10');
  expect(month(midnight + 5 * HOUR_MS, 'America/New_York')).toBe('2026-11');
});
