import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { RawConnection } from '../../test/support/raw-connection.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import type { InboundResponse, RequestHandler } from './listener.ts';
import {
  type CreateListener,
  HOST,
  openListenerLab,
  WAIT_MS,
} from './listener-fixture.conformance.ts';

/** More than the kernels of both sides hold, so that most of it waits for the client. */
const LONG = 24 * 1024 * 1024;

/** An answer that is whole reaches who takes it, whatever else happens on its connection meanwhile. */
export function describeEndings(create: CreateListener): void {
  const { start, open } = openListenerLab(create);

  describe('a client that ends its half', () => {
    it.each([
      ['before its answer has begun', false],
      ['inside its answer', true],
    ])(
      '%s counts as gone: from one that has closed nothing tells it apart',
      async (_when, begun) => {
        let gone = 0;
        let held: InboundResponse | undefined;
        const { port } = await start((_request, response) => {
          response.onClientGone = () => (gone += 1);
          if (begun) response.writeHead(200, []);
          held = response;
        });
        const client = await open(port, true);
        await client.write(`GET / HTTP/1.1\r\n${HOST}\r\n`);
        await waitFor(() => held, { timeoutMs: WAIT_MS, what: 'the request' });
        client.socket.end();
        await waitFor(() => gone > 0, { timeoutMs: WAIT_MS, what: 'onClientGone' });
        expect([gone, held?.closed]).toEqual([1, true]);
        await client.closed;
      },
    );
  });

  describe('a long whole answer', () => {
    /** Begins a request whose answer is written at once, and does not read it. */
    async function begin(lines: string): Promise<RawConnection> {
      let answered: InboundResponse | undefined;
      const handler: RequestHandler = (_request, response) => {
        response.writeHead(200, ['Content-Length', String(LONG)]);
        response.end(Buffer.alloc(LONG, 'x'));
        answered = response;
      };
      const { port } = await start(handler);
      const client = await open(port, true);
      client.socket.pause();
      await client.write(`${lines}${HOST}\r\n`);
      await waitFor(() => answered, { timeoutMs: WAIT_MS, what: 'the answer to be written' });
      return client;
    }

    async function lengthTaken(client: RawConnection): Promise<number> {
      for (let turn = 0; turn < 50; turn += 1) await nextTurn();
      let length = 0;
      client.socket.on('data', (text: string) => {
        length += text.length - (length === 0 ? text.indexOf('\r\n\r\n') + 4 : 0);
        client.received = '';
      });
      client.socket.resume();
      await waitFor(() => length >= LONG || client.socket.readableEnded, {
        timeoutMs: WAIT_MS,
        what: 'the end of the answer',
      });
      return length;
    }

    it('is taken whole by a client that has ended its half behind its request', async () => {
      const client = await begin('GET / HTTP/1.1\r\n');
      client.socket.end();
      expect(await lengthTaken(client)).toBe(LONG);
      await client.closed;
    });

    it('is taken whole by a client that ends its body meanwhile', async () => {
      const client = await begin('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n');
      await client.write('1\r\nx\r\n0\r\n\r\n');
      expect(await lengthTaken(client)).toBe(LONG);
      client.destroy();
    });
  });
}
