import type { Worker } from 'node:cluster';

/** What `node:cluster` sends through: its own messages may come with the raw handle of a connection. */
interface Channel {
  send(message: unknown, handle?: Closable | null, ...rest: unknown[]): boolean;
}
interface Closable {
  close(): void;
}

/**
 * Node hands a new connection to a worker and closes its own copy once the worker has said that it took it. One that
 * is killed in between never says so: that connection would stay open here, answered by nobody, until its caller
 * gives up. So the last one of each listening socket is closed when the worker is gone; closing twice does nothing.
 */
export function closeUndelivered(
  worker: Pick<Worker, 'once'> & { readonly process: unknown },
): void {
  const channel = worker.process as Channel;
  const send = channel.send.bind(channel);
  const handed = new Map<unknown, Closable>();
  channel.send = (message, handle, ...rest) => {
    // There is one connection on its way at a time, for each socket that is listened on.
    if (handle && isHandOver(message)) handed.set(message.key, handle);
    return send(message, handle, ...rest);
  };
  worker.once('exit', () => {
    for (const handle of handed.values()) handle.close();
  });
}

/** Only these: what else carries a handle is a socket that others listen on too. */
function isHandOver(message: unknown): message is { readonly key: unknown } {
  if (typeof message !== 'object' || message === null) return false;
  return 'act' in message && message.act === 'newconn' && 'key' in message;
}
