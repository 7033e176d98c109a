import type { ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { waitFor } from '../../test/support/wait-for.ts';
import {
  type CreateClient,
  call,
  ScriptedBody,
  startHttp,
  startRaw,
  WAIT_MS,
} from './upstream-fixture.conformance.ts';

/** An origin where nobody listens. */
async function unusedOrigin(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Behind what was written: it is in the kernel already. */
function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

/** How calls of an UpstreamClient fail, are given up, and are bounded. */
export function describeFailures(createClient: CreateClient): void {
  describe('failures say whether anything was sent (GW-06: false is safe to try elsewhere)', () => {
    it('refused connection: connect, not sent; the body was not touched', async () => {
      const body = new ScriptedBody(-1);
      const outcome = call(createClient(), { origin: await unusedOrigin(), method: 'POST', body });
      await outcome.done;
      expect(outcome.failure).toMatchObject({ kind: 'connect', sent: false });
      expect(body.sink).toBeUndefined();
    });

    it('no answer to the connection attempt: timeout, not sent', async () => {
      // 192.0.2.0/24 is TEST-NET-1 (RFC 5737): packets to it go nowhere, or the network says so at once.
      const outcome = call(createClient(), {
        origin: 'http://192.0.2.1:9',
        connectTimeoutMs: 100,
      });
      await outcome.done;
      expect(outcome.failure?.sent).toBe(false);
      expect(['timeout', 'connect']).toContain(outcome.failure?.kind);
    });

    it('silence before the head: timeout, sent', async () => {
      const upstream = await startRaw(() => {});
      const outcome = call(createClient(), { origin: upstream.origin, headersTimeoutMs: 100 });
      await outcome.done;
      expect(outcome.failure).toMatchObject({ kind: 'timeout', sent: true });
      expect(outcome.status).toBe(0);
    });

    it('interim answers without end: timeout, sent', async () => {
      const upstream = await startRaw((socket) => {
        const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20);
        socket.once('close', () => clearInterval(timer));
      });
      const outcome = call(createClient(), { origin: upstream.origin, headersTimeoutMs: 100 });
      await outcome.done;
      expect(outcome.failure).toMatchObject({ kind: 'timeout', sent: true });
    });

    it.each([
      ['a reset', reset, false, false],
      ['a reset together with the last bytes', reset, false, true],
      ['a close', (socket: Socket) => socket.end(), true, false],
    ])('%s of a body that ends with its connection', async (_name, end, ended, together) => {
      let connection: Socket | undefined;
      const upstream = await startRaw((socket) => {
        connection = socket;
        socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
        if (together) end(socket);
      });
      const outcome = call(createClient(), { origin: upstream.origin }, () => {
        if (connection !== undefined) end(connection);
        return true;
      });
      await outcome.done;
      expect(outcome).toMatchObject({ status: 200, body: 'half', ended });
      expect(outcome.failure?.sent).toBe(ended ? undefined : true);
    });

    it('silence inside the body: timeout after the head', async () => {
      const upstream = await startRaw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      });
      const outcome = call(createClient(), { origin: upstream.origin, idleTimeoutMs: 100 });
      await outcome.done;
      expect(outcome).toMatchObject({ status: 200, body: 'half', ended: false });
      expect(outcome.failure).toMatchObject({ kind: 'timeout', sent: true });
    });

    it.each([
      ['a close before the head', '', 'reset'],
      ['a close inside the body', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', 'reset'],
      [
        'a close inside a chunked body',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel',
        'reset',
      ],
      ['bytes that are not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'protocol'],
      [
        'bare LF in chunk framing',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n',
        'protocol',
      ],
      ['a head beyond 64 KiB', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, 'protocol'],
    ])('%s: sent', async (_name, bytes, kind) => {
      const upstream = await startRaw((socket) => socket.end(bytes));
      const outcome = call(createClient(), { origin: upstream.origin });
      await outcome.done;
      expect(outcome.failure).toMatchObject({ kind, sent: true });
      expect(outcome.ended).toBe(false);
    });

    it('a header no upstream may be sent: protocol, not sent', async () => {
      const outcome = call(createClient(), {
        origin: await unusedOrigin(),
        headers: ['transfer-encoding', 'chunked'],
      });
      await outcome.done;
      expect(outcome.failure).toMatchObject({ kind: 'protocol', sent: false });
    });

    it('a kept connection that the upstream has closed meanwhile is not used', async () => {
      let sockets: Socket[] = [];
      const upstream = await startHttp((request, response) => {
        sockets = [request.socket];
        response.end('ok');
      });
      const client = createClient();
      await call(client, { origin: upstream.origin }).done;
      for (const socket of sockets) socket.end();
      const outcome = call(client, { origin: upstream.origin });
      await outcome.done;
      expect(outcome).toMatchObject({ status: 200, failure: undefined });
      expect(upstream.accepted()).toBe(2);
    });
  });

  describe('abort', () => {
    it.each([
      ['before the head', ''],
      ['inside the body', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'],
    ])('%s closes the connection to the upstream', async (_name, bytes) => {
      let requested = false;
      const upstream = await startRaw((socket) => {
        requested = true;
        socket.write(bytes);
      });
      const outcome = call(createClient(), { origin: upstream.origin });
      await waitFor(() => requested && (bytes === '' || outcome.body === 'half'), {
        timeoutMs: WAIT_MS,
        what: 'the call to be under way',
      });
      outcome.abort();
      outcome.abort();
      await outcome.done;
      expect(outcome.failure).toMatchObject({ kind: 'aborted', sent: true });
      // undici may at once open another connection for the next call; the one that carried this call is gone.
      await waitFor(() => upstream.closed() === 1, { timeoutMs: WAIT_MS, what: 'the close' });
    });

    it('of a call still waiting for a connection sends nothing', async () => {
      const paths: string[] = [];
      const responses: ServerResponse[] = [];
      const upstream = await startHttp((request, response) => {
        paths.push(request.url ?? '');
        responses.push(response);
      });
      const client = createClient({ connectionsMax: 1 });
      const first = call(client, { origin: upstream.origin, path: '/first' });
      await waitFor(() => responses.length === 1, { timeoutMs: WAIT_MS, what: '/first' });
      const second = call(client, { origin: upstream.origin, path: '/second' });
      second.abort();
      await second.done;
      expect(second.failure).toMatchObject({ kind: 'aborted', sent: false });
      responses[0]?.end('ok');
      await first.done;
      const third = call(client, { origin: upstream.origin, path: '/third' });
      await waitFor(() => responses.length === 2, { timeoutMs: WAIT_MS, what: '/third' });
      responses[1]?.end('ok');
      await third.done;
      expect(paths).toEqual(['/first', '/third']);
    });

    it('after the end does nothing', async () => {
      const upstream = await startHttp((_request, response) => response.end('ok'));
      const outcome = call(createClient(), { origin: upstream.origin });
      await outcome.done;
      outcome.abort();
      expect(outcome.failure).toBeUndefined();
    });
  });

  describe('bounds', () => {
    it('opens at most connectionsMax connections, queues at most queuedMax calls, refuses the rest', async () => {
      const responses: ServerResponse[] = [];
      const upstream = await startHttp((_request, response) => responses.push(response));
      const client = createClient({ connectionsMax: 2, queuedMax: 3 });
      const calls = Array.from({ length: 8 }, () => call(client, { origin: upstream.origin }));
      await Promise.all(calls.slice(5).map(({ done }) => done));
      for (const { failure } of calls.slice(5)) {
        expect(failure).toMatchObject({ kind: 'connect', sent: false });
        expect(failure?.message).toMatch(/^too many calls waiting/);
      }
      for (let answered = 0; answered < 5; answered += 1) {
        const response = await waitFor(() => responses.shift(), {
          timeoutMs: WAIT_MS,
          what: `call ${answered}`,
        });
        response.end('ok');
      }
      await Promise.all(calls.slice(0, 5).map(({ done }) => done));
      expect(upstream.accepted()).toBe(2);
      expect(calls.slice(0, 5).every(({ ended }) => ended)).toBe(true);
    });

    it('fails every queued call when the upstream cannot be reached', async () => {
      const origin = await unusedOrigin();
      const client = createClient({ connectionsMax: 2 });
      const calls = Array.from({ length: 20 }, () => call(client, { origin }));
      await Promise.all(calls.map(({ done }) => done));
      for (const { failure } of calls) {
        expect(failure).toMatchObject({ kind: 'connect', sent: false });
      }
    });

    it('keeps at most originsMax pools: the oldest idle one makes room, a busy one does not', async () => {
      const held: ServerResponse[] = [];
      const idle = await startHttp((_request, response) => response.end('ok'));
      const busy = await startHttp((_request, response) => held.push(response));
      const other = await startHttp((_request, response) => response.end('ok'));
      const client = createClient({ originsMax: 1 });
      await call(client, { origin: idle.origin }).done;
      const running = call(client, { origin: busy.origin });
      await waitFor(() => held.length === 1, { timeoutMs: WAIT_MS, what: 'the busy upstream' });
      await waitFor(() => idle.open() === 0, {
        timeoutMs: WAIT_MS,
        what: 'the evicted pool to close',
      });
      const refused = call(client, { origin: other.origin });
      await refused.done;
      expect(refused.failure?.message).toMatch(/^too many upstream origins/);
      held[0]?.end('ok');
      await running.done;
      const admitted = call(client, { origin: other.origin });
      await admitted.done;
      expect(admitted.status).toBe(200);
    });
  });
}
