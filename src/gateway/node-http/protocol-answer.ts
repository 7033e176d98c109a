import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import type { ListenerOptions, ProtocolError } from '../listener.ts';

/** How long a refused connection may stay half open so that the client can read why. */
const REFUSED_LINGER_MS = 2_000;

const PARSER_ERRORS: ReadonlyMap<string, ProtocolError> = new Map([
  ['HPE_HEADER_OVERFLOW', { status: 431, reason: 'the header section is too long' }],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', { status: 413, reason: 'the chunk extensions are too long' }],
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, reason: 'the request head did not arrive in time' }],
  ['HPE_INVALID_EOF_STATE', { status: 400, reason: 'the connection ended inside a request' }],
]);

/** Translates an error of Node's HTTP server (`clientError`) into what the client is told. */
export function mapServerError(error: Error & { code?: string; reason?: string }): ProtocolError {
  const known = PARSER_ERRORS.get(error.code ?? '');
  // llhttp's own reasons are precise: `Missing expected CR after chunk size`.
  return known ?? { status: 400, reason: error.reason ?? error.message };
}

/** The whole answer to bytes that are not a request, for a socket no response object owns. */
export function answerOnSocket(
  socket: Duplex,
  error: ProtocolError,
  render: ListenerOptions['renderProtocolError'],
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { headers, body } = render(error);
  let head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  head += `Date: ${new Date().toUTCString()}\r\n`;
  head += `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
  // Unread bytes at close would reset the connection and could take the answer with them.
  socket.resume();
  setTimeout(() => socket.destroy(), REFUSED_LINGER_MS).unref();
}
