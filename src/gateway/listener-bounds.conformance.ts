import { X509Certificate } from 'node:crypto';
import { request as sendTlsRequest } from 'node:https';

import { describe, expect, it } from 'vitest';

import { RawConnection } from '../../test/support/raw-connection.ts';
import { openTls } from '../../test/support/open-tls.ts';
import { RENEWED_CERTIFICATE, TEST_CERTIFICATE } from '../../test/support/test-certificate.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import type { InboundRequest, InboundResponse } from './listener.ts';
import {
  answer,
  type CreateListener,
  echo,
  HOST,
  openListenerLab,
  receives,
  WAIT_MS,
} from './listener-fixture.conformance.ts';

/** Bounds in bytes, in time and in connections; TLS; the end. */
export function describeBounds(create: CreateListener): void {
  const { start, open, send } = openListenerLab(create);
  describe('bounds', () => {
    it('431 for a head beyond headerBytesMax', async () => {
      const { port } = await start(echo, { headerBytesMax: 8 * 1024 });
      const client = await send(
        port,
        `GET / HTTP/1.1\r\n${HOST}X: ${'a'.repeat(100 * 1024)}\r\n\r\n`,
      );
      await receives(client, 'refused: the header section is too long');
      expect(client.received).toMatch(/^HTTP\/1.1 431 /);
    });

    it('431 for more header fields than HEADER_FIELDS_MAX', async () => {
      const { port } = await start(echo);
      const fields = Array.from({ length: 200 }, (_, index) => `x${index}: y\r\n`).join('');
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`);
      await receives(client, 'refused: more than 200 header fields');
      expect(client.received).toMatch(/^HTTP\/1.1 431 /);
    });

    it('413 for a length no number can hold exactly', async () => {
      const { port } = await start(echo);
      const head = `POST / HTTP/1.1\r\n${HOST}Content-Length: 9007199254740993\r\n\r\n`;
      const client = await send(port, head);
      await receives(client, 'refused: ');
      expect(client.received).toMatch(/^HTTP\/1.1 413 /);
    });

    it.each([
      ['half a head', `GET / HTTP/1.1\r\n${HOST}`],
      ['nothing', ''],
    ])('408 for %s after headersTimeoutMs', async (_name, bytes) => {
      const { port } = await start(echo, { headersTimeoutMs: 100 });
      const client = bytes === '' ? await open(port) : await send(port, bytes);
      await receives(client, 'refused: the request head did not arrive in time');
      expect(client.received).toMatch(/^HTTP\/1.1 408 /);
      await client.closed;
    });

    it('408 for a body that stops arriving, and the sink hears of it', async () => {
      let failed: Error | undefined;
      const { port } = await start(
        (request) => {
          request.readBody({
            onChunk: () => {},
            onEnd: () => {},
            onError: (error) => {
              failed = error;
            },
          });
        },
        { clientIdleTimeoutMs: 1_000 },
      );
      const client = await send(port, `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nhalf`);
      await receives(client, 'refused: the request body stopped arriving');
      expect(client.received).toMatch(/^HTTP\/1.1 408 /);
      expect(failed?.message).toBe('the request body stopped arriving');
    });

    it('breaks off a client that does not take its answer', async () => {
      let gone = false;
      const chunk = Buffer.alloc(1024 * 1024);
      const { port } = await start(
        (_request, response) => {
          response.onClientGone = () => {
            gone = true;
          };
          response.writeHead(200, []);
          // The kernel takes a few MiB at once; this goes on until it takes no more.
          const fill = (): void => {
            while (response.write(chunk));
          };
          response.onDrain = fill;
          fill();
        },
        { clientIdleTimeoutMs: 1_000 },
      );
      const client = await open(port);
      client.socket.pause();
      await client.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
      await waitFor(() => gone, { timeoutMs: WAIT_MS, what: 'onClientGone' });
      expect(gone).toBe(true);
    });

    it('closes a kept connection after keepAliveTimeoutMs', async () => {
      const { port } = await start((_request, response) => answer(response, 'ok'), {
        keepAliveTimeoutMs: 50,
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await receives(client, 'ok');
      await expect(client.closed).resolves.toBeUndefined();
    });

    it('counts the requests under way, however they end', async () => {
      const running: InboundResponse[] = [];
      const { port, listener } = await start((_request, response) => running.push(response));
      const open = (count: number) =>
        waitFor(() => listener.openRequests === count, {
          timeoutMs: WAIT_MS,
          what: `${count} open requests`,
        });
      const get = `GET / HTTP/1.1\r\n${HOST}\r\n`;
      const kept = await send(port, get + get);
      const closing = await send(port, `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      const leaving = await send(port, get);
      await open(3);
      for (const response of running.splice(0)) answer(response, 'ok');
      // Of the two in one packet the second begins when the first has ended.
      await open(1);
      for (const client of [kept, closing, leaving]) await receives(client, 'ok');
      for (const response of running.splice(0)) answer(response, 'ok');
      await open(0);
      await leaving.write(get);
      await open(1);
      leaving.destroy();
      await open(0);
      await kept.write(get);
      await open(1);
      running.at(-1)?.destroy();
      await open(0);
      await send(port, 'GET / HTTP/1.1\r\n\r\n').then((client) => receives(client, 'refused'));
      expect(listener.openRequests).toBe(0);
    });

    it('503 on connections beyond connectionsMax, and none at all a little further', async () => {
      const { port } = await start((_request, response) => answer(response, 'ok'), {
        connectionsMax: 2,
      });
      const get = `GET / HTTP/1.1\r\n${HOST}\r\n`;
      const kept = [await send(port, get), await send(port, get)];
      for (const client of kept) await receives(client, 'ok');
      const third = await send(port, get);
      await receives(third, 'refused: too many connections');
      expect(third.received).toMatch(/^HTTP\/1.1 503 .*connection: close/is);
      await third.closed;
      const crowd = await Promise.all(Array.from({ length: 80 }, () => open(port)));
      let closed = 0;
      for (const client of crowd) void client.closed.then(() => (closed += 1));
      await waitFor(() => closed >= 16, {
        timeoutMs: WAIT_MS,
        what: 'unheard connections to close',
      });
      kept[0]?.destroy();
      for (const client of crowd) client.destroy();
      await waitFor(
        async () => {
          const client = await send(port, get);
          await Promise.race([client.closed, receives(client, '\r\n\r\n')]);
          return client.received.includes('\r\n\r\nok');
        },
        { timeoutMs: WAIT_MS, what: 'room again' },
      );
    });
  });

  describe('server.tls (GW-16)', () => {
    it('serves over TLS and says so', async () => {
      let seen: InboundRequest | undefined;
      const { port, listener } = await start(
        (request, response) => {
          seen = request;
          echo(request, response);
        },
        { tls: TEST_CERTIFICATE },
      );
      const text = await new Promise<string>((resolve, reject) => {
        const outgoing = sendTlsRequest(
          { host: '127.0.0.1', port, method: 'POST', path: '/t', ca: TEST_CERTIFICATE.cert },
          (response) => {
            let body = '';
            response.setEncoding('utf8').on('data', (part: string) => (body += part));
            response.on('end', () => resolve(body));
          },
        );
        outgoing.on('error', reject);
        outgoing.end('hello');
      });
      expect(text).toBe('POST /t hello');
      expect(seen).toMatchObject({ secure: true, remoteAddress: '127.0.0.1' });
      await listener.drain(WAIT_MS);
    });

    it('shows a renewed certificate from the next handshake on, and keeps who is connected', async () => {
      const { port, listener } = await start(echo, { tls: TEST_CERTIFICATE });
      const before = await openTls(port);
      listener.renewTls(RENEWED_CERTIFICATE);
      const after = await openTls(port);
      expect([before.fingerprint, after.fingerprint]).toEqual([
        new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256,
        new X509Certificate(RENEWED_CERTIFICATE.cert).fingerprint256,
      ]);
      await before.client.write(`GET /still HTTP/1.1\r\n${HOST}\r\n`);
      await receives(before.client, 'GET /still');
      for (const { client } of [before, after]) client.destroy();
    });

    it('does not begin with a certificate that comes later', async () => {
      const { port, listener } = await start(echo);
      listener.renewTls(RENEWED_CERTIFICATE);
      const client = await send(port, `GET /plain HTTP/1.1\r\n${HOST}\r\n`);
      expect(await receives(client, 'GET /plain')).toMatch(/^HTTP\/1.1 200 /);
    });

    it('is not disturbed by a client that speaks plain HTTP', async () => {
      const { port } = await start(echo, { tls: TEST_CERTIFICATE });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await client.closed;
      expect(client.received).not.toContain('HTTP/1.1 200');
    });

    /** The beginning of a ClientHello that never comes. */
    const HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';

    it.each([
      ['nothing', ''],
      ['half a hello', HELLO],
    ])('breaks off a handshake that brings %s in headersTimeoutMs', async (_name, bytes) => {
      const { port } = await start(echo, { tls: TEST_CERTIFICATE, headersTimeoutMs: 100 });
      const client = bytes === '' ? await open(port) : await send(port, bytes);
      await client.closed;
      expect(client.received).toBe('');
    });

    it('counts handshakes among the connections', async () => {
      const { port } = await start(echo, { tls: TEST_CERTIFICATE, connectionsMax: 2 });
      const crowd = await Promise.all(Array.from({ length: 80 }, () => open(port)));
      let closed = 0;
      for (const client of crowd) void client.closed.then(() => (closed += 1));
      await waitFor(() => closed >= 80 - 2 - 64, {
        timeoutMs: WAIT_MS,
        what: 'unheard connections to close',
      });
      expect(closed).toBeLessThan(80);
    });

    it('does not wait for a handshake when it drains', async () => {
      const { port, listener } = await start(echo, { tls: TEST_CERTIFICATE });
      const client = await send(port, HELLO);
      await expect(listener.drain(60_000)).resolves.toBeUndefined();
      await client.closed;
    });
  });

  describe('drain', () => {
    it('closes idle connections, lets a running answer finish with Connection: close, accepts no more', async () => {
      let held: InboundResponse | undefined;
      const { port, listener } = await start((request, response) => {
        if (request.target === '/slow') held = response;
        else answer(response, 'ok');
      });
      const idle = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await receives(idle, 'ok');
      const silent = await open(port);
      const slow = await send(port, `GET /slow HTTP/1.1\r\n${HOST}\r\n`);
      await waitFor(() => held, { timeoutMs: WAIT_MS, what: 'the slow request' });
      const drained = listener.drain(WAIT_MS);
      await idle.closed;
      await silent.closed;
      await expect(RawConnection.open(port)).rejects.toThrow('ECONNREFUSED');
      if (held !== undefined) answer(held, 'slow');
      await slow.closed;
      expect(slow.received).toMatch(/connection: close.*slow$/is);
      await drained;
    });

    it('closes a connection whose head had already promised to keep it', async () => {
      let held: InboundResponse | undefined;
      const { port, listener } = await start((_request, response) => {
        response.writeHead(200, []);
        response.write('begun ');
        held = response;
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await receives(client, 'begun');
      const drained = listener.drain(WAIT_MS);
      held?.end('ended');
      await client.closed;
      expect(client.received).toContain('ended\r\n0\r\n\r\n');
      await drained;
    });

    it('breaks what still runs at the deadline', async () => {
      let gone = false;
      const { port, listener } = await start((_request, response) => {
        response.onClientGone = () => {
          gone = true;
        };
        response.writeHead(200, []);
        response.write('begun');
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await receives(client, 'begun');
      await listener.drain(100);
      await client.closed;
      expect(gone).toBe(true);
    });
  });
}
