import { describe, expect, it } from 'vitest';

import {
  buildExchange,
  MemoryRequest,
  MemoryResponse,
} from '../../../test/support/memory-exchange.ts';
import type { Fault } from '../../domain/facts.ts';
import { collectBody } from './collect-body.ts';

/** What was called, and with what: at most one of them may be. */
function collect(
  request: MemoryRequest,
  bytesMax: number | undefined,
  response = new MemoryResponse(),
) {
  const exchange = buildExchange(request, response);
  const bodies: string[] = [];
  const faults: (Fault | undefined)[] = [];
  collectBody(
    exchange,
    bytesMax,
    (body) => bodies.push(body.toString()),
    (fault) => faults.push(fault),
  );
  return { exchange, bodies, faults };
}

describe('collectBody', () => {
  it.each([
    ['none', { contentLength: 0 }, [], ''],
    ['one chunk', { contentLength: 3 }, ['abc'], 'abc'],
    ['several chunks of unknown length', {}, ['a', 'bc', 'd'], 'abcd'],
    ['as much as the bound', {}, ['1234', '56'], '123456'],
  ])('gives the whole body once: %s', (_what, members, chunks, body) => {
    const request = new MemoryRequest(members);
    const { exchange, bodies, faults } = collect(request, 6);
    request.send(...chunks);
    if (request.contentLength !== 0) request.sink?.onEnd();
    expect([bodies, faults]).toEqual([[body], []]);
    expect(exchange.bodyStarted).toBe(true);
  });

  it('bound: a declared length above it is refused before anything is read', () => {
    const request = new MemoryRequest({ contentLength: 7 });
    const { exchange, bodies, faults } = collect(request, 6);
    expect(faults).toEqual([
      {
        code: 'BODY_TOO_LARGE',
        problem: 'the body is larger than the 6 bytes this route takes',
        pointer: undefined,
      },
    ]);
    expect([bodies, request.sink, exchange.bodyStarted]).toEqual([[], undefined, false]);
  });

  it('bound: a byte too much is refused once, and what still comes is let go', () => {
    const request = new MemoryRequest();
    const { exchange, bodies, faults } = collect(request, 6);
    request.send('123456', '7', '8');
    request.sink?.onEnd();
    request.sink?.onError(new Error('reset'));
    expect(faults).toMatchObject([{ code: 'BODY_TOO_LARGE' }]);
    expect(bodies).toEqual([]);
    // What is unread makes the connection useless: the answer says so by this.
    expect(exchange.bodyStarted).toBe(false);
  });

  it('a route without a bound takes what comes', () => {
    const request = new MemoryRequest({ contentLength: 100_000 });
    const { bodies } = collect(request, undefined);
    request.send(Buffer.alloc(100_000, 'x'));
    request.sink?.onEnd();
    expect(bodies[0]).toHaveLength(100_000);
  });

  it.each([
    [
      'wrong framing is the fault of the request',
      false,
      { code: 'MALFORMED_REQUEST', problem: 'bad chunk', pointer: undefined },
    ],
    ['a client that left is nobody to tell', true, undefined],
  ])('%s', (_what, closed, fault) => {
    const request = new MemoryRequest();
    const response = new MemoryResponse();
    const { bodies, faults } = collect(request, 6, response);
    request.send('12');
    response.closed = closed;
    request.sink?.onError(new Error('bad chunk'));
    request.sink?.onError(new Error('again'));
    expect([bodies, faults]).toEqual([[], [fault]]);
  });
});
