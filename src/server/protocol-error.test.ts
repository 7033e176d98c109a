import { expect, it } from 'vitest';

import type { ProtocolError } from '../gateway/listener.ts';
import { isId } from '../platform/ids.ts';
import { renderProtocolError } from './protocol-error.ts';

it.each<[ProtocolError['status'], string, boolean]>([
  [400, 'MALFORMED_REQUEST', false],
  [408, 'REQUEST_TIMEOUT', true],
  [413, 'BODY_TOO_LARGE', false],
  [431, 'HEADERS_TOO_LARGE', false],
  [503, 'OVERLOADED', true],
])(
  'GW-15: bytes that are no request get %i %s in the one body of all refusals',
  (status, code, retryable) => {
    const { headers, body } = renderProtocolError(
      { status, reason: 'two Host headers' },
      1_800_000_000_000,
      'http://localhost:4020',
    );
    const document: unknown = JSON.parse(body);
    expect(document).toMatchObject({
      status,
      code,
      retryable,
      details: { reason: 'two Host headers' },
    });
    const header = (name: string): string | undefined => headers[headers.indexOf(name) + 1];
    expect(header('Content-Type')).toBe('application/problem+json');
    expect(isId('req', header('X-Request-Id') ?? '')).toBe(true);
    expect(headers.includes('x-should-retry')).toBe(!retryable);
  },
);
