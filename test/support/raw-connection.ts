import { connect, type Socket } from 'node:net';

/** A client that writes exactly the bytes a test gives it, and keeps what comes back. */
export class RawConnection {
  readonly socket: Socket;
  /** Everything received, as latin1. */
  received = '';
  /** Resolves when the connection is gone, whoever ended it and however. */
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
    // A reset is an answer too: tests look at `received` and `closed`.
    socket.on('error', () => {});
  }

  /** `allowHalfOpen`: goes on writing after the server has ended its side. */
  static open(port: number, allowHalfOpen = false): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** Resolves when the kernel has the bytes. */
  write(bytes: string): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, 'latin1', () => resolve());
    });
  }

  destroy(): void {
    this.socket.destroy();
  }
}
