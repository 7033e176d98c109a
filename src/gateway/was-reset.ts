import type { Socket } from 'node:net';

/**
 * To be asked when a socket says that the other side has ended its half. libuv says so of a reset, too, where bytes came
 * together with it (`uv__stream_io` at POLLHUP); but then there is no other side any more. Its name must not have been
 * asked for before: Node remembers it.
 */
export function wasReset(socket: Socket): boolean {
  return socket.remoteAddress === undefined;
}
