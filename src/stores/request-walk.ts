import { type BatchHead, BatchRows, type FoundRow } from './request-rows-reader.ts';
import { dayOf, idAfter, idAt, type IdRange, timeOf } from './request-ids.ts';
import {
  isFirstOfItsId,
  newestFirst,
  type SearchBounds,
  type SearchResult,
} from './request-search.ts';
import { StoreError } from './store-error.ts';
import type { RequestRow, RequestSearch } from './store.ts';

/**
 * The requests of one batch began within this time. A batch that holds an id therefore ends at most so much later,
 * and only what began and ended around it has to be looked through: at 20,000 requests a second about as many batches
 * as were written while the request ran.
 */
const SPAN_MAX_MS = 32_000;
/** What one look for an id may open: more than a gateway of ten workers writes in that time. */
export const LOOKED_AT_MAX = 4000;
/** Reading a batch costs as much as looking at so many of its rows. */
const ROWS_PER_READ = 4;
/** Batches read at a time: few are often enough, and many would be looked at beyond what a page may. */
const READ_LEAST = 2;
const READ_MOST = 8;

/** One as a table has it. `seq`: in the order they were written; where a request is in two, the one before counts. */
export interface StoredBatch {
  readonly seq: number;
  /** The greatest id of its requests. */
  readonly last_id: string;
  readonly row_count: number;
  readonly data: Uint8Array;
}

/**
 * Whether a batch is kept as it is: when its requests began within a short time of one day, which nearly all do, for
 * then an id says which few batches may have it. Others, of long streams or over midnight, are kept row by row.
 */
export function isKeptWhole({ leastId, greatestId }: BatchHead): boolean {
  const [day, lastDay] = [dayOf(leastId), dayOf(greatestId)];
  if (day === undefined || lastDay === undefined) {
    const problem = `${leastId} and ${greatestId} are not both request ids of ours`;
    throw new StoreError('invalid_argument', problem);
  }
  return day === lastDay && timeOf(greatestId) - timeOf(leastId) <= SPAN_MAX_MS;
}

/** Ids below which every batch ends that holds this one. */
export function endOfHolders(requestId: string): string {
  return idAt(timeOf(requestId) + SPAN_MAX_MS + 1);
}

export function findInBatch(
  batch: Pick<StoredBatch, 'data'> | undefined,
  requestId: string,
): RequestRow | undefined {
  return batch && new BatchRows(batch.data).find(requestId);
}

/** Which batches may hold what is looked for: all, those with a refusal, or those with an observed one. */
export type BatchKind = 'all' | 'refused' | 'observed';

export function kindOf({ observed, codes }: RequestSearch): BatchKind {
  if (observed === true) return 'observed';
  return codes === undefined ? 'all' : 'refused';
}

/**
 * The next `count` batches, by `last_id` and then `seq`, greatest first: of those that end at `least` or above and
 * begin below `before`, and come after the one that ends at `lastId` with number `seq` (0 = end below `lastId`).
 */
export interface BatchesAsked extends IdRange {
  readonly lastId: string;
  readonly seq: number;
  readonly count: number;
}

/**
 * Goes through batches by their greatest ids, newest first; whoever runs it answers each question from the table.
 * All batches from some id on have been read when the next one ends below it, so that rows above are known then, in
 * order. No index but on where batches end, and on those that hold what is rare.
 */
export function* walkBatches(
  search: RequestSearch,
  bounds: SearchBounds,
): Generator<BatchesAsked, SearchResult, readonly StoredBatch[]> {
  const { least, before, rowsMax, scanMax } = bounds;
  const { tenantId = '', keyId = '', codes, observed = false } = search;
  const filter = { least, before, tenantId, keyId, codes, observed };
  const found: FoundRow[] = [];
  let scanned = 0;
  let [lastId, seq] = [endOfHolders(before), 0];
  for (let count = READ_LEAST; ; count = Math.min(2 * count, READ_MOST)) {
    const batches = yield { least, before, lastId, seq, count };
    for (const batch of batches) {
      found.push(...new BatchRows(batch.data, batch.seq).select(filter));
      // Those that also hold what an earlier page showed do not count: every page gets on from where it began.
      if (batch.last_id < before) scanned += batch.row_count + ROWS_PER_READ;
    }
    const last = batches.at(-1);
    if (last === undefined || batches.length < count) return finish(found, scanned, '', rowsMax);
    ({ last_id: lastId, seq } = last);
    const isEnough = scanned >= scanMax || countAbove(found, lastId) >= rowsMax;
    if (isEnough && idAfter(lastId) < before) return finish(found, scanned, lastId, rowsMax);
  }
}

function countAbove(found: readonly FoundRow[], id: string): number {
  let count = 0;
  for (const { requestId } of found) if (requestId > id) count += 1;
  return count;
}

/** `known`: all rows above this id are among those found. Empty = there are no others. */
function finish(
  found: readonly FoundRow[],
  scanned: number,
  known: string,
  rowsMax: number,
): SearchResult {
  const above = found
    .filter(({ requestId }) => requestId > known)
    .toSorted((one, other) => newestFirst(one, other) || one.batch.seq - other.batch.seq)
    .filter(isFirstOfItsId);
  const rows = above.slice(0, rowsMax).map(({ batch, at }) => batch.read(at));
  const last = rows[rowsMax - 1];
  if (last !== undefined) return { rows, scanned, rest: last.requestId };
  return { rows, scanned, rest: known === '' ? undefined : idAfter(known) };
}
