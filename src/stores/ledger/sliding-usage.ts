import {
  recordSliding,
  slideTo,
  slidingFreeAt,
  slidingResetsAt,
  type SlidingTerms,
  type SubUsage,
} from '../../domain/sliding-window.ts';
import type { AccountRow } from './tables.ts';

type SlidingRow = Pick<AccountRow, 'allowance' | 'sliding_ms' | 'usage'>;

/** What is spent of an account at `now`: of one that slides, what is not free again. */
export function usedIn(row: SlidingRow & Pick<AccountRow, 'spent'>, now: number): number {
  const terms = termsOf(row);
  return terms === undefined ? row.spent : slideTo(parse(row.usage), terms, now).used;
}

/** The columns of an account that slides after `spent` more units; undefined of any other. */
export function recordUsage(
  row: SlidingRow,
  spent: number,
  now: number,
): { readonly text: string; readonly freeAt: number } | undefined {
  const terms = termsOf(row);
  if (terms === undefined) return undefined;
  const usage = recordSliding(parse(row.usage), terms, now, spent);
  return { text: format(usage), freeAt: slidingFreeAt(usage, terms.periodMs) };
}

/** When nothing of it counts any more, over stretches of `periodMs`. */
export function freeAtOf({ usage }: Pick<AccountRow, 'usage'>, periodMs: number): number {
  return slidingFreeAt(parse(usage), periodMs);
}

/** When `need` units are there again; undefined of an account that does not slide, or has them never. */
export function resetOf(
  row: SlidingRow & Pick<AccountRow, 'reserved'>,
  need: number,
  now: number,
): number | undefined {
  const terms = termsOf(row);
  const { reserved } = row;
  return terms && slidingResetsAt(parse(row.usage), terms, now, { need, reserved });
}

function termsOf({ allowance, sliding_ms: periodMs }: SlidingRow): SlidingTerms | undefined {
  return periodMs === null ? undefined : { amount: allowance, periodMs };
}

/** Bounded by the sub-windows of a period: less than 2 kB. */
function format(usage: readonly SubUsage[]): string {
  return JSON.stringify(usage.map(({ endsAt, used }) => [endsAt, used]));
}

function parse(text: string | null): readonly SubUsage[] {
  const pairs = JSON.parse(text ?? '[]') as readonly (readonly [number, number])[];
  return pairs.map(([endsAt, used]) => ({ endsAt, used }));
}
