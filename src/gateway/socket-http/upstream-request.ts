import type { InboundRequest } from '../listener.ts';
import type { UpstreamRequest } from '../upstream.ts';
import { isSoundRequest, renderFields } from './render-head.ts';

/** A request as it goes to the upstream. */
export interface OutgoingRequest {
  readonly method: string;
  /** Latin1, with the empty line. */
  readonly head: string;
  readonly body: Buffer | InboundRequest | undefined;
  /** Bytes still owed of a body that is arriving; -1: chunked. */
  readonly bodyLength: number;
}

/** RFC 9110 8.6: these say that they have no body. */
const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * @param authority of the origin, for a request without a Host header.
 * @returns a string: why it cannot be sent. Nothing has been sent then.
 */
export function renderRequest(
  request: UpstreamRequest,
  authority: string,
): OutgoingRequest | string {
  const { method } = request;
  const fields = renderFields(request.headers, false);
  if (fields.problem !== undefined) return fields.problem;
  const body = bodyOf(request.body);
  const declared = fields.contentLength;
  const length = lengthOf(body);
  if (declared >= 0 && length >= 0 && declared !== length) {
    return `Content-Length says ${declared}, the body has ${length} bytes`;
  }
  const host = fields.hosts === 0 ? `\r\nhost: ${authority}` : '';
  const framing = declared >= 0 ? '' : renderFraming(method, body, length);
  const head = `${method} ${request.path} HTTP/1.1${host}${fields.text}${framing}\r\n\r\n`;
  const isOneLine = method.indexOf('\r') < 0 && request.path.indexOf('\r') < 0;
  if (method === 'CONNECT' || !isOneLine || !isSoundRequest(head)) {
    return 'the method, the path or a header has a character that no request may have';
  }
  return { method, head, body, bodyLength: declared >= 0 ? declared : length };
}

function bodyOf(body: UpstreamRequest['body']): UpstreamRequest['body'] {
  return body === undefined || Buffer.isBuffer(body) || body.contentLength !== 0 ? body : undefined;
}

function lengthOf(body: UpstreamRequest['body']): number {
  if (body === undefined) return 0;
  return Buffer.isBuffer(body) ? body.length : body.contentLength;
}

function renderFraming(method: string, body: UpstreamRequest['body'], length: number): string {
  if (length < 0) return '\r\ntransfer-encoding: chunked';
  if (body === undefined && !BODY_METHODS.has(method)) return '';
  return `\r\ncontent-length: ${length}`;
}
