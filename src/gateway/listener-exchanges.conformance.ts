import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { waitFor } from '../../test/support/wait-for.ts';
import type { InboundRequest, InboundResponse, RequestHandler } from './listener.ts';
import {
  answer,
  CHUNKED,
  type CreateListener,
  echo,
  HOST,
  openListenerLab,
  receives,
  WAIT_MS,
} from './listener-fixture.conformance.ts';

/** A closing connection is read so far, that the client may see its answer. */
const UNWANTED_BYTES_MAX = 64 * 1024 * 1024;

/** Requests and their answers, whole or broken off. */
export function describeExchanges(create: CreateListener): void {
  const { start, open, send } = openListenerLab(create);
  describe('what a request looks like to the pipeline (GW-09)', () => {
    it('keeps names, order and duplicates of the headers as they came', async () => {
      let seen: InboundRequest | undefined;
      const { port } = await start((request, response) => {
        seen = request;
        answer(response, 'ok');
      });
      const client = await send(
        port,
        `GET /a?b=%20 HTTP/1.1\r\nHOST: x\r\nx-B: 1\r\nX-b: 2\r\n\r\n`,
      );
      await receives(client, '\r\n\r\nok');
      expect(seen?.headers).toEqual(['HOST', 'x', 'x-B', '1', 'X-b', '2']);
      expect(seen).toMatchObject({
        method: 'GET',
        target: '/a?b=%20',
        remoteAddress: '127.0.0.1',
        secure: false,
        contentLength: 0,
      });
    });

    it.each([
      ['a length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, 5],
      ['chunks', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, -1],
      [
        'chunks with extensions and trailers',
        `${CHUNKED}5;a="b"\r\nhello\r\n0\r\nX: y\r\n\r\n`,
        -1,
      ],
    ])('reads a body with %s', async (_name, bytes, contentLength) => {
      let seen = 0;
      const { port } = await start((request, response) => {
        seen = request.contentLength;
        echo(request, response);
      });
      await receives(await send(port, bytes), 'hello');
      expect(seen).toBe(contentLength);
    });

    it('calls onEnd before readBody returns when there is no body', async () => {
      const order: string[] = [];
      const { port } = await start((request, response) => {
        request.readBody({
          onChunk: () => order.push('chunk'),
          onEnd: () => order.push('end'),
          onError: () => order.push('error'),
        });
        order.push('returned');
        answer(response, 'ok');
      });
      await receives(await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`), 'ok');
      expect(order).toEqual(['end', 'returned']);
    });

    it('allows HTTP/1.0 without a Host header and an h2c offer, which it ignores', async () => {
      const { port } = await start((_request, response) => answer(response, 'ok'));
      expect(await receives(await send(port, 'GET / HTTP/1.0\r\n\r\n'), 'ok')).toContain('ok');
      const offer = `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`;
      expect(await receives(await send(port, offer), 'ok')).toContain('ok');
    });
  });

  describe('answers', () => {
    const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

    it('sends one Date header, the upstream`s own if there is one', async () => {
      const date = 'Sat, 01 Jan 2000 00:00:00 GMT';
      const { port } = await start((_request, response) => answer(response, 'ok', ['Date', date]));
      const client = await send(port, GET);
      await receives(client, 'ok');
      expect(client.received.match(/^date:.*$/gim)).toEqual([`Date: ${date}`]);
    });

    it('keeps the connection and serves the next request on it', async () => {
      const { port } = await start((request, response) => answer(response, request.target));
      const client = await send(port, `GET /one HTTP/1.1\r\n${HOST}\r\n`);
      expect(await receives(client, '/one')).toContain('/one');
      await client.write(`GET /two HTTP/1.1\r\n${HOST}\r\n`);
      expect(await receives(client, '/two')).toContain('/two');
    });

    it.each([
      ['HEAD', 200, ['Content-Length', '5'], `HEAD / HTTP/1.1\r\n${HOST}\r\n`],
      ['204', 204, [], GET],
      ['304', 304, ['ETag', '"a"'], GET],
    ] as const)('%s has a head and no body', async (_name, status, headers, bytes) => {
      let count = 0;
      const { port } = await start((_request, response) => {
        count += 1;
        if (count > 1) {
          answer(response, 'next');
          return;
        }
        response.writeHead(status, headers);
        response.end('hello');
      });
      const client = await send(port, bytes, GET);
      await receives(client, 'next');
      expect(client.received).toContain(`HTTP/1.1 ${status}`);
      expect(client.received).not.toContain('hello');
      expect(client.received.split('\r\n\r\n')[0]).not.toMatch(/transfer-encoding/i);
    });

    it('headers that answers share stand in each of them', async () => {
      const shared = ['X-Shared', 'one', 'X-Also', 'two'];
      const { port } = await start((request, response) => {
        const body = request.target;
        response.writeHead(200, ['Content-Length', String(body.length), 'X-Own', body], shared);
        response.end(body);
      });
      const client = await send(port, GET, GET, `GET /other HTTP/1.1\r\n${HOST}\r\n`);
      const answers = (await receives(client, '/other')).split('HTTP/1.1 200 OK').slice(1);
      await receives(client, '\r\n\r\n/other');
      expect(answers.map((each) => /X-Own: (.*)\r/.exec(each)?.[1])).toEqual(['/', '/', '/other']);
      for (const each of answers) expect(each).toMatch(/X-Shared: one\r\nX-Also: two\r\n/);
    });

    it('sends a head without waiting for the first byte of a stream', async () => {
      let begun: InboundResponse | undefined;
      const { port } = await start((_request, response) => {
        response.writeHead(200, ['X-Early', 'yes']);
        begun = response;
      });
      const client = await send(port, GET);
      expect(await receives(client, 'X-Early: yes\r\n')).toContain('X-Early: yes\r\n');
      begun?.write('later');
      begun?.end();
      expect(await receives(client, 'later\r\n0\r\n\r\n')).toContain('later\r\n0\r\n\r\n');
    });

    it('hands over pipelined requests one after the other, in order', async () => {
      const waiting: { request: InboundRequest; response: InboundResponse }[] = [];
      const { port } = await start((request, response) => {
        waiting.push({ request, response });
      });
      const requests = ['/1', '/2', '/3', '/4'].map(
        (path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`,
      );
      const client = await send(port, requests.join(''));
      for (const path of ['/1', '/2', '/3', '/4']) {
        const { request, response } = await waitFor(() => waiting.at(-1), {
          timeoutMs: WAIT_MS,
          what: path,
        });
        expect(waiting).toHaveLength(1);
        expect(request.target).toBe(path);
        waiting.pop();
        answer(response, `<${path}>`);
        await receives(client, `<${path}>`);
      }
    });

    it.each([
      [3000, 15 * 1024],
      [400, 256 * 1024],
    ])('answers %i pipelined requests no faster than their client reads', async (total, bytes) => {
      let answered = 0;
      const body = 'x'.repeat(bytes);
      const { port } = await start((_request, response) => {
        answered += 1;
        answer(response, body);
      });
      const client = await open(port);
      client.socket.pause();
      const sent = client.write(GET.repeat(total));
      let before = -1;
      await waitFor(
        () => {
          const still = before === answered && answered > 0;
          before = answered;
          return still;
        },
        { timeoutMs: WAIT_MS, what: 'the answers to stop' },
      );
      // The kernel takes a few MiB; all of them are 45 and more.
      expect(answered).toBeLessThan(total / 2);
      client.socket.resume();
      await waitFor(() => answered === total, { timeoutMs: WAIT_MS, what: 'all answers' });
      await sent;
    });

    it('tells a slow reader from a fast one, and calls onDrain', async () => {
      let drained = 0;
      let written = 0;
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const total = 400;
      const { port } = await start((_request, response) => {
        response.writeHead(200, ['Content-Length', String(chunk.length * total)]);
        const fill = (): void => {
          while (written < total) {
            written += 1;
            if (!response.write(chunk)) return;
          }
          response.end();
        };
        response.onDrain = () => {
          drained += 1;
          fill();
        };
        fill();
      });
      const client = await open(port);
      client.socket.pause();
      await client.write(GET);
      await waitFor(() => written > 0, { timeoutMs: WAIT_MS, what: 'the first writes' });
      // The kernel takes a few MiB; a writer that ignored `false` would be through all 25 MiB.
      expect(written).toBeLessThan(total);
      client.socket.resume();
      await waitFor(() => client.received.length > chunk.length * total, {
        timeoutMs: WAIT_MS,
        what: 'all bytes',
      });
      expect(drained).toBeGreaterThan(0);
    });

    it('reads a body no faster than its sink, and goes on after resumeBody', async () => {
      let request: InboundRequest | undefined;
      let received = 0;
      const { port } = await start((inbound, response) => {
        request = inbound;
        inbound.readBody({
          onChunk: (chunk) => {
            received += chunk.length;
            if (received === chunk.length) inbound.pauseBody();
          },
          onEnd: () => answer(response, `got ${received}`),
          onError: () => {},
        });
      });
      const size = 16 * 1024 * 1024;
      const client = await send(port, `POST / HTTP/1.1\r\n${HOST}Content-Length: ${size}\r\n\r\n`);
      const sent = client.write('x'.repeat(size));
      await waitFor(() => received > 0, { timeoutMs: WAIT_MS, what: 'the first chunk' });
      const atPause = received;
      for (let turn = 0; turn < 50; turn += 1) await nextTurn();
      expect(received).toBe(atPause);
      request?.resumeBody();
      await sent;
      await receives(client, `got ${size}`);
    });
  });

  describe('a client that goes away', () => {
    it('calls onClientGone once, and drops what is written after it', async () => {
      let gone = 0;
      let held: InboundResponse | undefined;
      const { port } = await start((_request, response) => {
        held = response;
        response.onClientGone = () => {
          gone += 1;
        };
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await waitFor(() => held, { timeoutMs: WAIT_MS, what: 'the request' });
      client.destroy();
      await waitFor(() => gone > 0, { timeoutMs: WAIT_MS, what: 'onClientGone' });
      expect(held?.closed).toBe(true);
      held?.writeHead(200, []);
      held?.write('x');
      held?.end();
      expect(gone).toBe(1);
    });

    it.each([
      ['an empty line', '\r\n'],
      ['another request', `GET / HTTP/1.1\r\n${HOST}\r\n`],
      ['the beginning of one', 'GE'],
      ['more bytes, which came later', '\r\n', 'GET /', 'b HTTP/1.1\r\n'],
    ])('hears that a client left behind %s', async (_what, ...behind) => {
      let gone = 0;
      const { port } = await start((request, response) => {
        response.onClientGone = () => (gone += 1);
        request.readBody({ onChunk: () => {}, onEnd: () => {}, onError: () => {} });
      });
      const post = `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`;
      const [first = '', ...later] = behind;
      const client = await send(port, post + first, ...later);
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
      expect(gone).toBe(0);
      client.destroy();
      await waitFor(() => gone === 1, { timeoutMs: WAIT_MS, what: 'onClientGone' });
    });

    it('does not call onClientGone after an answer that has ended', async () => {
      let gone = 0;
      const { port } = await start((_request, response) => {
        response.onClientGone = () => {
          gone += 1;
        };
        answer(response, 'ok');
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await receives(client, 'ok');
      client.destroy();
      const other = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await receives(other, 'ok');
      expect(gone).toBe(0);
    });

    it('tells the sink of a body that stops half way', async () => {
      let failed: Error | undefined;
      let ended = false;
      const { port } = await start((request) => {
        request.readBody({
          onChunk: () => {},
          onEnd: () => {
            ended = true;
          },
          onError: (error) => {
            failed = error;
          },
        });
      });
      const client = await send(port, `POST / HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nhalf`);
      client.destroy();
      await waitFor(() => failed, { timeoutMs: WAIT_MS, what: 'onError' });
      expect(ended).toBe(false);
    });

    it.each([
      ['a head', []],
      ['a head and a part of its body', ['some']],
      ['a head and several parts', ['so', 'me']],
    ])('sends %s that was written before destroy(): it is charged', async (_what, parts) => {
      const { port } = await start((_request, response) => {
        setImmediate(() => {
          response.writeHead(200, ['X-Charged', 'yes']);
          for (const part of parts) response.write(part);
          response.destroy();
        });
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1.1 200 .*X-Charged: yes/s);
      const body = client.received.slice(client.received.indexOf('\r\n\r\n'));
      expect(body.replaceAll(/\d?\r\n/g, '')).toBe(parts.join(''));
      expect(client.received).not.toContain('\r\n0\r\n\r\n');
    });

    it('breaks the connection on destroy(), so that half an answer cannot look whole', async () => {
      const { port } = await start((_request, response) => {
        response.writeHead(200, []);
        response.write('half');
        setImmediate(() => response.destroy());
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
      await client.closed;
      expect(client.received).not.toContain('\r\n0\r\n\r\n');
    });
  });

  describe('a body nobody wanted', () => {
    const refuse: RequestHandler = (_request, response) => {
      response.writeHead(402, ['Content-Length', '4']);
      response.end('stop');
    };

    it('is discarded when short, and the connection kept', async () => {
      const { port } = await start(refuse);
      const request = `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`;
      const client = await send(port, request);
      await receives(client, 'stop');
      expect(client.received).not.toMatch(/connection: close/i);
      client.received = '';
      await client.write(request);
      await receives(client, 'stop');
    });

    it.each([
      ['a declared length', 'Content-Length: 20971520\r\n\r\n', 'x'.repeat(20_971_520)],
      [
        'chunks',
        'Transfer-Encoding: chunked\r\n\r\n',
        `1400000\r\n${'x'.repeat(20_971_520)}\r\n0\r\n\r\n`,
      ],
    ])('of 20 MiB with %s does not cost the client its answer', async (_name, framing, body) => {
      const { port } = await start(refuse);
      const client = await send(port, `POST / HTTP/1.1\r\n${HOST}${framing}`, body);
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1.1 402 .*connection: close.*stop$/is);
    });

    it('is read up to a bound only, then the connection breaks', async () => {
      const { port } = await start(refuse);
      const client = await open(port, true);
      await client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1000000000\r\n\r\n`);
      const piece = Buffer.alloc(1024 * 1024);
      let broken = false;
      void client.closed.then(() => {
        broken = true;
      });
      // bytesWritten also counts what the kernels of both sides still hold, a few MiB.
      while (!broken && client.socket.bytesWritten < UNWANTED_BYTES_MAX * 2) {
        await new Promise((resolve) => client.socket.write(piece, resolve));
        await nextTurn();
      }
      expect(broken).toBe(true);
      expect(client.received).toContain('stop');
      expect(client.socket.bytesWritten).toBeGreaterThan(UNWANTED_BYTES_MAX);
    });

    it('is waited for a few seconds only, however steadily it trickles', async () => {
      const { port } = await start(refuse);
      const client = await open(port, true);
      await client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 50000\r\n\r\n`);
      let broken = false;
      void client.closed.then(() => {
        broken = true;
      });
      const trickled = await waitFor(
        () => {
          if (!broken) client.socket.write('x');
          return broken ? client.socket.bytesWritten : undefined;
        },
        { timeoutMs: 2 * WAIT_MS, what: 'the connection to break' },
      );
      expect(client.received).toContain('stop');
      expect(trickled).toBeLessThan(50_000);
    });
  });

  describe('Expect (RFC 9110 10.1.1)', () => {
    const HEAD = `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`;

    it('is answered when the pipeline starts to read the body', async () => {
      let begin: (() => void) | undefined;
      const { port } = await start((request, response) => {
        begin = () => echo(request, response);
      });
      const client = await send(port, HEAD);
      await waitFor(() => begin, { timeoutMs: WAIT_MS, what: 'the request' });
      expect(client.received).toBe('');
      begin?.();
      await receives(client, 'HTTP/1.1 100 Continue\r\n\r\n');
      await client.write('hello');
      await receives(client, 'hello');
    });

    it('is never answered 100 when the request is refused, and the connection closes', async () => {
      const { port } = await start((_request, response) => answer(response, 'no'));
      const client = await send(port, HEAD);
      await receives(client, 'no');
      expect(client.received).not.toContain('100 Continue');
      expect(client.received).toMatch(/connection: close/i);
    });

    it('refuses any other expectation', async () => {
      const { port } = await start(echo);
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}Expect: miracles\r\n\r\n`);
      await receives(client, 'refused: the only expectation supported is 100-continue');
      expect(client.received).toMatch(/^HTTP\/1.1 400 /);
    });
  });
}
