import { createServer, request as sendRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it } from 'vitest';

import { createBareForward } from '../../bench/bare-forward.ts';
import { ChildProgram } from '../../test/support/child-program.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { loadTransport } from '../server/transport.ts';
import type { HttpTransport } from '../server/config/loaded-config.ts';

const WAIT_MS = 10_000;
const MIB = 1024 * 1024;
const BODY_BYTES = 256 * MIB;
const CHUNK = Buffer.alloc(MIB, 'x');

const cleanups: (() => unknown)[] = [];
/** Answers POST with how much it got, and GET with BODY_BYTES, as fast as its reader takes them. */
async function startUpstream(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      let received = 0;
      request.on('data', (chunk: Buffer) => (received += chunk.length));
      request.on('end', () => response.end(String(received)));
      return;
    }
    let left = BODY_BYTES / MIB;
    const fill = (): void => {
      while (left > 0) {
        left -= 1;
        if (!response.write(CHUNK)) return;
      }
      response.end();
    };
    response.on('drain', fill);
    fill();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Memory {
  readonly rss: number;
  /** The highest resident set since the process began. */
  readonly peak: number;
}

async function startForwarder(
  transport: HttpTransport,
  origin: string,
): Promise<{ port: number; memory: () => Promise<Memory> }> {
  const program = new ChildProgram({
    command: process.execPath,
    args: [
      '--import',
      fileURLToPath(new URL('../../tools/typescript.mjs', import.meta.url)),
      fileURLToPath(new URL('../../bench/bare-forward-process.ts', import.meta.url)),
      transport,
      origin,
    ],
  });
  cleanups.push(() => program.stop());
  const line = await waitFor(() => program.stdout.includes('\n') && program.stdout, {
    timeoutMs: WAIT_MS,
    what: `the forwarder: ${program.stderr}`,
  });
  const { port } = JSON.parse(line) as { port: number };
  const memory = async (): Promise<Memory> => {
    const before = program.stdout.length;
    program.child.kill('SIGUSR2');
    const output = await waitFor(
      () =>
        program.stdout.length > before && program.stdout.endsWith('\n')
          ? program.stdout.slice(before)
          : undefined,
      { timeoutMs: WAIT_MS, what: 'the resident set' },
    );
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Memory;
  };
  return { port, memory };
}

function upload(port: number, framing: 'length' | 'chunked'): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = framing === 'length' ? { 'content-length': BODY_BYTES } : {};
    const outgoing = sendRequest(
      { port, host: '127.0.0.1', method: 'POST', headers },
      (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text));
      },
    );
    outgoing.on('error', reject);
    let left = BODY_BYTES / MIB;
    const fill = (): void => {
      while (left > 0) {
        left -= 1;
        if (!outgoing.write(CHUNK)) return;
      }
      outgoing.end();
    };
    outgoing.on('drain', fill);
    fill();
  });
}

function download(port: number, onResponse: (response: IncomingMessage) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = sendRequest({ port, host: '127.0.0.1' }, (response) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => (received += chunk.length));
      response.on('end', () => resolve(received));
      onResponse(response);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** A listener and a client of one transport, with nothing between them. */
export function describeForwarding(transport: HttpTransport): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  describe(`forwarding over ${transport}`, () => {
    describe('bodies of 256 MiB (GW-09)', () => {
      // A process that buffered would grow by the 256 MiB it carries. This one grows by the read buffers that V8 has
      // not collected yet (50 to 60 MiB at the peak, measured over 1 GiB; 112 MiB on a machine that is busy) and by the
      // code it loads on first use.
      const GROWTH_BYTES_MAX = 160 * MIB;

      it('256 MiB up, with a length and chunked, and 256 MiB down do not grow the resident set with them', async () => {
        const { port, memory } = await startForwarder(transport, await startUpstream());
        const { rss } = await memory();
        expect(await upload(port, 'length')).toBe(String(BODY_BYTES));
        expect(await upload(port, 'chunked')).toBe(String(BODY_BYTES));
        expect(await download(port, () => {})).toBe(BODY_BYTES);
        const { peak } = await memory();
        expect(peak - rss).toBeLessThan(GROWTH_BYTES_MAX);
      });

      it('a reader that stops half way does not make the forwarder read on', async () => {
        const { port, memory } = await startForwarder(transport, await startUpstream());
        const { rss } = await memory();
        let stalled: IncomingMessage | undefined;
        const received = download(port, (response) => {
          stalled = response;
          response.pause();
        });
        await waitFor(() => stalled, { timeoutMs: WAIT_MS, what: 'the head' });
        // Ten answers of the forwarder: time enough to have read all of it, were it reading.
        for (let reading = 0; reading < 10; reading += 1) await memory();
        const { peak } = await memory();
        expect(peak - rss).toBeLessThan(GROWTH_BYTES_MAX);
        stalled?.resume();
        expect(await received).toBe(BODY_BYTES);
      });
    });

    describe('a client that goes away', () => {
      it('cancels its call at the upstream, before and inside the answer', async () => {
        const seen: string[] = [];
        const server = createServer((request, response) => {
          seen.push(`open ${request.url}`);
          response.on('close', () => seen.push(`closed ${request.url}`));
          if (request.url === '/stream') response.write('begun');
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        cleanups.push(() => {
          server.closeAllConnections();
          server.close();
        });
        const { createListener, createUpstreamClient } = await loadTransport(transport);
        const client = createUpstreamClient();
        const { port } = server.address() as AddressInfo;
        const listener = createListener(
          {
            host: '127.0.0.1',
            port: 0,
            tls: undefined,
            headerBytesMax: 16_384,
            headersTimeoutMs: 10_000,
            keepAliveTimeoutMs: 10_000,
            connectionsMax: 10,
            renderProtocolError: ({ reason }) => ({ headers: [], body: reason }),
          },
          createBareForward({ client, origin: `http://127.0.0.1:${port}` }),
        );
        const address = await listener.listen();
        cleanups.push(async () => {
          await listener.drain(0);
          await client.close();
        });
        for (const path of ['/silent', '/stream']) {
          const outgoing = sendRequest({ port: address.port, host: '127.0.0.1', path });
          outgoing.on('error', () => {});
          let begun = false;
          outgoing.on('response', (response) => {
            response.on('error', () => {});
            response.on('data', () => (begun = true));
          });
          outgoing.end();
          await waitFor(() => begun || (path === '/silent' && seen.includes('open /silent')), {
            timeoutMs: WAIT_MS,
            what: `${path} at the upstream`,
          });
          outgoing.destroy();
          await waitFor(() => seen.includes(`closed ${path}`), {
            timeoutMs: WAIT_MS,
            what: `the upstream to see ${path} close`,
          });
        }
        expect(seen).toEqual(['open /silent', 'closed /silent', 'open /stream', 'closed /stream']);
      });
    });
  });
}
