import { createServer, type AddressInfo, Socket } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { RawConnection } from '../../../test/support/raw-connection.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { adoptSocket, keepBytes, type ReadTarget } from './shared-reads.ts';

const WAIT_MS = 10_000;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('adoptSocket', () => {
  it('reads an accepted socket into the shared buffer on this version of Node, and keeps what is copied out', async () => {
    const kept: Buffer[] = [];
    const views: Buffer[] = [];
    let ended = 0;
    let adopted: Socket | undefined;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
      const target: ReadTarget = {
        receive: (bytes) => {
          views.push(bytes);
          kept.push(keepBytes(bytes, 0, bytes.length));
        },
      };
      adopted = adoptSocket(accepted, target);
      adopted?.on('end', () => {
        ended += 1;
        adopted?.end('bye');
      });
      adopted?.resume();
    });
    cleanups.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = await RawConnection.open((server.address() as AddressInfo).port, true);
    cleanups.push(() => client.destroy());
    await client.write('one');
    await waitFor(() => kept.length === 1, { timeoutMs: WAIT_MS, what: 'one' });
    expect(adopted?.remoteAddress).toBe('127.0.0.1');
    adopted?.pause();
    await client.write('two');
    adopted?.resume();
    await waitFor(() => kept.length === 2, { timeoutMs: WAIT_MS, what: 'two' });
    client.socket.end();
    await client.closed;
    expect(client.received).toBe('bye');
    expect(ended).toBe(1);
    expect(kept.map(String)).toEqual(['one', 'two']);
    // The same memory both times: that is what it is for.
    expect(views.map(String)).toEqual(['two', 'two']);
  });

  it('leaves a socket alone that has no such handle', () => {
    const socket = new Socket();
    expect(adoptSocket(socket, { receive: () => {} })).toBeUndefined();
    socket.destroy();
  });
});

describe('keepBytes', () => {
  it('gives bytes of our own without a copy', () => {
    const bytes = Buffer.from('hello');
    expect(keepBytes(bytes, 0, 5)).toBe(bytes);
    expect(keepBytes(bytes, 1, 3).buffer).toBe(bytes.buffer);
    expect(keepBytes(bytes, 1, 3).toString()).toBe('el');
  });
});
