import { describe, expect, test } from 'vitest';

import { EventEdges, isEventStream } from './event-edges.ts';

const STREAM = ['Content-Type', 'text/event-stream; charset=utf-8'];

test.each<[string, readonly string[], boolean]>([
  ['events', STREAM, true],
  ['events in another spelling', ['content-type', 'Text/Event-Stream;charset=UTF-8'], true],
  ['events that are not compressed', [...STREAM, 'content-encoding', 'Identity'], true],
  ['another type', ['content-type', 'application/json'], false],
  ['no type', [], false],
  ['compressed events', [...STREAM, 'content-encoding', 'gzip'], false],
  ['so many bytes of events', [...STREAM, 'content-length', '12'], false],
])('%s: an event of ours may follow: %j %s', (_, headers, expected) => {
  expect(isEventStream(headers)).toBe(expected);
});

describe('a stream of events', () => {
  test.each([
    ['', true],
    ['data: a\n\n', true],
    ['data: a\r\n\r\n', true],
    ['data: a\n', false],
    ['data: a\n\ndata: b', false],
  ])('after %j every event is whole: %s, wherever its chunks end', (written, expected) => {
    for (let split = 0; split <= written.length; split += 1) {
      const edges = new EventEdges();
      expect(edges.isAtEdge).toBe(true);
      edges.pass(Buffer.from(written.slice(0, split)));
      edges.pass(Buffer.from(written.slice(split)));
      expect(edges.isAtEdge).toBe(expected);
    }
    const edges = new EventEdges();
    for (const byte of Buffer.from(written)) edges.pass(Buffer.of(byte));
    expect(edges.isAtEdge).toBe(expected);
  });

  test.each([
    // What went before, the chunk, how much of it there is, how much of it is sent.
    ['', 'data: a\n\ndata: b\n\n', 18, 18],
    ['', 'data: a\n\ndata: b\n\n', 17, 9],
    ['', 'data: a\r\n\r\ndata: b\r\n\r\n', 20, 11],
    ['', 'data: a\n\n', 8, 0],
    ['data: ', 'a\n\ndata: b', 9, 3],
    ['data: a\n', '\ndata: b', 5, 1],
    ['data: a\r\n\r', '\ndata: b', 5, 1],
    ['data: a\n\n', 'data: b', 5, 0],
    // It is torn already.
    ['data: ', 'abcdef', 4, 4],
  ])('after %j, of %j %i bytes: %i', (before, chunk, most, expected) => {
    const edges = new EventEdges();
    edges.pass(Buffer.from(before));
    expect(edges.lastEdge(Buffer.from(chunk), most)).toBe(expected);
  });
});
