import { request as sendTlsRequest } from 'node:https';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { RawConnection } from '../../../test/support/raw-connection.ts';
import { TEST_CERTIFICATE } from '../../../test/support/test-certificate.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import type {
  InboundRequest,
  InboundResponse,
  Listener,
  ListenerOptions,
  RequestHandler,
} from '../listener.ts';
import { LINGER_BYTES_MAX } from './node-exchange.ts';
import { createNodeHttpListener } from './node-http-listener.ts';

const WAIT_MS = 10_000;
const HOST = 'Host: gate\r\n';
const CHUNKED = `POST /c HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

const listeners: Listener[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy();
  for (const listener of listeners.splice(0)) await listener.drain(0);
});

async function start(
  handler: RequestHandler,
  options: Partial<ListenerOptions> = {},
): Promise<{ port: number; listener: Listener }> {
  const listener = createNodeHttpListener(
    {
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      headerBytesMax: 16 * 1024,
      headersTimeoutMs: 30_000,
      keepAliveTimeoutMs: 30_000,
      connectionsMax: 100,
      renderProtocolError: ({ reason }) => ({
        headers: ['Content-Type', 'text/plain'],
        body: `refused: ${reason}`,
      }),
      ...options,
    },
    handler,
  );
  listeners.push(listener);
  const { port } = await listener.listen();
  return { port, listener };
}

async function open(port: number): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  connections.push(connection);
  return connection;
}

async function send(port: number, ...pieces: string[]): Promise<RawConnection> {
  const connection = await open(port);
  for (const piece of pieces) {
    await connection.write(piece);
    await nextTurn();
  }
  return connection;
}

/** Waits for `text` and gives all that was received. */
function receives(connection: RawConnection, text: string): Promise<string> {
  return waitFor(() => connection.received.includes(text) && connection.received, {
    timeoutMs: WAIT_MS,
    what: `${JSON.stringify(text)} in ${JSON.stringify(connection.received.slice(0, 400))}`,
  });
}

function answer(response: InboundResponse, body: string, headers: readonly string[] = []): void {
  response.writeHead(200, ['Content-Length', String(Buffer.byteLength(body)), ...headers]);
  response.end(body);
}

/** Collects the body, then answers with it. */
function echo(request: InboundRequest, response: InboundResponse): void {
  const chunks: Buffer[] = [];
  request.readBody({
    onChunk: (chunk) => chunks.push(chunk),
    onEnd: () =>
      answer(response, `${request.method} ${request.target} ${Buffer.concat(chunks).toString()}`),
    onError: () => {},
  });
}

describe('what a request looks like to the pipeline (GW-09)', () => {
  it('keeps names, order and duplicates of the headers as they came', async () => {
    let seen: InboundRequest | undefined;
    const { port } = await start((request, response) => {
      seen = request;
      answer(response, 'ok');
    });
    const client = await send(port, `GET /a?b=%20 HTTP/1.1\r\nHOST: x\r\nx-B: 1\r\nX-b: 2\r\n\r\n`);
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
    ['chunks with extensions and trailers', `${CHUNKED}5;a="b"\r\nhello\r\n0\r\nX: y\r\n\r\n`, -1],
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
    const requests = ['/1', '/2', '/3', '/4'].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`);
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

  it('breaks the connection on destroy(), so that half an answer cannot look whole', async () => {
    const { port } = await start((_request, response) => {
      response.writeHead(200, []);
      response.write('half');
      setImmediate(() => response.destroy());
    });
    const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
    await client.closed;
    expect(client.received).not.toContain('0\r\n\r\n');
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
    const client = await RawConnection.open(port, true);
    connections.push(client);
    await client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1000000000\r\n\r\n`);
    const piece = Buffer.alloc(1024 * 1024);
    let broken = false;
    void client.closed.then(() => {
      broken = true;
    });
    // bytesWritten also counts what the kernels of both sides still hold, a few MiB.
    while (!broken && client.socket.bytesWritten < LINGER_BYTES_MAX * 2) {
      await new Promise((resolve) => client.socket.write(piece, resolve));
      await nextTurn();
    }
    expect(broken).toBe(true);
    expect(client.received).toContain('stop');
    expect(client.socket.bytesWritten).toBeGreaterThan(LINGER_BYTES_MAX);
  });

  it('is waited for a few seconds only, however steadily it trickles', async () => {
    const { port } = await start(refuse);
    const client = await RawConnection.open(port, true);
    connections.push(client);
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

/** Each shape, and what its refusal says. `handedOver`: the pipeline has seen the head before the fault came. */
const FAULTS: readonly { name: string; bytes: string; says: RegExp; handedOver?: boolean }[] = [
  {
    name: 'two Host headers',
    bytes: `GET / HTTP/1.1\r\n${HOST}host: b\r\n\r\n`,
    says: /two Host headers/,
  },
  { name: 'no Host header', bytes: 'GET / HTTP/1.1\r\n\r\n', says: /missing Host header/ },
  {
    name: 'HTTP/1.0 with Transfer-Encoding',
    bytes: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    says: /HTTP\/1.0 with Transfer-Encoding/,
  },
  {
    name: 'Content-Length before Transfer-Encoding',
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    says: /Transfer-Encoding can't be present with Content-Length/,
  },
  {
    name: 'Content-Length after Transfer-Encoding',
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
    says: /Content-Length can't be present with Transfer-Encoding/,
  },
  ...['4\r\nContent-Length: 5', '4\r\nContent-Length: 4'].map((value) => ({
    name: `Content-Length ${JSON.stringify(value)}`,
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: ${value}\r\n\r\nabcd`,
    says: /Duplicate Content-Length/,
  })),
  ...['4, 4', '+4', '-4', '0x4', '1 0', '4;', ''].map((value) => ({
    name: `Content-Length ${JSON.stringify(value)}`,
    bytes: `POST / HTTP/1.1\r\n${HOST}Content-Length: ${value}\r\n\r\nabcd`,
    says: /Content-Length/,
  })),
  ...['gzip, chunked', 'identity', 'xchunked'].map((value) => ({
    name: `Transfer-Encoding ${value}`,
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
    says: /Transfer-Encoding other than chunked/,
  })),
  ...['chunked, gzip', 'chunked, chunked', 'chunked\r\nTransfer-Encoding: identity'].map(
    (value) => ({
      name: `Transfer-Encoding ${JSON.stringify(value)}`,
      bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
      says: /Invalid `Transfer-Encoding`/,
    }),
  ),
  {
    name: 'a space before the colon',
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    says: /Invalid header/,
  },
  {
    name: 'a folded header',
    bytes: `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`,
    says: /whitespace/,
  },
  {
    name: 'bare LF after the request line',
    bytes: `GET / HTTP/1.1\n${HOST}\r\n`,
    says: /Expected CRLF/,
  },
  {
    name: 'bare LF after a header',
    bytes: `GET / HTTP/1.1\r\nX: y\n${HOST}\r\n`,
    says: /Missing expected CR/,
  },
  {
    name: 'bare LF at the end of the head',
    bytes: `GET / HTTP/1.1\r\n${HOST}\n`,
    says: /Invalid header/,
  },
  {
    name: 'bare CR in a header',
    bytes: `GET / HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`,
    says: /Missing expected LF/,
  },
  {
    name: 'NUL in a header',
    bytes: `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`,
    says: /Invalid header value/,
  },
  { name: 'an unknown method', bytes: `BREW / HTTP/1.1\r\n${HOST}\r\n`, says: /Invalid method/ },
  { name: 'HTTP/2.0 as version', bytes: `GET / HTTP/2.0\r\n${HOST}\r\n`, says: /HTTP version 2.0/ },
  { name: 'HTTP/0.9', bytes: 'GET /\r\n\r\n', says: /HTTP version 0.9/ },
  {
    name: 'an absolute-form target',
    bytes: `GET http://x/ HTTP/1.1\r\n${HOST}\r\n`,
    says: /origin-form/,
  },
  {
    name: 'an asterisk-form target',
    bytes: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    says: /asterisk-form/,
  },
  { name: 'a fragment in the target', bytes: `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, says: /fragment/ },
  {
    name: 'CONNECT',
    bytes: `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`,
    says: /CONNECT is not supported/,
  },
  {
    name: 'Upgrade',
    bytes: `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    says: /Upgrade to websocket/,
  },
  ...Object.entries({
    'bare LF after a chunk size': '5\nhello\r\n0\r\n\r\n',
    'bare LF after chunk data': '5\r\nhello\n0\r\n\r\n',
    'bare LF after a chunk extension': '5;a=b\nhello\r\n0\r\n\r\n',
    'bare LF in a quoted chunk extension': '5;a="b\nc"\r\nhello\r\n0\r\n\r\n',
    'bare LF after the last chunk': '5\r\nhello\r\n0\n\r\n',
    'bare LF after the trailers': '5\r\nhello\r\n0\r\n\n',
    'bare CR after a chunk size': '5\rhello\r\n0\r\n\r\n',
    'a chunk longer than its size': '5\r\nhelloX\r\n0\r\n\r\n',
    'a space before a chunk size': ' 5\r\nhello\r\n0\r\n\r\n',
    'a hexadecimal prefix on a chunk size': '0x5\r\nhello\r\n0\r\n\r\n',
    'a sign on a chunk size': '+5\r\nhello\r\n0\r\n\r\n',
    'an empty chunk size': '\r\nhello\r\n0\r\n\r\n',
    'a chunk size beyond 64 bits': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  }).map(([name, body]) => ({
    name,
    bytes: CHUNKED + body,
    says: /chunk|expected|header/i,
    handedOver: true,
  })),
];

