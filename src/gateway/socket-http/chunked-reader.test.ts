import { describe, expect, it } from 'vitest';

import { ChunkedReader, EXTENSION_BYTES_MAX, TRAILER_BYTES_MAX } from './chunked-reader.ts';

interface Reading {
  readonly payload: string;
  readonly reader: ChunkedReader;
  /** Bytes behind the body. */
  readonly left: number;
}

/** Reads `text` in pieces of `size` bytes. */
function read(text: string, size = text.length): Reading {
  const reader = new ChunkedReader();
  let payload = '';
  let left = 0;
  for (let from = 0; from < text.length; from += size) {
    const bytes = Buffer.from(text.slice(from, from + size), 'latin1');
    let at = 0;
    while (at < bytes.length) {
      if (reader.done || reader.failed) break;
      at = reader.advance(bytes, at);
      const to = Math.min(bytes.length, at + reader.dataLeft);
      payload += bytes.toString('latin1', at, to);
      if (to > at) reader.take(to - at);
      at = to;
    }
    left += bytes.length - at;
  }
  return { payload, reader, left };
}

describe('ChunkedReader', () => {
  it.each([
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['0\r\n\r\n', ''],
    ['00005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['1\r\nh\r\nA\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n', 'h01234567890123456789a'],
    ['5;a;b=c;d="e \\" ;"\r\nhello\r\n0;last\r\n\r\n', 'hello'],
    ['2\r\n\r\n\r\n0\r\nX: y\r\nZ:\r\n\r\n', '\r\n'],
  ])('reads %j, wherever it is cut', (text, payload) => {
    for (let size = 1; size <= text.length; size += 1) {
      const reading = read(text, size);
      expect(reading.payload).toBe(payload);
      expect(reading.reader.done).toBe(true);
    }
  });

  it('leaves what comes behind the body', () => {
    expect(read('1\r\na\r\n0\r\n\r\nGET /')).toMatchObject({ payload: 'a', left: 5 });
  });

  it('is not done before its last line end', () => {
    const text = '5\r\nhello\r\n0\r\nX: y\r\n\r\n';
    for (let length = 0; length < text.length; length += 1) {
      const { reader } = read(text.slice(0, length) || '5');
      expect([reader.done, reader.failed]).toEqual([false, false]);
    }
  });

  it.each([
    ['5 \r\nhello', /chunk size/],
    ['5\t;a\r\nhello', /chunk size/],
    ['-5\r\nhello', /chunk size/],
    ['5h\r\nhello', /chunk size/],
    ['\r\nhello', /chunk size/],
    ['\nhello', /chunk size/],
    ['5\nhello', /CR after chunk size/],
    ['5\rhello', /LF in the chunk framing/],
    ['5;\r\nhello', /chunk extension/],
    ['5;a=\r\nhello', /chunk extension/],
    ['5;a b\r\nhello', /chunk extension/],
    ['5; a\r\nhello', /chunk extension/],
    ['5;a="b\r\nhello', /chunk extension/],
    ['5;a=b\nhello', /CR after chunk extension/],
    ['5;a="\n"\r\nhello', /CR after chunk extension/],
    ['5\r\nhelloX', /CR after chunk data/],
    ['5\r\nhello\n', /CR after chunk data/],
    ['5\r\nhello\rX', /LF in the chunk framing/],
    ['0\r\n\n', /CR after the last chunk/],
    ['0\r\nX: y\n\r\n', /CR after the last chunk/],
    ['0\r\nX y\r\n\r\n', /no colon in the trailers/],
    ['0\r\n X: y\r\n\r\n', /whitespace .* in the trailers/],
    ['0\r\nContent-Length: 5\r\n\r\n', /frames a message in the trailers/],
    ['0\r\nX: y\r\ntransfer-encoding: x\r\n\r\n', /frames a message in the trailers/],
    ['0\r\nX : y\r\n\r\n', /header name in the trailers/],
    ['0\r\nX: \x00\r\n\r\n', /header value.* in the trailers/],
    ['00000000000005\r\nhello', /too large/],
    ['ffffffffffffff\r\nhello', /too large/],
  ])('refuses %j', (text, says) => {
    for (let size = 1; size <= text.length; size += 1) {
      const { reader } = read(text, size);
      expect(reader.failed).toBe(true);
      expect(reader.problem).toMatch(says);
      expect(reader.status).toBe(400);
    }
  });

  it('bounds extensions over all chunks together, and trailers', () => {
    const chunk = `1;${'a'.repeat(EXTENSION_BYTES_MAX / 4)}\r\nx\r\n`;
    expect(read(chunk.repeat(3)).reader.failed).toBe(false);
    expect(read(chunk.repeat(4) + chunk).reader).toMatchObject({ failed: true, status: 413 });
    const trailers = `0\r\nX: ${'a'.repeat(TRAILER_BYTES_MAX)}\r\n\r\n`;
    expect(read(trailers).reader).toMatchObject({ failed: true, status: 431 });
  });
});
