import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { KnownFields, MISSES_MAX } from './known-fields.ts';
import { CHUNKED, parseRequestHead, type RequestHead } from './request-head.ts';

const FIELDS = 'Host: gate\r\nX-A: b\r\n';

/** What is found of one head after others of the same connection, and how long it was. */
class Connection {
  readonly #known = new KnownFields();

  /** As a connection does: what is not found is read, and kept. `more`: bytes that have come behind it. */
  take(text: string, more = ''): RequestHead | undefined {
    const bytes = Buffer.from(`before${text}\r\n${more}`, 'latin1');
    const found = this.#known.find(bytes, 6);
    if (found !== undefined && this.#known.end !== bytes.length - more.length) {
      throw new Error(`the head ends at ${this.#known.end} of ${bytes.length}`);
    }
    if (found !== undefined) return found;
    const head = parseRequestHead(text);
    if (!('status' in head)) this.#known.keep(head, text);
    return undefined;
  }
}

function afterFirst(first: string, second: string, more = ''): RequestHead | undefined {
  const connection = new Connection();
  expect(connection.take(first)).toBeUndefined();
  return connection.take(second, more);
}

function post(length: string, line = 'POST /a HTTP/1.1'): string {
  return `${line}\r\nHost: gate\r\ncontent-LENGTH:\t${length} \r\nX-A: b\r\n`;
}

describe('a head with the fields of the one before', () => {
  it('is found with its own line and length, and its headers are as if it had been read', () => {
    const found = afterFirst(post('12'), post('0345', 'PUT /b?c=d HTTP/1.1'), 'body');
    expect(found).toEqual({
      ...parseRequestHead(post('0345', 'PUT /b?c=d HTTP/1.1')),
      sameFields: { forwarded: undefined },
    });
    expect(found?.bodyLength).toBe(345);
  });

  it.each([
    ['', 0],
    ['Transfer-Encoding: chunked\r\n', CHUNKED],
  ])('is found without a length: %j', (field, bodyLength) => {
    const fields = `${FIELDS}${field}\r\n`.slice(0, -2);
    const found = afterFirst(`GET / HTTP/1.1\r\n${fields}`, `PUT /x HTTP/1.1\r\n${fields}`);
    expect(found).toMatchObject({ method: 'PUT', target: '/x', bodyLength });
  });

  it('may expect a 100 for a body, also where the one before had none', () => {
    const expecting = (length: string): string =>
      post(length).replace('X-A: b', 'Expect: 100-continue');
    expect(afterFirst(expecting('0'), expecting('5'))).toMatchObject({
      expects: true,
      bodyLength: 5,
    });
  });

  it('has one object with all of its connection, and another after any that differs', () => {
    const connection = new Connection();
    connection.take(post('1'));
    const one = connection.take(post('2'))?.sameFields;
    expect(one).toBeDefined();
    expect(connection.take(post('3'))?.sameFields).toBe(one);
    connection.take(`GET / HTTP/1.1\r\n${FIELDS}`);
    connection.take(post('2'));
    const other = connection.take(post('2'))?.sameFields;
    expect(other).toBeDefined();
    expect(other).not.toBe(one);
  });
});

describe('a head that has to be read', () => {
  it.each<[string, string]>([
    ['another value', post('12').replace('X-A: b', 'X-A: c')],
    ['another case', post('12').replace('X-A', 'x-a')],
    ['a field more', `${post('12')}X-B: c\r\n`],
    ['a field less', post('12').replace('X-A: b\r\n', '')],
    ['a second length', post('12\r\nContent-Length: 12')],
    ['no length', post('')],
    ['no number', post('+5')],
    ['a number and more', post('5 5')],
    ['a length that is no exact number', post('1234567890123456')],
    ['an older version', post('12', 'POST /a HTTP/1.0')],
    ['a newer version', post('12', 'POST /a HTTP/1.2')],
    ['no method', post('12', 'post /a HTTP/1.1')],
    ['a method that is not served', post('12', 'CONNECT /a HTTP/1.1')],
    ['a method nobody knows', post('12', 'BREW /a HTTP/1.1')],
    ['a blank more', post('12', 'POST  /a HTTP/1.1')],
    ['a line feed in the line', post('12', 'POST /\na HTTP/1.1')],
  ])('%s', (_what, second) => {
    expect(afterFirst(post('12'), second)).toBeUndefined();
  });

  it('one that is not whole', () => {
    const known = new KnownFields();
    const head = parseRequestHead(post('12'));
    if ('status' in head) throw new Error(head.reason);
    known.keep(head, post('12'));
    const whole = Buffer.from(`${post('12')}\r\n`, 'latin1');
    for (let end = 0; end < whole.length; end += 1) {
      expect(known.find(whole.subarray(0, end), 0)).toBeUndefined();
    }
    expect(known.find(whole, 0)).toBeDefined();
  });

  it('bound: any, of a client whose heads differ each time', () => {
    const connection = new Connection();
    const take = (index: number) => connection.take(`GET / HTTP/1.1\r\n${FIELDS}X: ${index}\r\n`);
    for (let index = 0; index < MISSES_MAX; index += 1) expect(take(index)).toBeUndefined();
    expect(take(MISSES_MAX - 1)).toBeDefined();
    for (let index = 0; index <= MISSES_MAX; index += 1) expect(take(index)).toBeUndefined();
    expect(take(MISSES_MAX)).toBeUndefined();
  });
});

const lengths = fc.constantFrom('Content-Length: 5', 'content-length:17 ', 'Content-Length: 0', '');
const others = fc.constantFrom(
  'X-A: b',
  'X-A:',
  'Content-Lengths: 5',
  'X: Content-Length: 5',
  'Connection: close',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Host: two',
);
const heads = fc
  .record({
    line: fc.constantFrom(
      'GET / HTTP/1.1',
      'POST /a HTTP/1.1',
      'POST /a HTTP/1.0',
      'NO / HTTP/1.1',
    ),
    before: fc.array(others, { maxLength: 2 }),
    length: lengths,
    after: fc.array(others, { maxLength: 1 }),
  })
  .map(({ line, before, length, after }) => {
    const fields = ['Host: gate', ...before, length, ...after].filter((field) => field !== '');
    return [line, ...fields, ''].join('\r\n');
  });

it('whatever came before, what is found is what reading it gives', () => {
  let found = 0;
  fc.assert(
    fc.property(fc.array(heads, { minLength: 2, maxLength: 12 }), (texts) => {
      const connection = new Connection();
      for (const text of texts.flatMap((each) => [each, each.replace(': 5', ': 123')])) {
        const head = connection.take(text, 'body\r\n\r\n');
        if (head === undefined) continue;
        found += 1;
        expect({ ...head, sameFields: undefined }).toEqual(parseRequestHead(text));
      }
    }),
    { numRuns: 2000 },
  );
  expect(found).toBeGreaterThan(1000);
});
