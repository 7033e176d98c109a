import { EventEmitter } from 'node:events';

import { expect, it, vi } from 'vitest';

import { closeUndelivered } from './undelivered.ts';

function buildWorker() {
  const send = vi.fn<() => boolean>(() => true);
  const worker = Object.assign(new EventEmitter(), { process: { send } });
  closeUndelivered(worker as unknown as Parameters<typeof closeUndelivered>[0]);
  const tell = worker.process.send as unknown as (message: unknown, handle?: unknown) => boolean;
  return { worker, send, tell };
}

it('the connection that a dead worker may not have taken is closed, of each socket the last one', () => {
  const { worker, send, tell } = buildWorker();
  const [first, second, other] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
  for (const [key, close] of [
    ['4020', first],
    ['4020', second],
    ['4021', other],
  ] as const) {
    expect(tell({ act: 'newconn', key }, { close })).toBe(true);
  }
  expect(send).toHaveBeenCalledTimes(3);
  worker.emit('exit');
  expect([first, second, other].map((close) => close.mock.calls.length)).toEqual([0, 1, 1]);
});

it('what is no connection is left alone: answers without a handle, sockets that others share, texts', () => {
  const { worker, send, tell } = buildWorker();
  const close = vi.fn<() => void>();
  tell({ act: 'newconn', key: '4020' }, null);
  tell({ key: '4020', ack: 1 }, { close });
  tell('drain');
  worker.emit('exit');
  expect(close).not.toHaveBeenCalled();
  expect(send).toHaveBeenCalledTimes(3);
});
