import { describe, expect, it } from 'vitest';

import { MemoryRequest, MemoryResponse } from '../../test/support/memory-exchange.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { type FetchApp, serveFetch } from './fetch-bridge.ts';

const ORIGIN = 'http://localhost:4020';
const BOUND = 192 * 1024;

const refuseBody: FetchApp['refuseBody'] = (request, allowedBytes) =>
  new Response(`${request.url}: at most ${allowedBytes}`, { status: 413 });

/** Tells what reached it. */
const echo: FetchApp = {
  refuseBody,
  fetch: async (request) =>
    new Response(`${request.method} ${request.url} ${await request.text()}`, {
      status: 201,
      headers: [
        ['content-type', 'text/plain'],
        ['content-length', '999999'],
        ['x-seen', request.headers.get('x-a') ?? ''],
        ['set-cookie', 'one=1'],
        ['set-cookie', 'two=2'],
      ],
    }),
};

async function answerTo(
  app: FetchApp,
  request: MemoryRequest,
  chunks: readonly (string | Buffer)[] = [],
): Promise<MemoryResponse> {
  const response = new MemoryResponse();
  serveFetch(app, ORIGIN, request, response);
  request.send(...chunks);
  if (request.contentLength !== 0) request.sink?.onEnd();
  await waitFor(() => response.ended, { timeoutMs: 5000, what: 'the answer' });
  return response;
}

describe('serveFetch', () => {
  it('hands method, target, headers and body over and writes the answer with its own length', async () => {
    const request = new MemoryRequest({
      target: '/pay/x?y=1',
      headers: ['X-A', 'one', 'x-a', 'two'],
    });
    const response = await answerTo(echo, request, ['a', 'bc']);
    const body = `POST ${ORIGIN}/pay/x?y=1 abc`;
    expect([response.status, response.body]).toEqual([201, body]);
    expect(response.header('x-seen')).toBe('one, two');
    expect(response.header('content-length')).toBe(String(body.length));
    expect(response.headers.filter((name) => name.toLowerCase() === 'content-length')).toHaveLength(
      1,
    );
    expect(response.headers.filter((name) => name === 'set-cookie')).toHaveLength(2);
  });

  it.each([
    ['GET', 'GET http://localhost:4020/ '],
    ['HEAD', ''],
  ])('%s has no body either way, even if one was sent', async (method, body) => {
    const silent = await answerTo(echo, new MemoryRequest({ method, contentLength: 0 }));
    expect([silent.status, silent.body]).toEqual([201, body]);
    const talkative = await answerTo(echo, new MemoryRequest({ method, contentLength: 3 }), [
      'abc',
    ]);
    expect([talkative.status, talkative.body]).toEqual([201, body]);
  });

  it('HEAD tells no length of a body that the app left out', async () => {
    const head = await answerTo(echo, new MemoryRequest({ method: 'HEAD', contentLength: 0 }));
    expect([head.status, head.header('content-length')]).toEqual([201, undefined]);
  });

  it('bound: a body of 192 KiB is taken', async () => {
    const response = await answerTo(echo, new MemoryRequest(), [Buffer.alloc(BOUND, 'x')]);
    expect(response.status).toBe(201);
  });

  it('bound: one byte more is refused in the words of the app, and never reaches it', async () => {
    let calls = 0;
    const app: FetchApp = {
      refuseBody,
      fetch: () => {
        calls += 1;
        return new Response();
      },
    };
    const request = new MemoryRequest({ target: '/x' });
    const response = await answerTo(app, request, [Buffer.alloc(BOUND, 'x'), 'y', 'z']);
    expect([response.status, response.header('connection'), calls]).toEqual([413, 'close', 0]);
    expect(response.body).toBe(`${ORIGIN}/x: at most ${BOUND}`);
  });

  it('a body that breaks off never reaches the app', async () => {
    const response = new MemoryResponse();
    const request = new MemoryRequest();
    const fetch = () => Promise.reject(new Error('reached'));
    serveFetch({ refuseBody, fetch }, ORIGIN, request, response);
    request.send('abc');
    request.sink?.onError(new Error('reset'));
    request.sink?.onError(new Error('again'));
    await waitFor(() => response.ended, { timeoutMs: 5000, what: 'the answer' });
    expect([response.status, response.ended]).toEqual([413, true]);
  });

  it.each<[string, FetchApp, string]>([
    ['an app that throws', { refuseBody, fetch: () => Promise.reject(new Error('no')) }, 'GET'],
    [
      'an app that throws at once',
      {
        refuseBody,
        fetch: () => {
          throw new Error('no');
        },
      },
      'GET',
    ],
    ['a method that is none', echo, 'NO METHOD'],
  ])('nobody is left waiting by %s', async (_what, app, method) => {
    const response = await answerTo(app, new MemoryRequest({ method, contentLength: 0 }));
    expect([response.status, response.body]).toEqual([500, '']);
  });

  it.each(['TRACE', 'CONNECT', 'TRACK'])(
    '%s, of which Fetch makes no request, is 405 with and without a body',
    async (method) => {
      for (const contentLength of [0, 3]) {
        const response = new MemoryResponse();
        serveFetch(echo, ORIGIN, new MemoryRequest({ method, contentLength }), response);
        expect([response.status, response.ended]).toEqual([405, true]);
        expect(response.header('allow')).toBe('GET, HEAD, POST');
      }
    },
  );
});
