import { describe, expect, it } from 'vitest';

import type { UpstreamRequest } from '../upstream.ts';
import { renderRequest } from './upstream-request.ts';

const REQUEST: UpstreamRequest = {
  origin: 'http://upstream',
  method: 'POST',
  path: '/a',
  headers: ['Host', 'one', 'X-Own', 'b'],
  body: Buffer.from('body'),
  connectTimeoutMs: 1,
  headersTimeoutMs: 1,
  idleTimeoutMs: 1,
};

function render(request: Partial<UpstreamRequest>): string {
  const rendered = renderRequest({ ...REQUEST, ...request }, 'upstream');
  return typeof rendered === 'string' ? `refused: ${rendered}` : rendered.head;
}

describe('headers that calls share', () => {
  it('stand in every head they are sent with, beside what is its own', () => {
    const sharedHeaders = ['X-Shared', 'c', 'Connection', 'close'];
    expect(render({ sharedHeaders })).toBe(
      'POST /a HTTP/1.1\r\nX-Shared: c\r\nHost: one\r\nX-Own: b\r\ncontent-length: 4\r\n\r\n',
    );
    expect(render({ sharedHeaders, headers: ['X-Own', 'd'], path: '/b' })).toBe(
      'POST /b HTTP/1.1\r\nX-Shared: c\r\nhost: upstream\r\nX-Own: d\r\ncontent-length: 4\r\n\r\n',
    );
  });

  it('may name the host and the length', () => {
    const sharedHeaders = ['Host', 'two', 'Content-Length', '4'];
    expect(render({ sharedHeaders, headers: [] })).toBe(
      'POST /a HTTP/1.1\r\nHost: two\r\nContent-Length: 4\r\n\r\n',
    );
    expect(render({ sharedHeaders, headers: [], body: Buffer.from('x') })).toMatch(/^refused/);
  });

  it.each([
    [['Host', 'two'], []],
    [
      ['Content-Length', '4'],
      ['Content-Length', '4'],
    ],
    [['X', 'a\r\nY: b'], []],
    [['X', 'a\nY: b'], []],
    [['X', 'a\0'], []],
    [['X Y', 'a'], []],
    [['Transfer-Encoding', 'chunked'], []],
  ])('%j are refused, the second time too', (sharedHeaders, more) => {
    const headers = [...REQUEST.headers, ...more];
    expect(render({ sharedHeaders, headers })).toMatch(/^refused: /);
    expect(render({ sharedHeaders, headers })).toMatch(/^refused: /);
  });

  it('a fault of one call is not another one’s', () => {
    const sharedHeaders = ['X-Shared', 'c'];
    expect(render({ sharedHeaders, headers: ['X', 'a\nb'] })).toMatch(/^refused: /);
    expect(render({ sharedHeaders })).toMatch(/^POST/);
  });
});
