import type { InboundRequest, RawHeaders } from '../listener.ts';
import type { UpstreamRequest } from '../upstream.ts';
import {
  isSoundRequest,
  NO_FIELDS,
  type RenderedFields,
  renderFields,
  renderShared,
} from './render-head.ts';

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
  const shared = renderOnce(request.sharedHeaders);
  const problem = fields.problem ?? shared.problem ?? findTwice(fields, shared);
  if (problem !== undefined) return problem;
  const body = bodyOf(request.body);
  const declared = Math.max(fields.contentLength, shared.contentLength);
  const length = lengthOf(body);
  if (declared >= 0 && length >= 0 && declared !== length) {
    return `Content-Length says ${declared}, the body has ${length} bytes`;
  }
  const framing = declared >= 0 ? '' : renderFraming(method, body, length);
  const host = fields.hosts + shared.hosts === 0 ? `\r\nhost: ${authority}` : '';
  const own = `${host}${fields.text}${framing}\r\n\r\n`;
  const line = renderLine(request);
  // The shared fields have been looked at before.
  if (line === undefined || !isSoundRequest(line + own)) {
    return 'the method, the path or a header has a character that no request may have';
  }
  const head = line + shared.text + own;
  return { method, head, body, bodyLength: declared >= 0 ? declared : length };
}

/** Undefined: it would not be one line, or asks for what no upstream is asked. */
function renderLine({ method, path }: UpstreamRequest): string | undefined {
  if (method === 'CONNECT' || method.includes('\r') || path.includes('\r')) return undefined;
  return `${method} ${path} HTTP/1.1`;
}

/** What has been made of lists that come again, each checked once. */
const sharedFields = new WeakMap<RawHeaders, RenderedFields>();

function renderOnce(headers: RawHeaders | undefined): RenderedFields {
  if (headers === undefined || headers.length === 0) return NO_FIELDS;
  let fields = sharedFields.get(headers);
  if (fields === undefined) {
    fields = renderShared(headers);
    sharedFields.set(headers, fields);
  }
  return fields;
}

function findTwice(one: RenderedFields, other: RenderedFields): string | undefined {
  if (one.hosts > 0 && other.hosts > 0) return 'two Host headers';
  const isTwice = one.contentLength >= 0 && other.contentLength >= 0;
  return isTwice ? 'two Content-Length headers' : undefined;
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
