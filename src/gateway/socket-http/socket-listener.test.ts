import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { waitFor } from '../../../test/support/wait-for.ts';
import type { InboundResponse } from '../listener.ts';
import { describeListener } from '../listener.conformance.ts';
import {
  answer,
  echo,
  HOST,
  openListenerLab,
  receives,
  WAIT_MS,
} from '../listener-fixture.conformance.ts';
import { createSocketListener } from './socket-listener.ts';

describeListener('socket-http', createSocketListener);

const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

describe('requests of one connection with the same fields', () => {
  const { start, send } = openListenerLab(createSocketListener);

  it('are each what they are: line, length and body', async () => {
    const { port } = await start((request, response) => {
      const parts: Buffer[] = [];
      request.readBody({
        onChunk: (chunk) => parts.push(Buffer.from(chunk)),
        onEnd: () => {
          const length = request.headers[request.headers.indexOf('Content-Length') + 1];
          const known = request.sameFields === undefined ? 'new' : 'known';
          const said = `${request.method} ${request.target} ${length} ${request.contentLength} ${known}`;
          answer(response, `${said} <${Buffer.concat(parts).toString()}>`);
        },
        onError: () => undefined,
      });
    });
    const client = await send(port, '');
    const ask = (line: string, body: string, field = 'b'): string =>
      `${line} HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\nX-A: ${field}\r\n\r\n${body}`;
    const calls: [string, string][] = [
      [ask('POST /a', 'one'), 'POST /a 3 3 new <one>'],
      [ask('POST /a', 'three'), 'POST /a 5 5 known <three>'],
      [ask('PUT /b', ''), 'PUT /b 0 0 known <>'],
      [ask('POST /a', 'one', 'c'), 'POST /a 3 3 new <one>'],
      [`${ask('POST /c', 'piped')}${ask('POST /d', 'line')}`, 'POST /d 4 4 known <line>'],
    ];
    for (const [bytes, said] of calls) {
      void client.write(bytes);
      // oxlint-disable-next-line no-await-in-loop -- one after the other over one connection
      expect(await receives(client, said)).toContain(said);
    }
  });
});

describe('an answer is what its head says', () => {
  const { start, send } = openListenerLab(createSocketListener);

  it.each([
    ['longer, in one part', ['hello world'], ''],
    ['longer, in two parts', ['hello', ' world'], ''],
    ['shorter', ['he'], ''],
  ])('%s than declared: the connection breaks', async (_name, parts) => {
    const { port } = await start((_request, response) => {
      response.writeHead(200, ['Content-Length', '5']);
      for (const part of parts) response.write(part);
      response.end();
    });
    const client = await send(port, GET);
    await client.closed;
    expect(client.received).not.toContain('world');
  });

  it.each([
    [200, ['X', 'a\r\nSet-Cookie: b']],
    [200, ['X', 'a\nb']],
    [200, ['Transfer-Encoding', 'chunked']],
    [200, ['Content-Length', '1', 'Content-Length', '1']],
    [99, []],
  ])('a head that would be two is not sent: %i %j', async (status, headers) => {
    let error: unknown;
    const { port } = await start((_request, response) => {
      try {
        response.writeHead(status, headers);
      } catch (thrown) {
        error = thrown;
      }
      expect(response.headSent).toBe(false);
      answer(response, 'another');
    });
    expect(await receives(await send(port, GET), 'another')).toMatch(/^HTTP\/1.1 200 OK/);
    expect(error).toBeInstanceOf(Error);
  });

  it('has a length when it was whole before its head left, and chunks when not', async () => {
    const { port } = await start((_request, response) => {
      response.writeHead(200, []);
      response.write('whole');
      response.end(' at once');
    });
    const text = await receives(await send(port, GET), 'whole at once');
    expect(text).toContain('\r\nContent-Length: 13\r\n');
    expect(text).not.toMatch(/chunked/i);
  });

  it('has no length when its status has no body', async () => {
    const { port } = await start((_request, response) => {
      response.writeHead(204, ['Content-Length', '0']);
      response.end();
    });
    expect(await receives(await send(port, GET), '\r\n\r\n')).not.toMatch(/content-length/i);
  });

  it('a long last part leaves piece by piece: a slow client has its time for each', async () => {
    const size = 48 * 1024 * 1024;
    const { port } = await start(
      (_request, response) => {
        response.writeHead(200, ['Content-Length', String(size)]);
        response.end(Buffer.alloc(size, 'x'));
      },
      { clientIdleTimeoutMs: 600 },
    );
    const client = await send(port, GET);
    let length = 0;
    client.socket.on('data', (text: string) => {
      length += text.length;
      client.received = '';
    });
    // Its pauses are longer than the time-out together, and shorter each.
    for (let pause = 0; pause < 8; pause += 1) {
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 200));
      client.socket.resume();
      const before = length;
      await waitFor(() => length > before || length > size, { timeoutMs: WAIT_MS, what: 'bytes' });
    }
    await waitFor(() => length > size, { timeoutMs: WAIT_MS, what: 'all of it' });
    expect(length).toBeLessThan(size + 1024);
  });
});

