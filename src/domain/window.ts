import type { LimitWindow } from './catalog.ts';
import { type CivilDate, civilFromDays, daysFromCivil, firstOfMonth } from './civil-date.ts';
import { isSliding, slidingPeriodMs } from './sliding-window.ts';
import { findTimeZone, type TimeZone } from './time-zone.ts';

/** Whose calendar cuts the windows (QUOTA-02). */
export interface Calendar {
  /** IANA name, checked by `validateTimeZone`. */
  readonly timeZone: string;
  /** Epoch ms in the first day of the first billing cycle; undefined = cycles are calendar months. */
  readonly billingAnchorAt: number | undefined;
}

/** One window. `startsAt` and `endsAt` are epoch ms; a lifetime has neither start nor end. */
export interface Window {
  /**
   * Part of account ids; has no slash. Whole days and longer are named by the local date, so that each name is
   * used once whatever happens to the zone; shorter ones by UTC, as local names come twice when clocks go back.
   * `2026-11-03T10:05:07`, `2026-11-03T10:05`, `2026-11-03T10`, `2026-11-03`, `2026-W45`, `2026-11`, `2026`,
   * `cycle9@2026-01-31T08:00:00`, `lifetime`, `sliding`.
   */
  readonly id: string;
  readonly startsAt: number;
  /** The first millisecond of the next window. */
  readonly endsAt: number | undefined;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const DAYS_PER_WEEK = 7;
const UTC: Calendar = { timeZone: 'UTC', billingAnchorAt: undefined };

/**
 * The window that epoch ms `at` falls into (QUOTA-04: usage belongs to the window its hold began in).
 *
 * Days and longer begin at local midnight: the first instant at which the local clock shows that date or a
 * later one. A day has 23, 24 or 25 hours; where midnight is skipped it begins with the jump; where the clock
 * goes back over midnight the second evening belongs to the new day; a date that is skipped has no window.
 *
 * Hours and shorter are stretches of real time, set so that they begin when the local clock's minutes are 00.
 * The hour that comes twice in autumn is two windows: an allowance by the hour means sixty minutes, and one
 * window of two hours would halve it. Where the clock moves by half an hour (Lord Howe) one window is half an
 * hour long; none is ever longer than its name says.
 *
 * When a tenant's zone changes, its days and longer keep their names: what is used of 2026-11 stays used, only
 * its end moves, and no name's allowance is granted twice. Hours are new windows only where the two zones differ
 * by a part of an hour, so one hour can begin at most once for each such part.
 */
export function windowOf(window: LimitWindow, at: number, calendar: Calendar = UTC): Window {
  // What slides never ends: what was spent comes free by itself.
  if (isSliding(window)) {
    return { id: 'sliding', startsAt: at - slidingPeriodMs(window), endsAt: undefined };
  }
  const zone = findTimeZone(calendar.timeZone);
  switch (window) {
    case 'second':
      return clockWindow(at, SECOND_MS, zone);
    case 'minute':
      return clockWindow(at, MINUTE_MS, zone);
    case 'hour':
      return clockWindow(at, HOUR_MS, zone);
    case 'day':
      return dayWindow(dayOf(at, zone), zone);
    case 'week':
      return weekWindow(dayOf(at, zone), zone);
    case 'month':
      return monthWindow(dayOf(at, zone), zone);
    case 'year':
      return yearWindow(dayOf(at, zone), zone);
    case 'billing_cycle':
      return cycleWindow(at, calendar.billingAnchorAt, zone);
    case 'lifetime':
      return { id: 'lifetime', startsAt: 0, endsAt: undefined };
  }
}

/**
 * Noon of a date on the calendar of a zone. `date`: epoch ms of its midnight in UTC. An anchor of billing cycles that
 * is kept as noon lies in the same day where the tenant's zone is later another one, up to half a day away: the cycles
 * keep their day, and their names too, so that no allowance is granted twice.
 */
export function noonOf(date: number, timeZone: string): number {
  const noon = date + DAY_MS / 2;
  return findTimeZone(timeZone)?.firstInstantAt(noon) ?? noon;
}

/** Length in seconds of the window that `at` falls into; undefined for a lifetime. */
export function windowSeconds(
  window: LimitWindow,
  at: number,
  calendar: Calendar = UTC,
): number | undefined {
  if (isSliding(window)) return slidingPeriodMs(window) / 1000;
  const { startsAt, endsAt } = windowOf(window, at, calendar);
  return endsAt === undefined ? undefined : (endsAt - startsAt) / 1000;
}

/** Named by its start in UTC; `+1800s` where that is no whole minute or hour there. */
function clockWindow(at: number, lengthMs: number, zone: TimeZone | undefined): Window {
  if (zone === undefined) {
    const startsAt = Math.floor(at / lengthMs) * lengthMs;
    return { id: formatTime(startsAt, lengthMs), startsAt, endsAt: startsAt + lengthMs };
  }
  const { startsAt, endsAt } = localStretch(at, lengthMs, zone);
  const late = startsAt - Math.floor(startsAt / lengthMs) * lengthMs;
  const id = formatTime(startsAt, lengthMs) + (late === 0 ? '' : `+${late / SECOND_MS}s`);
  return { id, startsAt, endsAt };
}

/** `lengthMs` of real time, beginning when the local clock is a multiple of it; cut where that moves. */
function localStretch(
  at: number,
  lengthMs: number,
  zone: TimeZone,
): { readonly startsAt: number; readonly endsAt: number } {
  const offset = zone.offsetAt(at);
  const startsAt = Math.floor((at + offset) / lengthMs) * lengthMs - offset;
  const endsAt = startsAt + lengthMs;
  const isOther = (other: number): boolean => (zone.offsetAt(other) - offset) % lengthMs !== 0;
  return {
    startsAt: isOther(startsAt) ? zone.changeBetween(startsAt, at) : startsAt,
    endsAt: isOther(endsAt - 1) ? zone.changeBetween(at, endsAt - 1) : endsAt,
  };
}

/** The epoch day on the local calendar: the latest that the clock has shown up to `at`. */
function dayOf(at: number, zone: TimeZone | undefined): number {
  if (zone === undefined) return Math.floor(at / DAY_MS);
  const shown = Math.floor((at + zone.offsetAt(at)) / DAY_MS);
  // Clocks that go back over midnight show yesterday again, after today has begun.
  return startOfDay(shown + 1, zone) <= at ? shown + 1 : shown;
}

function startOfDay(day: number, zone: TimeZone | undefined): number {
  return zone === undefined ? day * DAY_MS : zone.firstInstantAt(day * DAY_MS);
}

function dayWindow(day: number, zone: TimeZone | undefined): Window {
  return {
    id: formatDate(day),
    startsAt: startOfDay(day, zone),
    endsAt: startOfDay(day + 1, zone),
  };
}

/** ISO 8601 weeks: they begin on Monday, and belong to the year that has their Thursday. */
function weekWindow(day: number, zone: TimeZone | undefined): Window {
  // 1970-01-01 was a Thursday, three days after a Monday.
  const monday = Math.floor((day + 3) / DAYS_PER_WEEK) * DAYS_PER_WEEK - 3;
  const thursday = monday + 3;
  const { year } = civilFromDays(thursday);
  const week = Math.floor((thursday - daysFromCivil(year, 1, 1)) / DAYS_PER_WEEK) + 1;
  return {
    id: `${pad(year, 4)}-W${pad(week)}`,
    startsAt: startOfDay(monday, zone),
    endsAt: startOfDay(monday + DAYS_PER_WEEK, zone),
  };
}

function monthWindow(day: number, zone: TimeZone | undefined): Window {
  const { year, month } = civilFromDays(day);
  return {
    id: `${pad(year, 4)}-${pad(month)}`,
    startsAt: startOfDay(daysFromCivil(year, month, 1), zone),
    endsAt: startOfDay(daysFromCivil(year, month + 1, 1), zone),
  };
}

function yearWindow(day: number, zone: TimeZone | undefined): Window {
  const { year } = civilFromDays(day);
  return {
    id: pad(year, 4),
    startsAt: startOfDay(daysFromCivil(year, 1, 1), zone),
    endsAt: startOfDay(daysFromCivil(year + 1, 1, 1), zone),
  };
}

/**
 * Monthly from the local day of the anchor, each cycle reckoned from the anchor itself: from the 31st the next
 * begin on February 28 and on March 31. A cycle is named by its anchor and its number, so that another zone
 * changes neither, and another anchor begins anew. Without an anchor it is the month.
 */
function cycleWindow(at: number, anchorAt: number | undefined, zone: TimeZone | undefined): Window {
  if (anchorAt === undefined) return monthWindow(dayOf(at, zone), zone);
  const anchor = civilFromDays(dayOf(anchorAt, zone));
  const day = dayOf(at, zone);
  const today = civilFromDays(day);
  const months = (today.year - anchor.year) * 12 + today.month - anchor.month;
  const number = startOfCycle(anchor, months) <= day ? months : months - 1;
  return {
    id: `cycle${number}@${formatTime(anchorAt, SECOND_MS)}`,
    startsAt: startOfDay(startOfCycle(anchor, number), zone),
    endsAt: startOfDay(startOfCycle(anchor, number + 1), zone),
  };
}

/** The epoch day `number` months after the anchor: its day of the month, or the last where a month is shorter. */
function startOfCycle(anchor: CivilDate, number: number): number {
  const month = anchor.month + number;
  const day = firstOfMonth(anchor.year, month) + anchor.day - 1;
  return Math.min(day, firstOfMonth(anchor.year, month + 1) - 1);
}

/** As much of `2026-11-03T10:05:07` as tells windows of that length apart, in UTC. */
function formatTime(at: number, lengthMs: number): string {
  const day = Math.floor(at / DAY_MS);
  const rest = at - day * DAY_MS;
  const hours = Math.floor(rest / HOUR_MS);
  const untilHour = `${formatDate(day)}T${pad(hours)}`;
  if (lengthMs === HOUR_MS) return untilHour;
  const minutes = Math.floor(rest / MINUTE_MS) - hours * 60;
  if (lengthMs === MINUTE_MS) return `${untilHour}:${pad(minutes)}`;
  const seconds = Math.floor(rest / SECOND_MS) - hours * 3600 - minutes * 60;
  return `${untilHour}:${pad(minutes)}:${pad(seconds)}`;
}

function formatDate(epochDay: number): string {
  const { year, month, day } = civilFromDays(epochDay);
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

function pad(value: number, length = 2): string {
  return value.toString().padStart(length, '0');
}
