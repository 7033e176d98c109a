import { describe, expect, it } from 'vitest';

import { isSoundRequest, isSoundResponse, renderFields, statusLineOf } from './render-head.ts';

describe('renderFields', () => {
  it('writes names and values as they are, but for Connection', () => {
    const fields = renderFields(['X-a', 'b', 'Connection', 'Close', 'DATE', 'd', 'x-A', ''], false);
    expect(fields).toMatchObject({
      text: '\r\nX-a: b\r\nDATE: d\r\nx-A: ',
      contentLength: -1,
      hasDate: true,
      close: true,
      hosts: 0,
    });
  });

  it('says the length, and leaves it out where there is none', () => {
    const headers = ['content-Length', '07', 'Connection', 'keep-alive'];
    expect(renderFields(headers, false)).toMatchObject({
      text: '\r\ncontent-Length: 07',
      contentLength: 7,
      close: false,
    });
    expect(renderFields(headers, true)).toMatchObject({ text: '', contentLength: 7 });
  });

  it.each([
    [['Content-Length', '1', 'content-length', '1']],
    [['Content-Length', '+1']],
    [['Content-Length', '']],
    [['Host', 'a', 'host', 'a']],
    [['Transfer-Encoding', 'chunked']],
    [['Keep-Alive', 'timeout=1']],
    [['Upgrade', 'h2c']],
    [['Expect', '100-continue']],
    [['X', 'a\r\nSet-Cookie: b']],
    [['X', 'a\rb']],
    [['X: a\r\nY', 'b']],
    [['X ', 'b']],
    [['', 'b']],
    [['\u0158', 'b']],
  ])('refuses %j', (headers) => {
    expect(renderFields(headers, false).problem).toEqual(expect.any(String));
  });
});

describe('what is sent', () => {
  it.each(['a\nb', 'a\0b', 'a\x7f', '\u010a', '\ud83d\ude00'])('has no value like %j', (value) => {
    const { text } = renderFields(['X', 'y', 'Z', value], false);
    expect(isSoundRequest(`GET / HTTP/1.1${text}\r\n\r\n`)).toBe(false);
    expect(isSoundResponse(`HTTP/1.1 200 OK${text}\r\n\r\n`)).toBe(false);
  });

  it('may have a blank, a tab and any byte above 127 in a value', () => {
    const { text } = renderFields(['X', ' \t\x80\xff', 'Z', ''], false);
    expect(isSoundRequest(`M-SEARCH /a?b=c HTTP/1.1${text}\r\n\r\n`)).toBe(true);
    expect(isSoundResponse(`HTTP/1.1 299 ${text}`)).toBe(true);
  });

  it.each([
    'GET a HTTP/1.1',
    'GET /a b HTTP/1.1',
    'GET /\n HTTP/1.1',
    'get / HTTP/1.1',
    'GET /# HTTP/1.1',
  ])('has no request line like %j', (line) => {
    expect(isSoundRequest(`${line}\r\n\r\n`)).toBe(false);
  });
});

describe('statusLineOf', () => {
  it('knows the words, and does without', () => {
    expect(statusLineOf(404)).toBe('HTTP/1.1 404 Not Found');
    expect(statusLineOf(299)).toBe('HTTP/1.1 299 ');
  });

  it.each([99, 1000, 200.5, Number.NaN])('refuses %s', (status) => {
    expect(() => statusLineOf(status)).toThrow(RangeError);
  });
});
