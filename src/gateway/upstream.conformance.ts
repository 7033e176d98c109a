import { createServer as createTlsServer } from 'node:https';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { TEST_CERTIFICATE } from '../../test/support/test-certificate.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { describeBodies } from './upstream-bodies.conformance.ts';
import { describeFailures } from './upstream-failures.conformance.ts';
import {
  call,
  listen,
  openClientLab,
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

    describeBodies(createClient);
    describeFailures(createClient);
  });
}
