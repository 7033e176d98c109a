import { Memo } from './memo.ts';
import { findNearest } from './nearest.ts';

const DAY_MS = 86_400_000;
/** No clock was ever set further from UTC: Manila was 15:56 behind until 1844. */
const FARTHEST_MS = 16 * 3_600_000;
/** Each has about 60 kB, and is only asked about days not seen before. */
const FORMATS_MAX = 16;
const ZONES_MAX = 1024;
/** What the windows of one zone ask about: the days around now and around the ends of a week, month, year, cycle. */
const DAYS_PER_ZONE_MAX = 64;
const NAME_SHOWN_MAX = 100;
/** Names of today that engines take, and list under an older one. */
const RENAMED = [
  'UTC',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Yangon',
  'Atlantic/Faroe',
  'Europe/Kyiv',
];

/** One UTC day of a zone. From 1970 to 2060 no two changes of a zone are less than six days apart. */
interface ZoneDay {
  /** Milliseconds to add to UTC for the local clock, until `changesAt`. */
  readonly before: number;
  /** Epoch ms of the change in this day; the end of the day when there is none. */
  readonly changesAt: number;
  readonly after: number;
}

const formats = new Memo<string, Intl.DateTimeFormat>(
  FORMATS_MAX,
  (name) => new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' }),
);
const zones = new Memo<string, TimeZone | 'UTC'>(ZONES_MAX, (name) =>
  isTimeZone(name) ? new TimeZone(name) : 'UTC',
);

/**
 * The clock of an IANA time zone. It reads no clock itself: for a zone and an instant the answer is always the
 * same, out of the tz database that Node brings. Asking Intl costs microseconds, so what was asked of a day is
 * remembered, within bounds.
 */
export class TimeZone {
  readonly #days: Memo<number, ZoneDay>;

  constructor(name: string) {
    this.#days = new Memo(DAYS_PER_ZONE_MAX, (day) => readDay(name, day));
  }

  /** Milliseconds to add to epoch ms `at` for what the local clock shows. */
  offsetAt(at: number): number {
    const day = this.#days.get(Math.floor(at / DAY_MS));
    return at < day.changesAt ? day.before : day.after;
  }

  /**
   * The first instant at which the local clock shows `local` (epoch ms, as if local were UTC) or later. Where it
   * jumps over `local`, the instant of the jump; where it shows `local` twice, the first time.
   */
  firstInstantAt(local: number): number {
    let at = local - FARTHEST_MS;
    for (;;) {
      const index = Math.floor(at / DAY_MS);
      const day = this.#days.get(index);
      const isBefore = at < day.changesAt;
      const reached = Math.max(at, local - (isBefore ? day.before : day.after));
      const until = isBefore ? day.changesAt : (index + 1) * DAY_MS;
      if (reached < until) return reached;
      at = until;
    }
  }

  /** The first instant after `from`, and at or before `until`, with the offset of `until`. At most one change between. */
  changeBetween(from: number, until: number): number {
    return findChange(from, until, (at) => this.offsetAt(at));
  }
}

/**
 * The zone of an IANA name; undefined stands for UTC, which needs no table. So does a name that this build does
 * not know: names are checked when they are set (`validateTimeZone`), and an older build must go on serving.
 */
export function findTimeZone(name: string): TimeZone | undefined {
  if (name === 'UTC') return undefined;
  const zone = zones.get(name);
  return zone === 'UTC' ? undefined : zone;
}

export type TimeZoneVerdict =
  | { readonly kind: 'ok'; readonly timeZone: string }
  /** `message` says what is wrong with the name and what to write; it begins with no field name. */
  | { readonly kind: 'wrong'; readonly message: string };

/** Whether a name may become a tenant's time zone. Offsets (`+05:30`) are none: they know no daylight saving. */
export function validateTimeZone(name: string): TimeZoneVerdict {
  if (isTimeZone(name)) return { kind: 'ok', timeZone: name };
  const shown = JSON.stringify(name.length > NAME_SHOWN_MAX ? name.slice(0, NAME_SHOWN_MAX) : name);
  const nearest = findNearestZone(name);
  const advice =
    nearest === undefined
      ? 'Write an IANA name such as "Europe/Berlin" or "UTC"'
      : `Did you mean ${JSON.stringify(nearest)}?`;
  return { kind: 'wrong', message: `${shown} is not a time zone. ${advice}` };
}

function isTimeZone(name: string): boolean {
  // Newer engines take offsets for names, older ones do not.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return formats.get(name).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** By the whole name, or by its city alone: `berlin`, `New York`. */
function findNearestZone(name: string): string | undefined {
  const names = [...Intl.supportedValuesOf('timeZone'), ...RENAMED];
  const known = findNearest(name, names);
  if (known !== undefined) return known;
  const city = findNearest(cityOf(name), names.map(cityOf));
  return city === undefined ? undefined : names.find((candidate) => cityOf(candidate) === city);
}

function cityOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function readDay(name: string, day: number): ZoneDay {
  const startsAt = day * DAY_MS;
  const endsAt = startsAt + DAY_MS;
  const before = readOffset(name, startsAt);
  const after = readOffset(name, endsAt - 1);
  const changesAt =
    before === after ? endsAt : findChange(startsAt, endsAt - 1, (at) => readOffset(name, at));
  return { before, changesAt, after };
}

/** The first instant after `from` whose offset is no longer that of `from`; `until` has the later offset. */
function findChange(from: number, until: number, offsetAt: (at: number) => number): number {
  const before = offsetAt(from);
  let [low, high] = [from, until];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Milliseconds that the zone is ahead of UTC, out of `11/1/2026, GMT-04:00`; in 1850 there were seconds too. */
function readOffset(name: string, at: number): number {
  const found = /GMT([+-])(\d+):(\d+)(?::(\d+))?$/.exec(formats.get(name).format(at));
  if (found === null) return 0;
  const [, sign, hours, minutes, seconds] = found;
  const total = (digits(hours) * 60 + digits(minutes)) * 60 + digits(seconds);
  return (sign === '-' ? -total : total) * 1000;
}

function digits(text = '0'): number {
  return Number.parseInt(text, 10);
}