describe('HTTP/1.0', () => {
  const { start, send } = openListenerLab(createSocketListener);

  it('keeps the connection when asked to, and says so', async () => {
    const { port } = await start((request, response) => answer(response, request.target));
    const keep = 'HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const client = await send(port, `GET /one ${keep}`);
    expect(await receives(client, '/one')).toMatch(/\r\nConnection: keep-alive\r\n/);
    await client.write(`GET /two ${keep}`);
    await receives(client, '/two');
  });

  it('ends an answer of unknown length with the connection', async () => {
    const { port } = await start((_request, response) => {
      response.writeHead(200, []);
      response.write('begun');
      setImmediate(() => response.end(' ended'));
    });
    const client = await send(port, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await client.closed;
    expect(client.received).toMatch(/\r\nConnection: close\r\n\r\nbegun ended$/);
    expect(client.received).not.toMatch(/chunked/i);
  });
});

describe('what waits on a connection is bounded', () => {
  const { start, send } = openListenerLab(createSocketListener);

  it('reads no further while a request is unanswered and another has come', async () => {
    const held: InboundResponse[] = [];
    const { port } = await start((_request, response) => held.push(response));
    const client = await send(port, GET + GET);
    await waitFor(() => held.length === 1, { timeoutMs: WAIT_MS, what: 'the first request' });
    // More than the kernels of both sides hold.
    const bytes = 32 * 1024 * 1024;
    let taken = false;
    void client.write(GET.repeat(Math.ceil(bytes / GET.length))).then(() => (taken = true));
    for (let turn = 0; turn < 100; turn += 1) await nextTurn();
    expect(taken).toBe(false);
    expect(held).toHaveLength(1);
  });
});

describe('between and behind requests', () => {
  const { start, open, send } = openListenerLab(createSocketListener);

  it('empty lines before a request are ignored, wherever they are cut', async () => {
    const { port } = await start((_request, response) => answer(response, 'ok'));
    const client = await send(port, '\r', '\n\r\n\r', `\n${GET}`);
    await receives(client, '\r\n\r\nok');
    client.received = '';
    for (const piece of ['\r\n', '\r', '\n', GET]) {
      await client.write(piece);
      await nextTurn();
    }
    expect(await receives(client, '\r\n\r\nok')).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    ['a head', `GET / HTTP/1.1\r\n${HOST}`],
    ['a body', `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nhalf`],
  ])('a client that ends inside %s is told', async (_name, bytes) => {
    const { port } = await start(echo);
    const client = await open(port, true);
    await client.write(bytes);
    client.socket.end();
    await client.closed;
    expect(client.received).toMatch(/^HTTP\/1.1 400 .*the connection ended inside a request$/s);
  });

  it('a head that is wrong already is refused before it is whole', async () => {
    const { port } = await start(echo);
    for (const bytes of [
      '\x16\x03\x01',
      'GET http://x/ HTTP/1.1\r\n',
      `${GET.slice(0, -2)}a b: c\r\n`,
    ]) {
      const client = await send(port, bytes);
      expect(await receives(client, 'refused: ')).toMatch(/^HTTP\/1.1 400 /);
    }
  });
});
