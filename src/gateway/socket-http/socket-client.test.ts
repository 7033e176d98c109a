import { createServer as createTcpServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';

import { describe, expect, it, vi } from 'vitest';

import { TEST_CERTIFICATE } from '../../../test/support/test-certificate.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { describeUpstreamClient } from '../upstream.conformance.ts';
import {
  call,
  listen,
  openClientLab,
  ScriptedBody,
  startHttp,
  startRaw,
  takeSlowly,
  type Upstream,
  WAIT_MS,
} from '../upstream-fixture.conformance.ts';
import { createSocketClient } from './socket-client.ts';

describeUpstreamClient('socket-http', createSocketClient);

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers the first request of each connection, and does to the second what `second` says. */
async function startTired(
  second: (socket: Socket) => void,
): Promise<{ readonly upstream: Upstream; readonly requests: () => number }> {
  let requests = 0;
  const upstream = await listen(
    createTcpServer((socket) => {
      let own = 0;
      socket.on('data', () => {
        own += 1;
        requests += 1;
        if (own === 1) socket.write(OK);
        else second(socket);
      });
    }),
  );
  return { upstream, requests: () => requests };
}

describe('a kept connection that the upstream has grown tired of', () => {
  const createClient = openClientLab(createSocketClient);

  it.each([
    ['ends', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ])('%s: a call that may be repeated goes out once more, on a new one', async (_name, second) => {
    const { upstream, requests } = await startTired(second);
    const client = createClient();
    for (const method of ['GET', 'PUT']) {
      const body = method === 'PUT' ? Buffer.from('x') : undefined;
      const outcome = call(client, { origin: upstream.origin, method, body });
      await outcome.done;
      expect(outcome).toMatchObject({ status: 200, body: 'ok', failure: undefined });
    }
    expect([upstream.accepted(), requests()]).toEqual([2, 3]);
  });

  it('a POST that was sent does not', async () => {
    const { upstream, requests } = await startTired((socket) => socket.end());
    const client = createClient();
    await call(client, { origin: upstream.origin }).done;
    const outcome = call(client, {
      origin: upstream.origin,
      method: 'POST',
      body: Buffer.from('x'),
    });
    await outcome.done;
    expect(outcome.failure).toMatchObject({ kind: 'reset', sent: true });
    expect([upstream.accepted(), requests()]).toEqual([1, 2]);
  });

  it('nor does one whose body came from a client', async () => {
    const { upstream } = await startTired((socket) => socket.end());
    const client = createClient();
    await call(client, { origin: upstream.origin }).done;
    const body = new ScriptedBody(1);
    const outcome = call(client, { origin: upstream.origin, method: 'PUT', body });
    (await body.begun()).onChunk(Buffer.from('x'));
    await outcome.done;
    expect(outcome.failure).toMatchObject({ kind: 'reset', sent: true });
  });

  it('nor one that had an answer begun, nor one on a new connection, nor any twice', async () => {
    const begun = await startTired((socket) => socket.end('HTTP/1.1 200'));
    const client = createClient();
    await call(client, { origin: begun.upstream.origin }).done;
    const cut = call(client, { origin: begun.upstream.origin });
    await cut.done;
    expect(cut.failure).toMatchObject({ kind: 'reset', sent: true });

    const silent = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.end())),
    );
    const first = call(client, { origin: silent.origin });
    await first.done;
    expect(first.failure).toMatchObject({ kind: 'reset', sent: true });
    expect(silent.accepted()).toBe(1);
  });

  it('when nobody answers the second attempt, says what became of the first', async () => {
    const { upstream } = await startTired((socket) => socket.end());
    const client = createClient();
    await call(client, { origin: upstream.origin }).done;
    upstream.stopAccepting();
    const outcome = call(client, { origin: upstream.origin });
    await outcome.done;
    expect(outcome.failure).toMatchObject({ kind: 'reset', sent: true });
  });
});

describe('idle connections', () => {
  const createClient = openClientLab(createSocketClient);

  it.each([
    ['timeout=1', 0],
    ['timeout=5, max=100', 1],
    ['max=100', 1],
  ])(
    'Keep-Alive: %s leaves %s open: two seconds before its end it is not used',
    async (hint, left) => {
      const upstream = await startHttp((_request, response) => {
        response.setHeader('Connection', 'keep-alive');
        response.setHeader('Keep-Alive', hint);
        response.end('ok');
      });
      const client = createClient();
      await call(client, { origin: upstream.origin }).done;
      await waitFor(() => upstream.open() === left, { timeoutMs: WAIT_MS, what: 'the connection' });
      await call(client, { origin: upstream.origin }).done;
      expect(upstream.accepted()).toBe(2 - left);
    },
  );

  it('are used last in, first out', async () => {
    const ports: (number | undefined)[] = [];
    const upstream = await startHttp((request, response) => {
      ports.push(request.socket.remotePort);
      response.end('ok');
    });
    const client = createClient();
    const pair = [1, 2].map(() => call(client, { origin: upstream.origin }));
    await Promise.all(pair.map(({ done }) => done));
    await nextTurn();
    for (let index = 0; index < 3; index += 1) await call(client, { origin: upstream.origin }).done;
    expect(new Set(ports.slice(2)).size).toBe(1);
  });

  it('break when the upstream speaks without being asked', async () => {
    const { upstream } = await startTired(() => {});
    const sockets: Socket[] = [];
    const talkative = await listen(
      createTcpServer((socket) => {
        sockets.push(socket);
        socket.once('data', () => socket.write(OK));
      }),
    );
    const client = createClient();
    await call(client, { origin: talkative.origin }).done;
    sockets[0]?.write(OK);
    await waitFor(() => talkative.open() === 0, { timeoutMs: WAIT_MS, what: 'the close' });
    expect(upstream.accepted()).toBe(0);
  });
});

