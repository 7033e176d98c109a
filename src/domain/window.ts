import type { LimitWindow } from './catalog.ts';

/** One calendar window in UTC. `startsAt` and `endsAt` are epoch ms; a lifetime has neither start nor end. */
export interface Window {
  /** Part of account ids: `2026-11-03T10:05`, `2026-11-03T10`, `2026-11-03`, `2026-W45`, `2026-11`, `lifetime`. */
  readonly id: string;
  readonly startsAt: number;
  /** The first millisecond of the next window. */
  readonly endsAt: number | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const DAYS_PER_WEEK = 7;

/** The window that epoch ms `at` falls into (QUOTA-04: usage belongs to the window its hold began in). */
export function windowOf(window: LimitWindow, at: number): Window {
  switch (window) {
    case 'minute':
      return clockWindow(at, MINUTE_MS, 16);
    case 'hour':
      return clockWindow(at, HOUR_MS, 13);
    case 'day':
      return clockWindow(at, DAY_MS, 10);
    case 'week':
      return weekWindow(at);
    case 'month':
      return monthWindow(at);
    case 'lifetime':
      return { id: 'lifetime', startsAt: 0, endsAt: undefined };
  }
}

/** Length in seconds of the window that `at` falls into; undefined for a lifetime. */
export function windowSeconds(window: LimitWindow, at: number): number | undefined {
  const { startsAt, endsAt } = windowOf(window, at);
  return endsAt === undefined ? undefined : (endsAt - startsAt) / 1000;
}

/** `idLength`: how much of `2026-11-03T10:05` names the window. */
function clockWindow(at: number, lengthMs: number, idLength: number): Window {
  const startsAt = Math.floor(at / lengthMs) * lengthMs;
  const days = Math.floor(startsAt / DAY_MS);
  const minutes = (startsAt - days * DAY_MS) / MINUTE_MS;
  const time = `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  const id = `${formatDate(civilFromDays(days))}T${time}`.slice(0, idLength);
  return { id, startsAt, endsAt: startsAt + lengthMs };
}

/** ISO 8601 weeks: they begin on Monday, and belong to the year that has their Thursday. */
function weekWindow(at: number): Window {
  const days = Math.floor(at / DAY_MS);
  // 1970-01-01 was a Thursday, three days after a Monday.
  const monday = Math.floor((days + 3) / DAYS_PER_WEEK) * DAYS_PER_WEEK - 3;
  const thursday = monday + 3;
  const { year } = civilFromDays(thursday);
  const week =
    Math.floor((thursday - daysFromCivil({ year, month: 1, day: 1 })) / DAYS_PER_WEEK) + 1;
  return {
    id: `${pad(year, 4)}-W${pad(week)}`,
    startsAt: monday * DAY_MS,
    endsAt: (monday + DAYS_PER_WEEK) * DAY_MS,
  };
}

function monthWindow(at: number): Window {
  const { year, month } = civilFromDays(Math.floor(at / DAY_MS));
  const next =
    month === 12 ? { year: year + 1, month: 1, day: 1 } : { year, month: month + 1, day: 1 };
  return {
    id: `${pad(year, 4)}-${pad(month)}`,
    startsAt: daysFromCivil({ year, month, day: 1 }) * DAY_MS,
    endsAt: daysFromCivil(next) * DAY_MS,
  };
}

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

// Proleptic Gregorian calendar from day numbers, after Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms" (https://howardhinnant.github.io/date_algorithms.html): years begin in March, so that the leap
// day comes last, and repeat every 400 years (an era of 146,097 days). 719,468 days lie between 0000-03-01
// and 1970-01-01.

function civilFromDays(epochDays: number): CivilDate {
  const days = epochDays + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - daysBeforeYear(yearOfEra);
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

function daysFromCivil(date: CivilDate): number {
  const marchYear = date.month <= 2 ? date.year - 1 : date.year;
  const era = Math.floor(marchYear / 400);
  const marchMonth = date.month > 2 ? date.month - 3 : date.month + 9;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + date.day - 1;
  return era * 146_097 + daysBeforeYear(marchYear - era * 400) + dayOfYear - 719_468;
}

function daysBeforeYear(yearOfEra: number): number {
  return 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
}

function formatDate(date: CivilDate): string {
  return `${pad(date.year, 4)}-${pad(date.month)}-${pad(date.day)}`;
}

function pad(value: number, length = 2): string {
  return value.toString().padStart(length, '0');
}
