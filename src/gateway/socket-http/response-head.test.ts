import { describe, expect, it } from 'vitest';

import { parseResponseHead } from './response-head.ts';

describe('parseResponseHead', () => {
  it.each([
    ['HTTP/1.1 200 OK', '', 'close', 0, false],
    ['HTTP/1.1 200 OK', 'Content-Length: 5', 'length', 5, true],
    ['HTTP/1.1 200 OK', 'Transfer-Encoding: CHUNKED', 'chunked', 0, true],
    ['HTTP/1.1 200 OK', 'Content-Length: 5\r\nConnection: close', 'length', 5, false],
    ['HTTP/1.0 200 OK', 'Content-Length: 5\r\nConnection: keep-alive', 'length', 5, false],
    ['HTTP/1.1 204 No Content', '', 'none', 0, true],
    ['HTTP/1.1 204 No Content', 'Content-Length: 0', 'none', 0, true],
    ['HTTP/1.1 204 No Content', 'Content-Length: 5', 'none', 0, false],
    ['HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked', 'none', 0, false],
    ['HTTP/1.1 304', 'Content-Length: 5', 'none', 0, true],
    ['HTTP/1.1 100 ', '', 'none', 0, true],
    ['HTTP/1.1 599 \xe4\t!', 'Content-Length: 0', 'length', 0, true],
  ])('frames %j with %j as %s', (line, fields, framing, bodyLength, keepAlive) => {
    const text = `${line}\r\n${fields}${fields === '' ? '' : '\r\n'}`;
    expect(parseResponseHead(text, 'GET')).toMatchObject({ framing, bodyLength, keepAlive });
  });

  it('gives the answer to HEAD no body, whatever it says', () => {
    for (const field of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'X: y']) {
      const head = parseResponseHead(`HTTP/1.1 200 OK\r\n${field}\r\n`, 'HEAD');
      expect(head).toMatchObject({ framing: 'none' });
    }
  });

  it.each([
    ['HTTP/1.1 200 OK', 'Content-Length: 5\r\nContent-Length: 5', /^Duplicate Content-Length/],
    ['HTTP/1.1 200 OK', 'Content-Length: 5, 5', /^Content-Length is not/],
    ['HTTP/1.1 200 OK', 'Content-Length: 99999999999999999', /^Content-Length is not/],
    ['HTTP/1.1 200 OK', 'Content-Length: 5\r\nTransfer-Encoding: chunked', /can't be present/],
    ['HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked', /other than chunked/],
    ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', /twice/],
    ['HTTP/1.0 200 OK', 'Transfer-Encoding: chunked', /^HTTP\/1.0 with/],
    ['HTTP/1.1 204 No', 'Content-Length: 5\r\nTransfer-Encoding: chunked', /can't be present/],
    ['HTTP/1.1 101 Go', 'Upgrade: websocket', /without being asked/],
    ['HTTP/1.0 103 Hints', 'X: y', /an interim answer of HTTP\/1\.0/],
    ['HTTP/1.1 200 OK', ' folded', /whitespace/],
    ['HTTP/1.1 200 OK', 'X : y', /header name/],
    ['HTTP/1.1 200 OK', 'X: a\rb', /Missing expected LF/],
    ['HTTP/1.1 200 OK', 'X: a\nY: b', /Missing expected CR/],
    ['HTTP/1.1 2000 OK', '', /^Invalid status line/],
    ['HTTP/1.1 099 OK', '', /^Invalid status line/],
    ['HTTP/1.1  200 OK', '', /^Invalid status line/],
    ['HTTP/2 200', '', /^Invalid status line/],
    ['HTTP/1.1 200 a\x00b', '', /^Invalid status line/],
  ])('refuses %j with %j', (line, fields, says) => {
    const text = `${line}\r\n${fields}${fields === '' ? '' : '\r\n'}`;
    expect(parseResponseHead(text, 'GET')).toMatch(says);
  });
});
