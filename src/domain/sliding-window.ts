import type { PeriodName } from '../contract/phrases/phrasebook.ts';
import type { SlidingWindow } from './catalog.ts';

/**
 * A limit over any stretch of `periodMs`, wherever it begins: 1000 requests in any hour (QUOTA-02).
 *
 * It is one account that never ends (`quo:OWNER:LIMIT:sliding`, no `windowEndsAt`), and what was spent comes
 * free again by itself. Nothing changes for whoever holds a slice: a slice is spent in memory, settled and
 * handed back as ever. Only the store knows more than two sums: it keeps what was spent by sub-window.
 *
 * - settling and reclaiming call `recordSliding` with the units newly spent and the time of the settlement;
 * - acquiring asks `slideTo(...).used` and grants while `used + reserved + growth <= amount`; the numbers it
 *   answers with are allowance = amount, spent = used, reserved as ever, so that they read as a window's do;
 * - a refusal shows `slidingResetsAt` of the units it needed;
 * - the account may be pruned when its usage is empty and nothing is reserved.
 *
 * A limit that begins to slide, or that no longer does, is another account, and begins empty as a new window
 * does. What the other one counted stays there until its window ends or its units are free, so a change back
 * finds it: however often a plan is changed, no more than one allowance of either kind is had beside the other.
 *
 * Strict: whatever was ever served lies in `spent` or in `reserved`, and a unit leaves both no sooner than one
 * whole period after it was settled, which is after it was served. So no stretch of one period, aligned or
 * not, sees more than `amount`, whatever the number of processes, how late they settle, or how many die.
 *
 * The price is that a unit comes free late, never early: by up to one sub-window (a sixtieth of the period: a
 * minute for an hour) and by the time its call took to end and settle. At a steady pace a caller gets 98 % of
 * the limit or more.
 *
 * GCRA (rate.ts) is the other tool and not this one: a bucket of `amount` that refills over the period lets
 * twice the amount pass within one period, one of half the size refuses half of an honest burst, and it takes
 * tokens one by one, where a quota is in bytes, tokens or money that are only known at the end.
 */
export interface SlidingTerms {
  readonly amount: number;
  readonly periodMs: number;
}

/** What was settled in one sub-window. */
export interface SubUsage {
  /** Epoch ms, exclusive. */
  readonly endsAt: number;
  readonly used: number;
}

export interface SlidingNumbers {
  /** Spent, and not free again at that moment. */
  readonly used: number;
  /** Usage without what is free again. */
  readonly usage: readonly SubUsage[];
}

const SUB_WINDOWS_PER_PERIOD = 60;
/** Entries of one account: the sub-windows of a period, and the one that the period's first moment lies in. */
export const SUB_WINDOWS_MAX = SUB_WINDOWS_PER_PERIOD + 1;

const PERIOD_MS: Readonly<Record<SlidingWindow, number>> = {
  sliding_second: 1000,
  sliding_minute: 60_000,
  sliding_hour: 3_600_000,
  sliding_day: 86_400_000,
  sliding_week: 604_800_000,
};
/** From the shortest. */
export const SLIDING_WINDOWS = Object.keys(PERIOD_MS) as readonly SlidingWindow[];

/** Whether it is no window of the calendar. */
export function isSliding(window: string): window is SlidingWindow {
  return Object.hasOwn(PERIOD_MS, window);
}

/** Length of the stretch, in ms. */
export function slidingPeriodMs(window: SlidingWindow): number {
  return PERIOD_MS[window];
}

/** The same limit over any stretch of that period; undefined where the calendar decides how long it is. */
export function slidingWindowOf(period: PeriodName): SlidingWindow | undefined {
  const window = `sliding_${period}`;
  return isSliding(window) ? window : undefined;
}

/** What counts at epoch ms `now`. `usage`: oldest first, as `recordSliding` made it. */
export function slideTo(
  usage: readonly SubUsage[],
  { periodMs }: SlidingTerms,
  now: number,
): SlidingNumbers {
  const counted = usage.filter(({ endsAt }) => endsAt + periodMs > now);
  return { used: counted.reduce((sum, { used }) => sum + used, 0), usage: counted };
}

/**
 * The usage after `used` more units were settled at `now`. Where that is before the newest entry (the clock of
 * another machine) they count with it; where a changed period left too many entries, the two oldest become one.
 * Both only make units come free later.
 */
export function recordSliding(
  usage: readonly SubUsage[],
  terms: SlidingTerms,
  now: number,
  used: number,
): readonly SubUsage[] {
  const counted = slideTo(usage, terms, now).usage;
  const newest = counted.at(-1);
  const endsAt = subWindowEnd(terms, now);
  if (newest !== undefined && newest.endsAt >= endsAt) {
    return counted.with(-1, { endsAt: newest.endsAt, used: newest.used + used });
  }
  return [...joinOldest(counted), { endsAt, used }];
}

/** Epoch ms. */
function subWindowEnd({ periodMs }: SlidingTerms, now: number): number {
  const length = Math.ceil(periodMs / SUB_WINDOWS_PER_PERIOD);
  return (Math.floor(now / length) + 1) * length;
}

/**
 * Epoch ms from which `need` units fit, if nothing else is spent: `now` when they fit already, undefined when
 * they are more than the limit. What is reserved is taken to be spent just now, as most of it is when a limit
 * is short; what of it comes back unspent is there sooner.
 */
export function slidingResetsAt(
  usage: readonly SubUsage[],
  terms: SlidingTerms,
  now: number,
  { need, reserved }: { readonly need: number; readonly reserved: number },
): number | undefined {
  const { used, usage: counted } = slideTo(usage, terms, now);
  let missing = used + reserved + need - terms.amount;
  if (missing <= 0) return now;
  for (const each of counted) {
    missing -= each.used;
    if (missing <= 0) return each.endsAt + terms.periodMs;
  }
  if (missing > reserved) return undefined;
  const newest = counted.at(-1)?.endsAt ?? 0;
  return Math.max(newest, subWindowEnd(terms, now)) + terms.periodMs;
}

/** Epoch ms from which nothing of it counts any more; 0 = nothing does. */
export function slidingFreeAt(usage: readonly SubUsage[], periodMs: number): number {
  const newest = usage.at(-1);
  return newest === undefined ? 0 : newest.endsAt + periodMs;
}

/** Room for one more entry. */
function joinOldest(usage: readonly SubUsage[]): readonly SubUsage[] {
  const [oldest, second] = usage;
  if (usage.length < SUB_WINDOWS_MAX || oldest === undefined || second === undefined) return usage;
  return [{ endsAt: second.endsAt, used: oldest.used + second.used }, ...usage.slice(2)];
}
