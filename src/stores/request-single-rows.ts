import { unpackFacts } from '../domain/facts-record.ts';
import type { SearchBounds, SearchResult } from './request-search.ts';
import type { RequestRow, RequestSearch } from './store.ts';

/** A request kept by itself, as every adapter keeps it. */
export interface LogRow {
  readonly request_id: string;
  readonly at: number;
  readonly tenant_id: string;
  readonly status: number;
  readonly code: string;
  /** Empty = it would have been served. */
  readonly would_refuse: string;
  readonly facts: string;
}
/** In the order of `logValues`. */
export const LOG_COLUMNS = 'request_id, at, tenant_id, status, code, would_refuse, facts';

export function logValues(row: RequestRow) {
  const { requestId, at, tenantId, status, code, wouldRefuse = '', facts } = row;
  return [requestId, at, tenantId, status, code, wouldRefuse, facts] as const;
}

export function toRow(row: LogRow): RequestRow {
  const { request_id: requestId, at, tenant_id: tenantId, status, code, facts } = row;
  const common = { requestId, at, tenantId, status, code, facts };
  return row.would_refuse === '' ? common : { ...common, wouldRefuse: row.would_refuse };
}

/** A bounded stretch of the log: where it begins, and of how many rows it is. */
export interface Stretch {
  readonly least: string | null;
  readonly scanned: number;
}

/** What a filter has to match, as parameters: an empty text = anything. */
export function filterOf({ tenantId = '', keyId = '', codes }: RequestSearch) {
  return { tenantId, keyId, codeList: codes === undefined ? '' : `|${codes.join('|')}|` };
}

/** What the rows that a filter found in a stretch say of the whole search. */
export function concludeStretch(
  search: RequestSearch,
  bounds: SearchBounds,
  { least, scanned }: { readonly least: string; readonly scanned: number },
  found: readonly LogRow[],
): SearchResult {
  const { keyId = '' } = search;
  const rows = found.map(toRow).filter((row) => keyId === '' || isOfKey(row, keyId));
  const last = found.at(-1);
  if (last !== undefined && found.length === bounds.rowsMax) {
    return { rows, scanned, rest: last.request_id };
  }
  return { rows, scanned, rest: scanned === bounds.scanMax ? least : undefined };
}

/** The row says the key only inside its facts; another key's row may hold the same text, in a path. */
function isOfKey(row: RequestRow, keyId: string): boolean {
  const identity = unpackFacts(row.facts)?.identity;
  return identity?.kind === 'key' && identity.keyId === keyId;
}
