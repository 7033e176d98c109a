import type { RequestRow } from './store.ts';

/** ASCII's own separators: no id, code or JSON text of ours contains them unescaped. */
const FIELD = '\u001f';
const ROW = '\u001e';

/**
 * One row of the request log as text. Rows travel to the store as bytes: as objects they would live just
 * long enough to be promoted, and collecting them costs more than everything else about the log.
 */
export function encodeRow(row: RequestRow): string {
  const { requestId, at, tenantId, status, code, wouldRefuse = '', facts } = row;
  return `${requestId}${FIELD}${at}${FIELD}${tenantId}${FIELD}${status}${FIELD}${code}${FIELD}${wouldRefuse}${FIELD}${facts}${ROW}`;
}

export function encodeRows(rows: readonly RequestRow[]): Uint8Array {
  return Buffer.from(rows.map(encodeRow).join(''));
}

/** `bytes`: encoded rows, one after the other, in UTF-8. */
export function decodeRows(bytes: Uint8Array): readonly RequestRow[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('utf8')
    .split(ROW)
    .slice(0, -1)
    .map((row) => {
      const [requestId = '', at, tenantId = '', status, code = '', wouldRefuse = '', facts = ''] =
        row.split(FIELD);
      const common = { requestId, at: Number(at), tenantId, status: Number(status), code, facts };
      return wouldRefuse === '' ? common : { ...common, wouldRefuse };
    });
}
