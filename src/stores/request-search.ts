import { idAt, type IdRange, isTime } from './request-ids.ts';
import { StoreError } from './store-error.ts';
import { CODES_PER_SEARCH_MAX, type RequestRow, type RequestSearch } from './store.ts';

/** Bounds of one page, so that no search holds up its thread: some tens of milliseconds. */
export const ROWS_PER_PAGE_MAX = 1000;
export const SCAN_PER_PAGE_MAX = 20_000;
const CURSOR = /^req_[0-9a-f]{12}([0-9a-f]{20})?$/;
const CODE = /^[A-Z0-9_]{1,64}$/;

export interface SearchBounds extends IdRange {
  readonly rowsMax: number;
  /** Rows that may be looked at before the search stops. */
  readonly scanMax: number;
}

export interface SearchResult {
  /** Newest first. */
  readonly rows: readonly RequestRow[];
  readonly scanned: number;
  /** The id below which the search goes on; undefined when all of the range was looked at. */
  readonly rest: string | undefined;
}

/** Ids begin with the time they were made at, so that a range of times is one of ids. Throws on terms that are none. */
export function rangeOf(search: RequestSearch): IdRange {
  const problem = findProblem(search);
  if (problem !== undefined) throw new StoreError('invalid_argument', problem);
  const { from, to, cursor } = search;
  const end = idAt(to);
  return { least: idAt(from), before: cursor !== undefined && cursor < end ? cursor : end };
}

/** What two parts of the log found as if they were one: only as far down as both have looked, and each request once. */
export function joinResults(one: SearchResult, other: SearchResult, rowsMax: number): SearchResult {
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

function findProblem({ from, to, limit, cursor, codes }: RequestSearch): string | undefined {
  const wrongTime = [from, to].find((time) => !isTime(time));
  if (wrongTime !== undefined) return `${wrongTime} is no time a request can be searched by`;
  if (!Number.isSafeInteger(limit) || limit < 1) return `${limit} rows are no page`;
  if (cursor !== undefined && !CURSOR.test(cursor)) return `${cursor} is not where a page ended`;
  const isBounded = codes === undefined || codes.length <= CODES_PER_SEARCH_MAX;
  if (isBounded && (codes ?? []).every((code) => CODE.test(code))) return undefined;
  return `codes are at most ${CODES_PER_SEARCH_MAX}, of capital letters, digits and _`;
}
