import { describe, expect, it } from 'vitest';

import type { RawHeaders } from '../listener.ts';
import { renderAnswerHead } from './answer-head.ts';
import { renderFields } from './render-head.ts';

const END = '\r\n\r\n';

function render(own: RawHeaders, shared?: RawHeaders, end = END): string {
  return renderAnswerHead(200, renderFields(own, false), shared, end);
}

describe('the head of an answer', () => {
  it('has its own fields and those it shares, of whichever list it is given', () => {
    const [one, other] = [
      ['X-Shared', 'a'],
      ['X-Shared', 'b'],
    ];
    for (const [shared, letter] of [
      [one, 'a'],
      [one, 'a'],
      [other, 'b'],
      [one, 'a'],
    ] as const) {
      expect(render(['X-Own', 'c'], shared)).toBe(
        `HTTP/1.1 200 OK\r\nX-Own: c\r\nX-Shared: ${letter}${END}`,
      );
    }
    expect(render([], [])).toBe(`HTTP/1.1 200 OK${END}`);
    expect(render([])).toBe(`HTTP/1.1 200 OK${END}`);
  });

  it.each([
    [['X', 'a\r\nY: b']],
    [['X', 'a\nb']],
    [['X Y', 'a']],
    [['Content-Length', '1']],
    [['Date', 'today']],
    [['Connection', 'close']],
    [['Host', 'a']],
    [['Transfer-Encoding', 'chunked']],
  ])('is none with %j among those it shares, the second time too', (headers) => {
    const rendersShared = (): string => render([], headers);
    expect(rendersShared).toThrow(TypeError);
    expect(rendersShared).toThrow(TypeError);
    expect(render(['X', 'a'], [])).toContain('X: a');
  });

  it('is none with a value of its own that ends the line, nor with such an end', () => {
    expect(() => render(['X', 'a\r\nY: b'], [])).toThrow(TypeError);
    expect(() => render(['X', 'a\nb'], [])).toThrow(TypeError);
    expect(() => render([], [], '\r\nX: a\nb')).toThrow(TypeError);
  });
});
