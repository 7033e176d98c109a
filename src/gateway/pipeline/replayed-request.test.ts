import { describe, expect, it } from 'vitest';

import { MemoryRequest } from '../../../test/support/memory-exchange.ts';
import type { BodySink } from '../listener.ts';
import { ReplayedRequest } from './replayed-request.ts';

class Sink implements BodySink {
  readonly heard: string[] = [];
  onChunk(chunk: Buffer): void {
    this.heard.push(chunk.toString());
  }
  onEnd(): void {
    this.heard.push('end');
  }
  onError(): void {
    this.heard.push('error');
  }
}

const replay = (body: string) =>
  new ReplayedRequest(
    new MemoryRequest({ target: '/a?b', headers: ['A', 'b'] }),
    Buffer.from(body),
  );

describe('ReplayedRequest', () => {
  it('is the same request with its body and its length', () => {
    expect(replay('{"a":1}')).toMatchObject({
      method: 'POST',
      target: '/a?b',
      headers: ['A', 'b'],
      contentLength: 7,
    });
  });

  it('gives the bytes once, and then the end', () => {
    const sink = new Sink();
    replay('abc').readBody(sink);
    expect(sink.heard).toEqual(['abc', 'end']);
    const nothing = new Sink();
    replay('').readBody(nothing);
    expect(nothing.heard).toEqual(['end']);
  });

  it('does not end before whoever was busy with the bytes asks for more', () => {
    const request = replay('abc');
    const sink = new Sink();
    sink.onChunk = (chunk) => {
      sink.heard.push(chunk.toString());
      request.pauseBody();
    };
    request.readBody(sink);
    expect(sink.heard).toEqual(['abc']);
    request.resumeBody();
    request.resumeBody();
    expect(sink.heard).toEqual(['abc', 'end']);
  });
});