describe('request smuggling (DESIGN 10, show 8)', () => {
  it.each(FAULTS)('refuses $name, wherever the packets are cut', async (fault) => {
    const { bytes, says, handedOver = false } = fault;
    let handedOvers = 0;
    let ends = 0;
    const { port } = await start((request, response) => {
      handedOvers += 1;
      request.readBody({
        onChunk: () => {},
        onEnd: () => {
          ends += 1;
          answer(response, 'served');
        },
        onError: () => {},
      });
    });
    const cuts = [0, ...Array.from({ length: bytes.length - 1 }, (_, index) => index + 1)];
    // Sixteen connections at a time: each has its own cut.
    for (let from = 0; from < cuts.length; from += 16) {
      await Promise.all(
        cuts.slice(from, from + 16).map(async (cut) => {
          const client = await send(
            port,
            ...[bytes.slice(0, cut), bytes.slice(cut)].filter(Boolean),
          );
          await receives(client, 'refused: ');
          expect(client.received, `cut at ${cut}`).toMatch(/^HTTP\/1.1 400 /);
          expect(client.received.match(/HTTP\/1.1 \d/g), `cut at ${cut}`).toHaveLength(1);
          expect(client.received).toMatch(/connection: close/i);
          expect(client.received).toMatch(says);
          client.destroy();
        }),
      );
    }
    expect(ends).toBe(0);
    expect(handedOver || handedOvers === 0).toBe(true);
  });

  it('tells the sink of a fault in the framing, once, before the client has its 400', async () => {
    const calls: string[] = [];
    const { port } = await start((request, response) => {
      response.onClientGone = () => calls.push('gone');
      request.readBody({
        onChunk: (chunk) => calls.push(`chunk ${chunk.toString()}`),
        onEnd: () => calls.push('end'),
        onError: (error) => calls.push(`error ${error.message}`),
      });
    });
    const client = await send(port, `${CHUNKED}5\r\nhello\r\n`);
    await waitFor(() => calls.length > 0, { timeoutMs: WAIT_MS, what: 'the chunk' });
    await client.write('5\nworld');
    await receives(client, 'refused: ');
    expect(calls.slice(0, 2)).toEqual([
      'chunk hello',
      'error Missing expected CR after chunk size',
    ]);
    client.destroy();
    await waitFor(() => calls.includes('gone'), { timeoutMs: WAIT_MS, what: 'onClientGone' });
    expect(calls).toHaveLength(3);
  });

  it('breaks off an answer already begun when the framing turns out wrong', async () => {
    const { port } = await start((request, response) => {
      response.writeHead(200, []);
      response.write('begun');
      request.readBody({ onChunk: () => {}, onEnd: () => {}, onError: () => {} });
    });
    const client = await send(port, CHUNKED);
    await receives(client, 'begun');
    await client.write('zz\r\n');
    await client.closed;
    expect(client.received).not.toContain('refused');
    expect(client.received).not.toContain('0\r\n\r\n');
  });

  it('answers a whole request before rubbish that follows it, then closes', async () => {
    const { port } = await start((_request, response) => {
      setImmediate(() => answer(response, 'served'));
    });
    const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\nrubbish\r\n\r\n`);
    await client.closed;
    expect(client.received).toMatch(/^HTTP\/1.1 200 .*served$/s);
  });
});

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
    await waitFor(() => closed >= 16, { timeoutMs: WAIT_MS, what: 'unheard connections to close' });
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

  it('is not disturbed by a client that speaks plain HTTP', async () => {
    const { port } = await start(echo, { tls: TEST_CERTIFICATE });
    const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\n`);
    await client.closed;
    expect(client.received).not.toContain('HTTP/1.1 200');
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
