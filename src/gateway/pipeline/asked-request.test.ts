import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AskedRequest, compilePointer } from './asked-request.ts';

function ask(
  members: { headers?: string[]; target?: string; contentLength?: number },
  parsed?: unknown,
): AskedRequest {
  const request = { headers: [], target: '/', contentLength: 0, ...members };
  return new AskedRequest(request, parsed === undefined ? undefined : { parsed, bytes: 7 });
}

describe('AskedRequest', () => {
  it('finds every header of a name, whatever its spelling', () => {
    const asked = ask({ headers: ['Proxy', 'a', 'X-Proxy', 'b', 'pROXY', 'c'] });
    expect(asked.headerValues('proxy')).toEqual(['a', 'c']);
    expect(asked.headerValues('other')).toEqual([]);
  });

  it('decodes the query and keeps every value: which one an upstream believes nobody knows', () => {
    const asked = ask({ target: '/a?render%5Fjs=false&render_js=true&note=a+b%20c' });
    expect(asked.queryValues('render_js')).toEqual(['false', 'true']);
    expect(asked.queryValues('note')).toEqual(['a b c']);
    expect(ask({ target: '/a' }).queryValues('a')).toEqual([]);
  });

  it.each([
    ['', { a: 1 }, { a: 1 }],
    ['/a', { a: 1 }, 1],
    ['/a/b~1c/~0', { a: { 'b/c': { '~': 'x' } } }, 'x'],
    ['/list/1', { list: ['x', 'y'] }, 'y'],
    ['/list/2', { list: ['x', 'y'] }, undefined],
    ['/a/b', { a: 'text' }, undefined],
    ['/a/b', { a: null }, undefined],
    ['/constructor', {}, undefined],
    ['/__proto__/x', {}, undefined],
  ])('the pointer %j finds its member', (pointer, body, found) => {
    expect(ask({}, body).bodyValue(compilePointer(pointer))).toEqual(found);
  });

  it('any member of any object is found by its own pointer', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), fc.string(), (body, name) => {
        const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const expected = Object.hasOwn(body, name) ? body[name] : undefined;
        expect(ask({}, body).bodyValue(compilePointer(pointer))).toBe(expected);
      }),
    );
  });

  it('knows the size of a body that was read, and what a request says of another', () => {
    expect(ask({ contentLength: 100 }, {}).bodyBytes).toBe(7);
    expect(ask({ contentLength: 100 }).bodyBytes).toBe(100);
    expect(ask({ contentLength: -1 }).bodyBytes).toBe(-1);
  });
});
