import { describe, expect, it } from 'vitest';

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

it('a fault in the asking ends the body, and nothing is thrown at whoever reads the socket', () => {
  const request = new MemoryRequest();
  const upstream = new Upstream();
  const metered = new MeteredBody(request, () => {
    throw new Error('a bug');
  });
  metered.readBody(upstream);
  request.send('ab', 'cd');
  request.sink?.onEnd();
  expect(upstream.events).toEqual(['error a bug']);
});

describe('an answer that is awaited', () => {
  /** A metered body whose answers the test gives, one after the other. */
  function ask() {
    const answers: ((yes: boolean | Error) => void)[] = [];
    const request = new MemoryRequest();
    const upstream = new Upstream();
    const metered = new MeteredBody(
      request,
      () =>
        new Promise((resolve, reject) => {
          answers.push((yes) => (yes instanceof Error ? reject(yes) : resolve(yes)));
        }),
    );
    metered.readBody(upstream);
    const answer = async (yes: boolean | Error): Promise<void> => {
      answers.shift()?.(yes);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { request, upstream, metered, answer };
  }

  it('reads nothing more meanwhile, then goes on', async () => {
    const { request, upstream, metered, answer } = ask();
    request.send('ab');
    expect([request.paused, upstream.events]).toEqual([true, []]);
    metered.resumeBody();
    expect(request.paused).toBe(true);
    await answer(true);
    request.sink?.onEnd();
    expect([request.paused, upstream.events]).toEqual([false, ['ab', 'end']]);
  });

  it('does not go on for a sink that has had enough in the meantime', async () => {
    const { request, upstream, metered, answer } = ask();
    request.send('ab');
    metered.pauseBody();
    await answer(true);
    expect([request.paused, upstream.events]).toEqual([true, ['ab']]);
    metered.resumeBody();
    expect(request.paused).toBe(false);
  });

  it.each<[string, boolean | Error, readonly string[]]>([
    ['no: who refused has ended the sink', false, []],
    ['a failure: the sink hears of it', new Error('books'), ['error books']],
  ])('%s', async (_what, yes, events) => {
    const { request, upstream, answer } = ask();
    request.send('ab');
    await answer(yes);
    request.sink?.onEnd();
    expect([request.paused, upstream.events]).toEqual([true, events]);
  });

  it.each([true, new Error('books')])(
    'a client that breaks off meanwhile is the last the sink hears of (%s)',
    async (yes) => {
      const { request, upstream, answer } = ask();
      request.send('ab');
      request.sink?.onError(new Error('gone'));
      await answer(yes);
      expect(upstream.events).toEqual(['error gone']);
    },
  );
});
