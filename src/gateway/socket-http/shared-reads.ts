import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/**
 * One buffer for all reads from plain sockets in this process: a read then costs no memory of its own, which is a tenth
 * of what a small request costs. What outlives the callback of a read is copied out with `keepBytes`.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** Where the bytes of a socket go; set once its connection exists. */
export interface ReadTarget {
  receive: (bytes: Buffer) => void;
}

/** The documented option of `net.connect` and `new Socket` for reading into a buffer of one's own. */
export function readsInto(target: ReadTarget): OnReadOpts {
  return {
    buffer: shared,
    callback: (length) => {
      target.receive(shared.subarray(0, length));
      return true;
    },
  };
}

/** A part of what was read, which may be kept: a view of bytes that are ours, a copy of bytes that are shared. */
export function keepBytes(bytes: Buffer, from: number, to: number): Buffer {
  if (bytes.buffer !== shared.buffer) {
    return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
  }
  const own = Buffer.allocUnsafe(to - from);
  bytes.copy(own, 0, from, to);
  return own;
}

/**
 * Node lets a socket read into a buffer only when it is created so, and a server creates its sockets itself. So the
 * handle of an accepted, paused socket moves into one of ours, by the way Node's own cluster module does it.
 *
 * @returns undefined where Node looks different inside: the socket is as it was, and is to be read by its events.
 */
export function adoptSocket(accepted: Socket, target: ReadTarget): Socket | undefined {
  const inside = accepted as unknown as { _handle: object | null };
  const handle = inside._handle;
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle))
    return undefined;
  inside._handle = null;
  const options: SocketConstructorOpts & Record<string, unknown> = {
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    highWaterMark: accepted.writableHighWaterMark,
    onread: readsInto(target),
  };
  return new Socket(options);
}
