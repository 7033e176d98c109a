import { describe, expect, it } from 'vitest';

import { renderFields, statusLineOf } from './render-head.ts';

describe('renderFields', () => {
  it('writes names and values as they are, but for Connection', () => {
    const fields = renderFields(['X-a', 'b', 'Connection', 'Close', 'DATE', 'd', 'x-A', ''], false);
    expect(fields).toMatchObject({
      text: 'X-a: b\r\nDATE: d\r\nx-A: \r\n',
      contentLength: -1,
      hasDate: true,
      close: true,
      hosts: 0,
    });
  });

  it('says the length, and leaves it out where there is none', () => {
    const headers = ['content-Length', '07', 'Connection', 'keep-alive'];
    expect(renderFields(headers, false)).toMatchObject({
      text: 'content-Length: 07\r\n',
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
    [['X', 'a\nb']],
    [['X', 'a\rb']],
    [['X', 'a\0b']],
    // One byte of it would be a line feed.
    [['X', '\u010a']],
    [['X: a\r\nY', 'b']],
    [['X ', 'b']],
    [['', 'b']],
  ])('refuses %j', (headers) => {
    expect(renderFields(headers, false)).toEqual(expect.any(String));
  });
});

describe('statusLineOf', () => {
  it('knows the words, and does without', () => {
    expect(statusLineOf(404)).toBe('HTTP/1.1 404 Not Found\r\n');
    expect(statusLineOf(299)).toBe('HTTP/1.1 299 \r\n');
  });

  it.each([99, 1000, 200.5, Number.NaN])('refuses %s', (status) => {
    expect(() => statusLineOf(status)).toThrow(RangeError);
  });
});
