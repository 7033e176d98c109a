import { expect, it } from 'vitest';

import { MemoryRequest } from '../../../test/support/memory-exchange.ts';
import type { BodySink } from '../listener.ts';
import { MeteredBody } from './metered-body.ts';

class Upstream implements BodySink {
  readonly events: string[] = [];
  onChunk(chunk: Buffer): void {
    this.events.push(chunk.toString());
  }
  onEnd(): void {
    this.events.push('end');
  }
  onError(error: Error): void {
    this.events.push(`error ${error.message}`);
  }
}

it('is the request it meters, back-pressure included', () => {
  const request = new MemoryRequest({
    method: 'PUT',
    target: '/a',
    headers: ['A', 'b'],
    contentLength: 5,
  });
  const metered = new MeteredBody(request, () => true);
  const { method, target, headers, remoteAddress, secure, contentLength } = request;
  expect(metered).toMatchObject({ method, target, headers, remoteAddress, secure, contentLength });
  metered.pauseBody();
  expect(request.paused).toBe(true);
  metered.resumeBody();
  expect(request.paused).toBe(false);
});

it('asks for each chunk and passes it, its end or its error on', () => {
  const sizes: number[] = [];
  const request = new MemoryRequest();
  const upstream = new Upstream();
  new MeteredBody(request, (bytes) => sizes.push(bytes) > 0).readBody(upstream);
  request.send('ab', 'cde');
  request.sink?.onEnd();
  request.sink?.onError(new Error('late'));
  expect(sizes).toEqual([2, 3]);
  expect(upstream.events).toEqual(['ab', 'cde', 'end', 'error late']);
});

it('bound: a chunk that is not allowed is the last thing it hears of; who refused it has ended the sink', () => {
  let left = 3;
  const asked: number[] = [];
  const request = new MemoryRequest();
  const upstream = new Upstream();
  const metered = new MeteredBody(request, (bytes, sink) => {
    asked.push(bytes);
    left -= bytes;
    if (left < 0) sink.onError(new Error('hold used up'));
    return left >= 0;
  });
  metered.readBody(upstream);
  request.send('ab', 'cd', 'ef');
  request.sink?.onEnd();
  expect(upstream.events).toEqual(['ab', 'error hold used up']);
  expect(asked).toEqual([2, 2]);
});
