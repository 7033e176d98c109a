import { describe, expect, it } from 'vitest';

import { waitFor } from '../../test/support/wait-for.ts';
import {
  answer,
  CHUNKED,
  type CreateListener,
  HOST,
  openListenerLab,
  receives,
  WAIT_MS,
} from './listener-fixture.conformance.ts';

const FRAMED_TWICE = /(Content-Length|Transfer-Encoding) can't be present with /;

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
    says: FRAMED_TWICE,
  },
  {
    name: 'Content-Length after Transfer-Encoding',
    bytes: `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
    says: FRAMED_TWICE,
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
    says: /Expected CRLF|Missing expected CR/,
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

/** What two parsers could read in two ways is refused. */
export function describeSmuggling(create: CreateListener): void {
  const { start, send } = openListenerLab(create);
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
      expect(client.received).not.toContain('\r\n0\r\n\r\n');
    });

    it('answers a whole request before rubbish that follows it, then closes', async () => {
      const { port } = await start((_request, response) => {
        setImmediate(() => answer(response, 'served'));
      });
      const client = await send(port, `GET / HTTP/1.1\r\n${HOST}\r\nrubbish\r\n\r\n`);
      await client.closed;
      expect(client.received).toMatch(/^HTTP\/1.1 200 .*?served(?:HTTP\/1.1 400 .*)?$/s);
    });
  });
}
