import type { RequestRow } from '../store.ts';

/** ASCII's own separators: no id, code or JSON text of ours contains them unescaped. */
const FIELD = '\u001f';
const ROW = '\u001e';

/**
 * Rows on their way to the store thread as one text: cloning thousands of small objects between threads
 * costs the sending thread more than everything else about the log.
 */
export function encodeRows(rows: readonly RequestRow[]): string {
  let text = '';
  for (const row of rows) {
    const { requestId, at, tenantId, status, code, facts } = row;
    text += `${requestId}${FIELD}${at}${FIELD}${tenantId}${FIELD}${status}${FIELD}${code}${FIELD}${facts}${ROW}`;
  }
  return text;
}

export function decodeRows(text: string): readonly RequestRow[] {
  return text
    .split(ROW)
    .slice(0, -1)
    .map((row) => {
      const [requestId = '', at, tenantId = '', status, code = '', facts = ''] = row.split(FIELD);
      return { requestId, at: Number(at), tenantId, status: Number(status), code, facts };
    });
}
