import { createServer } from 'node:net';

import { expect, it } from 'vitest';

import { listenOnFreePort } from './free-port.ts';

const HOST = '127.0.0.1';

function taken(): Error {
  return Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
}

it('gives a port that can be listened on', async () => {
  const server = createServer();
  const port = await listenOnFreePort(HOST, (free) => {
    return new Promise<number>((resolve) => server.listen(free, HOST, () => resolve(free)));
  });
  expect(server.address()).toMatchObject({ port });
  server.close();
});

it('looks for another when somebody was quicker, and gives up after five', async () => {
  const tried: number[] = [];
  const port = await listenOnFreePort(HOST, async (free) => {
    tried.push(free);
    if (tried.length < 3) throw taken();
    return free;
  });
  expect([tried.length, tried.at(-1)]).toEqual([3, port]);
  const vain = listenOnFreePort(HOST, async (free) => {
    tried.push(free);
    throw taken();
  });
  await expect(vain).rejects.toThrow('taken');
  expect(tried).toHaveLength(3 + 5);
});

it('passes on what else is wrong, also a host that nobody can listen on', async () => {
  const tried: number[] = [];
  const refused = listenOnFreePort('192.0.2.1', async (free) => {
    tried.push(free);
    throw new Error('no such address here');
  });
  await expect(refused).rejects.toThrow('no such address here');
  expect(tried).toEqual([0]);
});
