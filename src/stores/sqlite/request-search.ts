import type { RequestRow, RequestSearch } from '../store.ts';
import type { IdRange } from './request-ids.ts';

export interface SearchBounds extends IdRange {
  readonly rowsMax: number;
  /** Rows that may be looked at before the search stops. */
  readonly scanMax: number;
}

export interface DayResult {
  /** Newest first. */
  readonly rows: readonly RequestRow[];
  readonly scanned: number;
  /** The id below which the search goes on; undefined when all of the range was looked at. */
  readonly rest: string | undefined;
}

/** A part of the requests of a day. */
export interface RequestTable {
  find(requestId: string): RequestRow | undefined;
  search(search: RequestSearch, bounds: SearchBounds): DayResult;
}

/** What two parts of a day found as if they were one: only as far down as both have looked, and each request once. */
export function joinResults(one: DayResult, other: DayResult, rowsMax: number): DayResult {
  const scanned = Math.max(one.scanned, other.scanned);
  const [low, high] = [one.rest ?? '', other.rest ?? ''];
  const rest = low > high ? low : high;
  const rows = [...one.rows, ...other.rows]
    .filter(({ requestId }) => requestId >= rest)
    .toSorted(newestFirst)
    .filter(isFirstOfItsId);
  const last = rows[rowsMax - 1];
  if (last !== undefined) return { rows: rows.slice(0, rowsMax), scanned, rest: last.requestId };
  return { rows, scanned, rest: rest === '' ? undefined : rest };
}

export function newestFirst(
  one: { readonly requestId: string },
  other: { readonly requestId: string },
): number {
  if (one.requestId === other.requestId) return 0;
  return one.requestId < other.requestId ? 1 : -1;
}

/** For `filter` over what is in order. */
export function isFirstOfItsId<Row extends { readonly requestId: string }>(
  row: Row,
  index: number,
  rows: readonly Row[],
): boolean {
  return rows[index - 1]?.requestId !== row.requestId;
}
