import { describe, expect, it } from 'vitest';

import type { Cors } from '../domain/catalog.ts';
import { buildCorsHeaders, buildPreflightHeaders, isPreflight } from './cors.ts';

const APP = 'https://app.example';
const ONE: Cors = { origins: [APP], allowCredentials: true, maxAgeSeconds: 600 };
const ANY: Cors = { origins: ['*'], allowCredentials: true, maxAgeSeconds: 600 };
const REQUEST = [
  ...['Origin', APP, 'Access-Control-Request-Method', 'PUT'],
  ...['Access-Control-Request-Headers', 'authorization,x-own'],
];

function valueOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((part, index) => index % 2 === 0 && part.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}

describe('a pre-flight (DESIGN 10)', () => {
  it.each([
    ['OPTIONS', REQUEST, true],
    ['OPTIONS', ['Origin', APP], false],
    ['OPTIONS', ['Access-Control-Request-Method', 'PUT'], false],
    ['GET', REQUEST, false],
  ])('is told from other requests: %s %j %s', (method, headers, expected) => {
    expect(isPreflight(method, headers)).toBe(expected);
  });

  it('lets a listed origin go on, with the headers it asked for', () => {
    const headers = buildPreflightHeaders(ONE, REQUEST);
    expect(valueOf(headers, 'access-control-allow-origin')).toBe(APP);
    expect(valueOf(headers, 'access-control-allow-credentials')).toBe('true');
    expect(valueOf(headers, 'access-control-allow-headers')).toBe('authorization,x-own');
    expect(valueOf(headers, 'access-control-allow-methods')).toContain('PUT');
    expect(valueOf(headers, 'access-control-max-age')).toBe('600');
    expect(valueOf(headers, 'vary')).toBe('Origin');
  });

  it('gives a foreign origin nothing', () => {
    const headers = buildPreflightHeaders(ONE, [
      'Origin',
      'https://evil.example',
      ...REQUEST.slice(2),
    ]);
    expect(headers.join()).not.toContain('Access-Control-Allow');
  });

  it('never combines any origin with credentials', () => {
    const headers = buildPreflightHeaders(ANY, REQUEST);
    expect(valueOf(headers, 'access-control-allow-origin')).toBe('*');
    expect(valueOf(headers, 'access-control-allow-credentials')).toBeUndefined();
  });

  it('does not echo a list of headers without end', () => {
    const asked = ['Access-Control-Request-Headers', 'x'.repeat(1_025)];
    const headers = buildPreflightHeaders(ONE, [...REQUEST.slice(0, 4), ...asked]);
    expect(valueOf(headers, 'access-control-allow-headers')).toBeUndefined();
  });
});

describe('every other answer', () => {
  it('exposes our headers, so that a script can read its 402', () => {
    const headers = buildCorsHeaders(ONE, REQUEST);
    expect(valueOf(headers, 'access-control-allow-origin')).toBe(APP);
    for (const name of [
      'X-Request-Id',
      'RateLimit',
      'x-tollkeeper-balance',
      'Link',
      'Retry-After',
    ]) {
      expect(valueOf(headers, 'access-control-expose-headers')?.split(', ')).toContain(name);
    }
  });

  it.each([
    ['no CORS configured', undefined, REQUEST, []],
    ['a foreign origin', ONE, ['Origin', 'https://evil.example'], ['Vary', 'Origin']],
    ['no origin', ONE, [], ['Vary', 'Origin']],
  ])('gives nothing away: %s', (_name, cors, headers, expected) => {
    expect(buildCorsHeaders(cors, headers)).toEqual(expected);
  });
});
