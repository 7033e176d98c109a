import { renderProblem } from '../contract/dialects.ts';
import { buildProblemHeaders } from '../contract/headers.ts';
import { buildProblem } from '../contract/problem.ts';
import type { Code } from '../contract/codes.ts';
import type { ProtocolError, RawHeaders } from '../gateway/listener.ts';
import { requestId } from '../platform/ids.ts';

const CODES: Record<ProtocolError['status'], Code> = {
  400: 'MALFORMED_REQUEST',
  408: 'REQUEST_TIMEOUT',
  413: 'BODY_TOO_LARGE',
  431: 'HEADERS_TOO_LARGE',
  503: 'OVERLOADED',
};

/** The answer to bytes that never became a request, in the same body family as every other refusal. */
export function renderProtocolError(
  error: ProtocolError,
  now: number,
  baseUrl: string,
): { headers: RawHeaders; body: string } {
  const document = buildProblem({
    code: CODES[error.status],
    requestId: requestId(now),
    baseUrl,
    details: { reason: error.reason },
    retryAfterSeconds: 1,
  });
  const rendered = renderProblem(document, 'plain');
  return {
    headers: buildProblemHeaders(document, { contentType: rendered.contentType }),
    body: rendered.body,
  };
}
