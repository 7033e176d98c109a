import type { Quantity } from './problem-document.ts';
import type { Phrasebook } from './phrases/phrasebook.ts';

const SIZES = [
  { name: 'TB', bytes: 1e12 },
  { name: 'GB', bytes: 1e9 },
  { name: 'MB', bytes: 1e6 },
  { name: 'kB', bytes: 1e3 },
] as const;
/** Below it a size is told to the byte. */
const EXACT_BYTES_MAX = 10_000;

type NumberHabits = Pick<Phrasebook, 'groupDigits' | 'decimalMark' | 'bytes'>;

/** 10000 -> `10,000`, `0.5 USD` -> `0,5 USD`, in the language's habit; what is not a finite number is no word. */
export function formatCount(
  quantity: Quantity | undefined,
  habits: NumberHabits,
): string | undefined {
  if (quantity === undefined) return undefined;
  if (typeof quantity === 'string') return quantity.replace(/^(\d+)\./, `$1${habits.decimalMark}`);
  if (!Number.isFinite(quantity)) return undefined;
  // Grouping is for counts; a fraction would be grouped behind its point too.
  return Number.isInteger(quantity)
    ? habits.groupDigits(String(quantity))
    : String(quantity).replace('.', habits.decimalMark);
}

/**
 * A number of bytes as a size in decimal units, three digits being enough for people: `details` has the
 * exact number. What is used or allowed is rounded down, what is asked for up, so that it never reads
 * as if it fitted.
 */
export function formatSize(
  bytes: number,
  round: 'up' | 'down',
  habits: NumberHabits,
): string | undefined {
  const size = SIZES.find((each) => bytes >= each.bytes);
  if (bytes < EXACT_BYTES_MAX || size === undefined || !Number.isFinite(bytes)) {
    const count = formatCount(bytes, habits);
    return count === undefined ? undefined : habits.bytes(count);
  }
  const whole = Math.floor(bytes / size.bytes);
  const share = ((bytes % size.bytes) * 100) / size.bytes;
  const hundredths = round === 'up' ? Math.ceil(share) : Math.floor(share);
  const value = whole * 100 + hundredths;
  const digits = habits.groupDigits(String(Math.floor(value / 100)));
  const fraction = String(value % 100)
    .padStart(2, '0')
    .replace(/0+$/, '');
  return `${digits}${fraction === '' ? '' : habits.decimalMark + fraction} ${size.name}`;
}

const ISO_UTC = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d{1,9})?Z$/;

/** `2026-12-01T00:00:00Z` in the language's habit, to the minute; undefined for anything but an ISO time in UTC. */
export function formatTimeIn(
  iso: string | undefined,
  { formatTime }: Pick<Phrasebook, 'formatTime'>,
): string | undefined {
  return formatIso(iso, formatTime, false);
}

/** The same of a time to wait for, with the seconds of one within a minute: a call at its beginning would be too early. */
export function formatWaitIn(
  iso: string | undefined,
  { formatTime }: Pick<Phrasebook, 'formatTime'>,
): string | undefined {
  return formatIso(iso, formatTime, true);
}

function formatIso(
  iso: string | undefined,
  formatTime: Phrasebook['formatTime'],
  withSeconds: boolean,
): string | undefined {
  const match = ISO_UTC.exec(iso ?? '');
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', time = '', seconds = ':00'] = match;
  return formatTime(year, month, day, withSeconds && seconds !== ':00' ? time + seconds : time);
}
