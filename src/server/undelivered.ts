import type { Worker } from 'node:cluster';

/** What `node:cluster` sends through: its own messages may come with the raw handle of a connection. */
interface Channel {
  send(message: unknown, handle?: { close(): void }, ...rest: unknown[]): boolean;
}

/**
 * Node hands a new connection to a worker and closes its own copy once the worker has said that it took it. One that
 * is killed in between never says so: that connection would stay open here, answered by nobody, until its caller
 * gives up. So the last one of each listening socket is closed when the worker is gone; closing twice does nothing.
 */
export function closeUndelivered(worker: Worker): void {
  const channel = worker.process as unknown as Channel;
  const send = channel.send.bind(channel);
  const handed = new Map<unknown, { close(): void }>();
  channel.send = (message, handle, ...rest) => {
    // There is one connection on its way at a time, for each socket that is listened on.
    if (handle !== undefined) handed.set(socketOf(message), handle);
    return send(message, handle, ...rest);
  };
  worker.once('exit', () => {
    for (const handle of handed.values()) handle.close();
  });
}

function socketOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'key' in message
    ? message.key
    : undefined;
}
