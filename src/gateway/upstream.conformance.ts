import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { TEST_CERTIFICATE } from '../../test/support/test-certificate.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import {
  call,
  listen,
  openClientLab,
  ScriptedBody,
  startHttp,
  startRaw,
  type Upstream,
  WAIT_MS,
} from './upstream-fixture.conformance.ts';
import type { UpstreamClient, UpstreamClientOptions } from './upstream.ts';

/** The transport's own field says what is the default anyway. */
function withoutConnection(headers: readonly string[]): readonly string[] {
  const at = headers.indexOf('connection');
  return at < 0 ? headers : headers.toSpliced(at, 2);
}

/** What an UpstreamClient is. An adapter is done when all of this passes. */
export function describeUpstreamClient(
  name: string,
  create: (options: UpstreamClientOptions) => UpstreamClient,
): void {
  const createClient = openClientLab(create);

  describe(`upstream client ${name}`, () => {
    describe('a call', () => {
      it('passes names, order and duplicates of headers in both directions, and the body whole', async () => {
        let seen: string[] = [];
        let sent = '';
        const upstream = await startHttp((request, response) => {
          seen = request.rawHeaders;
          request.on('data', (chunk: Buffer) => (sent += chunk.toString()));
          request.on('end', () => {
            response.writeHead(207, ['X-A', '1', 'x-a', '2', 'Content-Length', '4']);
            response.end('done');
          });
        });
        const outcome = call(createClient(), {
          origin: upstream.origin,
          method: 'POST',
          path: '/a?b=%2f',
          headers: ['host', 'shop.example', 'X-B', '1', 'x-b', '\u00e4'],
          body: Buffer.from('hello'),
        });
        await outcome.done;
        expect(sent).toBe('hello');
        expect(withoutConnection(seen)).toEqual([
          ...['host', 'shop.example', 'X-B', '1', 'x-b', '\u00e4', 'content-length', '5'],
        ]);
        expect(outcome).toMatchObject({
          status: 207,
          body: 'done',
          ended: true,
          failure: undefined,
        });
        expect(outcome.headers.slice(0, 6)).toEqual([
          'X-A',
          '1',
          'x-a',
          '2',
          'Content-Length',
          '4',
        ]);
      });

      it('neither follows redirects nor decompresses', async () => {
        let calls = 0;
        const upstream = await startHttp((_request, response) => {
          calls += 1;
          response.writeHead(302, { location: '/elsewhere', 'content-encoding': 'gzip' });
          response.end('not gzip at all');
        });
        const outcome = call(createClient(), { origin: upstream.origin });
        await outcome.done;
        expect(outcome).toMatchObject({ status: 302, body: 'not gzip at all', ended: true });
        expect(calls).toBe(1);
      });

      it('skips interim answers', async () => {
        const upstream = await startRaw((socket) => {
          socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
        const outcome = call(createClient(), { origin: upstream.origin });
        await outcome.done;
        expect(outcome).toMatchObject({
          status: 200,
          body: 'ok',
          headers: ['Content-Length', '2'],
        });
      });

      it('reuses a connection, and opens another only for a call at the same time', async () => {
        const upstream = await startHttp((_request, response) => response.end('ok'));
        const client = createClient();
        for (let index = 0; index < 20; index += 1) {
          await call(client, { origin: upstream.origin }).done;
          // undici takes a connection back once it has read the answer to its end, a turn later.
          await nextTurn();
        }
        expect(upstream.accepted()).toBe(1);
        const pair = [1, 2].map(() => call(client, { origin: upstream.origin }));
        await Promise.all(pair.map(({ done }) => done));
        expect(upstream.accepted()).toBe(2);
      });
    });

    describe('the end of an answer', () => {
      it.each([
        ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', ''],
        ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
        ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\n\r\n', ''],
        ['no length', 'GET', 'HTTP/1.1 200 OK\r\n\r\nall of it', 'all of it'],
        ['HTTP/1.0', 'GET', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok'],
      ])('%s', async (_name, method, bytes, body) => {
        const upstream = await startRaw((socket) => socket.end(bytes));
        const outcome = call(createClient(), { origin: upstream.origin, method });
        await outcome.done;
        expect(outcome).toMatchObject({ ended: true, body, failure: undefined });
      });

      it.each([
        ['with the answer', 0],
        ['later', 1],
      ])(
        'bytes behind it, %s, are not the next answer (response splitting)',
        async (_name, late) => {
          const extra = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
          const upstream = await startRaw((socket) => {
            socket.write(
              `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood${late === 0 ? extra : ''}`,
            );
            if (late > 0) setImmediate(() => socket.write(extra));
          });
          const client = createClient();
          const bodies: string[] = [];
          for (let index = 0; index < 3; index += 1) {
            const outcome = call(client, { origin: upstream.origin });
            await outcome.done;
            bodies.push(outcome.body);
            await waitFor(() => upstream.open() === 0, { timeoutMs: WAIT_MS, what: 'the close' });
          }
          expect(bodies).toEqual(['good', 'good', 'good']);
        },
      );

      it.each([
        ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\nokX'],
        ['the same length twice', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
        ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
        ['a length that is none', 'Content-Length: 2x\r\n\r\nok'],
        ['a bare CR in a field', 'X: a\rb\r\nContent-Length: 2\r\n\r\nok'],
        ['a blank before a colon', 'Content-Length : 2\r\n\r\nok'],
        ['a chunk longer than its size', 'Transfer-Encoding: chunked\r\n\r\n2\r\nokX\r\n0\r\n\r\n'],
      ])('is never a matter of opinion: %s is refused', async (_name, bytes) => {
        const upstream = await startRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\n${bytes}`));
        const outcome = call(createClient(), { origin: upstream.origin });
        await outcome.done;
        expect(outcome.failure).toMatchObject({ kind: 'protocol', sent: true });
        expect(outcome.ended).toBe(false);
      });
    });

    describe('https upstreams', () => {
      async function startTls(): Promise<Upstream> {
        const upstream = await listen(
          createTlsServer(TEST_CERTIFICATE, (request, response) => {
            request.resume();
            response.end(`${request.method} ${request.url}`);
          }),
        );
        return { ...upstream, origin: upstream.origin.replace('http:', 'https:') };
      }

      it('are spoken to, one connection for many calls', async () => {
        vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
        const upstream = await startTls();
        const client = createClient();
        for (const path of ['/one', '/two']) {
          const body = Buffer.alloc(100_000, 'x');
          const outcome = call(client, { origin: upstream.origin, method: 'PUT', path, body });
          await outcome.done;
          expect(outcome).toMatchObject({ status: 200, body: `PUT ${path}`, failure: undefined });
          await nextTurn();
        }
        expect(upstream.accepted()).toBe(1);
      });

      it('are not trusted without a certificate: connect, not sent', async () => {
        const upstream = await startTls();
        const outcome = call(createClient(), { origin: upstream.origin });
        await outcome.done;
        expect(outcome.failure).toMatchObject({ kind: 'connect', sent: false });
      });
    });

    describe('bodies still arriving', () => {
      it.each([
        [
          'of a known length goes with Content-Length',
          10,
          ['content-length', '10'],
          'content-length',
        ],
        ['of unknown length goes chunked', -1, [], 'transfer-encoding'],
      ])('%s', async (_name, length, headers, framing) => {
        let seen: IncomingMessage | undefined;
        let received = '';
        const upstream = await startHttp((request, response) => {
          seen = request;
          request.on('data', (chunk: Buffer) => (received += chunk.toString()));
          request.on('end', () => response.end('ok'));
        });
        const body = new ScriptedBody(length);
        const outcome = call(createClient(), {
          origin: upstream.origin,
          method: 'POST',
          headers,
          body,
        });
        const sink = await body.begun();
        sink.onChunk(Buffer.from('hello'));
        await waitFor(() => received === 'hello', { timeoutMs: WAIT_MS, what: 'the first chunk' });
        sink.onChunk(Buffer.from('world'));
        sink.onEnd();
        await outcome.done;
        expect(received).toBe('helloworld');
        expect(seen?.headers[framing]).toBeDefined();
      });

      it('is paused while the upstream does not read, and resumed when it does', async () => {
        let request: IncomingMessage | undefined;
        let received = 0;
        const upstream = await startHttp((incoming, response) => {
          request = incoming;
          incoming.pause();
          incoming.on('end', () => response.end('ok'));
        });
        const body = new ScriptedBody(-1);
        const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
        const sink = await body.begun();
        const chunk = Buffer.alloc(256 * 1024);
        let given = 0;
        const total = 64;
        // The part of node-http/: chunks come while not paused.
        const feed = setInterval(() => {
          if (body.pauses > body.resumes || given === total) return;
          given += 1;
          sink.onChunk(chunk);
          if (given === total) sink.onEnd();
        }, 1);
        await waitFor(() => body.pauses > body.resumes && request, {
          timeoutMs: WAIT_MS,
          what: 'a pause',
        });
        request?.on('data', (data: Buffer) => (received += data.length));
        request?.resume();
        await outcome.done;
        clearInterval(feed);
        expect(received).toBe(chunk.length * total);
        expect(body.resumes).toBe(body.pauses);
      });

      it('fails the call as client-body when the client breaks off, and the upstream sees it end', async () => {
        let broken = false;
        const upstream = await startHttp((request) => {
          request.on('error', () => {
            broken = true;
          });
          request.resume();
        });
        const body = new ScriptedBody(-1);
        const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
        const sink = await body.begun();
        sink.onChunk(Buffer.from('half'));
        await waitFor(() => upstream.open() === 1, { timeoutMs: WAIT_MS, what: 'the connection' });
        sink.onError(new Error('gone'));
        await outcome.done;
        expect(outcome.failure).toEqual({ kind: 'client-body', sent: true, message: 'gone' });
        await waitFor(() => broken, { timeoutMs: WAIT_MS, what: 'the upstream to notice' });
      });

      it('survives a client that breaks off after the answer is complete', async () => {
        const upstream = await startHttp((_request, response) => {
          response.writeHead(413, { connection: 'close' });
          response.end('too long');
        });
        const body = new ScriptedBody(-1);
        const outcome = call(createClient(), { origin: upstream.origin, method: 'POST', body });
        const sink = await body.begun();
        sink.onChunk(Buffer.from('begun'));
        await outcome.done;
        expect(outcome).toMatchObject({ status: 413, body: 'too long', ended: true });
        sink.onChunk(Buffer.from('late'));
        sink.onError(new Error('gone'));
        expect(outcome.failure).toBeUndefined();
      });
    });

    describe('answers slower or faster than their reader', () => {
      it('pauses the upstream when onChunk returns false, until resume', async () => {
        const total = 64 * 1024 * 1024;
        let written = 0;
        const chunk = Buffer.alloc(256 * 1024);
        const upstream = await startHttp((_request, response) => {
          response.writeHead(200, { 'content-length': total });
          const fill = (): void => {
            while (written < total) {
              written += chunk.length;
              if (!response.write(chunk)) return;
            }
            response.end();
          };
          response.on('drain', fill);
          fill();
        });
        let received = 0;
        let paused = true;
        const outcome = call(createClient(), { origin: upstream.origin }, (data) => {
          received += data.length;
          return !paused;
        });
        await waitFor(() => received > 0, { timeoutMs: WAIT_MS, what: 'the first chunk' });
        let before = -1;
        await waitFor(
          () => {
            const still = before === written;
            before = written;
            return still;
          },
          { timeoutMs: WAIT_MS, what: 'the upstream to stop writing' },
        );
        expect(written).toBeLessThan(total);
        paused = false;
        outcome.resume();
        await outcome.done;
        expect(received).toBe(total);
      });
    });

    describe('a last chunk its reader had to think about', () => {
      it.each([
        ['with a length', { 'content-length': 4 }],
        ['in chunks', {}],
      ])(
        '%s: ends after resume, and the connection serves the next call',
        async (_name, headers) => {
          const upstream = await startHttp((_request, response) => {
            response.writeHead(200, headers);
            response.end('last');
          });
          const client = createClient();
          for (let index = 0; index < 3; index += 1) {
            let chunks = 0;
            const outcome = call(client, { origin: upstream.origin }, () => {
              chunks += 1;
              return false;
            });
            await waitFor(() => chunks > 0, { timeoutMs: WAIT_MS, what: 'the chunk' });
            await nextTurn();
            expect(outcome.ended).toBe(false);
            outcome.resume();
            await outcome.done;
            expect(outcome).toMatchObject({ ended: true, body: 'last' });
            await nextTurn();
          }
          expect(upstream.accepted()).toBe(1);
        },
      );
    });

    describe('failures say whether anything was sent (GW-06: false is safe to try elsewhere)', () => {
      async function freePort(): Promise<string> {
        const server = createTcpServer();
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        await new Promise((resolve) => server.close(resolve));
        return `http://127.0.0.1:${port}`;
      }

      it('refused connection: connect, not sent; the body was not touched', async () => {
        const body = new ScriptedBody(-1);
        const outcome = call(createClient(), { origin: await freePort(), method: 'POST', body });
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
          origin: await freePort(),
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
        const server = createTcpServer();
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        await new Promise((resolve) => server.close(resolve));
        const client = createClient({ connectionsMax: 2 });
        const calls = Array.from({ length: 20 }, () =>
          call(client, { origin: `http://127.0.0.1:${port}` }),
        );
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
  });
}
