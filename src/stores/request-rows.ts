import { unpackFacts } from '../domain/facts-record.ts';
import { isId } from '../platform/ids.ts';
import { RequestBatch } from './request-rows-batch.ts';
import { BatchRows } from './request-rows-reader.ts';
import { StoreError } from './store-error.ts';
import type { RequestRow } from './store.ts';

/**
 * Rows as batches that a store takes (`appendEncodedRequests`). Throws StoreError `invalid_argument` for a row
 * without an id of ours or longer than a batch.
 */
export function encodeRows(rows: readonly RequestRow[]): Uint8Array[] {
  const batch = new RequestBatch();
  const batches: Uint8Array[] = [];
  const take = (): void => {
    const bytes = batch.take();
    if (bytes !== undefined) batches.push(bytes);
  };
  for (const row of rows) {
    if (!isId('req', row.requestId)) {
      throw new StoreError('invalid_argument', `${row.requestId} is not a request id of ours`);
    }
    const keyId = keyOf(row);
    if (batch.addRow(row, keyId)) continue;
    take();
    if (batch.addRow(row, keyId)) continue;
    throw new StoreError('invalid_argument', `the row of ${row.requestId} is too long for the log`);
  }
  take();
  return batches;
}

export function decodeRows(batch: Uint8Array): RequestRow[] {
  return new BatchRows(batch).all();
}

function keyOf({ facts }: RequestRow): string {
  const identity = unpackFacts(facts)?.identity;
  return identity?.kind === 'key' ? identity.keyId : '';
}
