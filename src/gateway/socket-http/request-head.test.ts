import { describe, expect, it } from 'vitest';

import {
  CHUNKED,
  HEADER_FIELDS_MAX,
  owesContinue,
  parseRequestHead,
  type RequestHead,
} from './request-head.ts';

const HOST = 'Host: gate\r\n';

function parse(text: string): RequestHead {
  const head = parseRequestHead(text);
  if ('status' in head) throw new Error(`refused: ${head.reason}`);
  return head;
}

function refusal(text: string): string {
  const head = parseRequestHead(text);
  return 'status' in head ? `${head.status} ${head.reason}` : 'accepted';
}

describe('parseRequestHead', () => {
  it('keeps names and values as they came, without the blanks around a value', () => {
    const head = parse(`M-SEARCH /a?b=%20 HTTP/1.1\r\n${HOST}X-A:\t b  c \t\r\nx-a:\r\n`);
    expect(head).toMatchObject({ method: 'M-SEARCH', target: '/a?b=%20', bodyLength: 0 });
    expect(head.headers).toEqual(['Host', 'gate', 'X-A', 'b  c', 'x-a', '']);
  });

  it('takes bytes above 127 in values as Latin 1', () => {
    const head = parse(`GET / HTTP/1.1\r\n${HOST}X: \xff\r\n`);
    expect(head.headers[3]).toBe('\xff');
  });

  it.each([
    ['', 0],
    ['Content-Length: 0\r\n', 0],
    ['Content-Length: 0042\r\n', 42],
    ['CONTENT-LENGTH:\t42 \r\n', 42],
    ['Transfer-Encoding: Chunked\r\n', CHUNKED],
  ])('finds the body length of %j', (fields, bodyLength) => {
    expect(parse(`POST / HTTP/1.1\r\n${HOST}${fields}`).bodyLength).toBe(bodyLength);
  });

  it.each([
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: x, CLOSE\r\n', false],
    ['1.1', 'Connection: closer\r\n', true],
    ['1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['1.0', '', false],
    ['1.0', 'Connection: Keep-Alive\r\n', true],
    ['1.0', 'Connection: keep-alive, close\r\n', false],
  ])('HTTP/%s with %j keeps the connection: %s', (version, fields, keepAlive) => {
    expect(parse(`GET / HTTP/${version}\r\n${HOST}${fields}`).keepAlive).toBe(keepAlive);
  });

  it('owes a 100 only to an HTTP/1.1 client with a body', () => {
    const fields = `${HOST}Expect: 100-Continue\r\n`;
    const length = 'Content-Length: 1\r\n';
    expect(owesContinue(parse(`POST / HTTP/1.1\r\n${fields}${length}`))).toBe(true);
    expect(owesContinue(parse(`POST / HTTP/1.0\r\n${fields}${length}`))).toBe(false);
    expect(owesContinue(parse(`POST / HTTP/1.1\r\n${fields}`))).toBe(false);
  });

  it.each([
    ['get / HTTP/1.1', /^400 Invalid method/],
    ['GET  / HTTP/1.1', /^400 .*one blank apart/],
    ['GET /\x7f HTTP/1.1', /^400 the request target contains a character/],
    ['GET /\t HTTP/1.1', /^400 the request target contains a character/],
    ['GET /\xe4 HTTP/1.1', /^400 the request target contains a character/],
    ['GET / HTTP/1.1 ', /^400 Invalid request line/],
    ['GET / HTTP/1.2', /^400 HTTP version 1.2/],
    ['GET / HTTP/11', /^400 Expected HTTP\/1.1/],
    ['GET / http/1.1', /^400 Expected HTTP\/1.1/],
  ])('refuses the line %j', (line, says) => {
    expect(refusal(`${line}\r\n${HOST}`)).toMatch(says);
  });

  it.each([
    [': x', /^400 Invalid header name/],
    ['X\x00: x', /^400 Invalid header name/],
    ['X\xe4: x', /^400 Invalid header name/],
    ['X: a\x01b', /^400 Invalid header value/],
    ['X: a\x7f', /^400 Invalid header value/],
    ['\tX: a', /^400 Invalid header: unexpected whitespace/],
    ['no colon', /^400 Invalid header: no colon/],
    ['Host: a', /^400 two Host/],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', /^400 .*came twice/],
    ['Expect: 200-ok', /^400 the only expectation/],
  ])('refuses the field %j', (field, says) => {
    expect(refusal(`POST / HTTP/1.1\r\n${HOST}${field}\r\n`)).toMatch(says);
  });

  it.each(['a b', 'a/b', 'user@a', 'a?b', 'a#b', 'a, b', 'a\\b', '"a"', '\xe4'])(
    'refuses %j as Host: routes are chosen by it',
    (host) => {
      expect(refusal(`GET / HTTP/1.1\r\nHost: ${host}\r\n`)).toMatch(/^400 .*Host/);
    },
  );

  it.each(['', 'a', 'a.b:80', '[::1]:4020', 'a_b.example', '127.0.0.1'])(
    'takes %j as Host',
    (host) => {
      expect(refusal(`GET / HTTP/1.1\r\nHost: ${host}\r\n`)).toBe('accepted');
    },
  );

  it('counts fields', () => {
    const fields = (count: number): string => `GET / HTTP/1.1\r\n${HOST}${'a:b\r\n'.repeat(count)}`;
    expect(refusal(fields(HEADER_FIELDS_MAX - 1))).toBe('accepted');
    expect(refusal(fields(HEADER_FIELDS_MAX))).toMatch(/^431 more than/);
  });
});