describe('an answer that nobody asked for', () => {
  const createClient = openClientLab(createSocketClient);

  it.each([1, 2, 3])(
    '%i turns of the loop old is not the answer to the next call',
    async (turns) => {
      const sockets: Socket[] = [];
      const upstream = await listen(
        createTcpServer((socket) => {
          sockets.push(socket);
          socket.on('data', () => socket.write(OK));
        }),
      );
      const client = createClient();
      await call(client, { origin: upstream.origin }).done;
      await new Promise((resolve) => {
        sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison', resolve);
      });
      for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      const outcome = call(client, { origin: upstream.origin });
      await outcome.done;
      expect(outcome.body).toBe('ok');
    },
  );
});

describe('an answer to the end of its connection, slowly taken', () => {
  const createClient = openClientLab(createSocketClient);
  const text = `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(300_000)}`;

  it('is whole when the upstream has ended it', async () => {
    const { origin } = await startRaw((socket) => socket.end(text));
    const outcome = await takeSlowly(createClient(), origin);
    expect(outcome).toMatchObject({ failure: undefined, ended: true });
    expect(outcome.body).toHaveLength(300_000);
  });

  it('is broken when the connection was reset', async () => {
    const { origin } = await startRaw((socket) => {
      socket.write(text.slice(0, 20_000), () => setImmediate(() => socket.resetAndDestroy()));
    });
    const outcome = await takeSlowly(createClient(), origin);
    expect(outcome).toMatchObject({ failure: { kind: 'reset' }, ended: false });
  });
});

describe('a call that waits for a connection', () => {
  const createClient = openClientLab(createSocketClient);

  it('gets one of its own when the one that is free has ended', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const upstream = await listen(
      createTlsServer(TEST_CERTIFICATE, (socket) => {
        socket.on('error', () => {}).once('data', () => socket.end(OK));
      }),
    );
    const origin = upstream.origin.replace('http', 'https');
    const client = createClient({ connectionsMax: 1 });
    const first = call(client, { origin });
    const body = new ScriptedBody(1);
    const second = call(client, { origin, method: 'POST', body });
    await first.done;
    const sink = await body.begun();
    sink.onChunk(Buffer.from('x'));
    sink.onEnd();
    await second.done;
    expect(second).toMatchObject({ status: 200, failure: undefined });
    expect(upstream.accepted()).toBe(2);
  });
});

describe('what is sent', () => {
  const createClient = openClientLab(createSocketClient);

  it.each([
    [{ method: 'POST', headers: ['Content-Length', '3'], body: Buffer.from('four') }],
    [{ method: 'POST', headers: ['Content-Length', '3'] }],
    [{ headers: ['X', 'a\r\nY: b'] }],
    [{ headers: ['X', 'a\nb'] }],
    [{ headers: ['Connection\r\n', 'x'] }],
    [{ headers: ['Host', 'a', 'host', 'b'] }],
    [{ path: '/a b' }],
    [{ path: '/a\r\nX: y' }],
    [{ method: 'GET / HTTP/1.1\r\nX:' }],
    [{ method: 'CONNECT' }],
  ])('is refused before it is sent when it is not one request: %j', async (request) => {
    const upstream = await startHttp((_request, response) => response.end('ok'));
    const outcome = call(createClient(), { origin: upstream.origin, ...request });
    await outcome.done;
    expect(outcome.failure).toMatchObject({ kind: 'protocol', sent: false });
    expect(upstream.accepted()).toBe(0);
  });

  it.each([
    ['longer', ['hello', 'world']],
    ['shorter', ['he']],
  ])('a body %s than declared breaks the call', async (_name, chunks) => {
    const upstream = await startHttp((request) => {
      request.on('error', () => {});
      request.resume();
    });
    const body = new ScriptedBody(5);
    const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
    const sink = await body.begun();
    for (const chunk of chunks) sink.onChunk(Buffer.from(chunk));
    sink.onEnd();
    await outcome.done;
    expect(outcome.failure).toMatchObject({ kind: 'client-body', sent: true });
  });

  it('has a Host of the origin and a length of 0 where they are missing', async () => {
    let seen: string[] = [];
    const upstream = await startHttp((request, response) => {
      seen = request.rawHeaders;
      response.end('ok');
    });
    await call(createClient(), { origin: upstream.origin, method: 'POST' }).done;
    expect(seen).toEqual(['host', upstream.origin.slice(7), 'content-length', '0']);
  });
});
