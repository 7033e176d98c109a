import { createServer, type Socket } from 'node:net';

import { STREAM_EVENTS, STREAM_HEAD, STREAM_INTERVAL_MS } from './stream-workload.ts';

/**
 * A model that streams: every request is answered with the same events, each in a chunk of its own, the first at once and
 * the others at their time. Prints its port when it listens.
 */
const events = STREAM_EVENTS.map(
  (event) => `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`,
);
const END = '0\r\n\r\n';

class Streams {
  readonly #socket: Socket;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', () => undefined);
    socket.once('close', () => clearInterval(this.#timer));
  }

  /** Callers wait for the end of an answer before they ask again. */
  #read(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end === -1) return;
    const length = /^content-length: *(\d+)$/im.exec(this.#text.slice(0, end))?.[1];
    if (this.#text.length < end + 4 + Number(length ?? 0)) return;
    this.#text = '';
    this.#answer();
  }

  #answer(): void {
    this.#socket.write(STREAM_HEAD + (events[0] ?? ''));
    let next = 1;
    this.#timer = setInterval(() => {
      if (next < events.length) {
        this.#socket.write(events[next] ?? '');
        next += 1;
        return;
      }
      clearInterval(this.#timer);
      this.#socket.write(END);
    }, STREAM_INTERVAL_MS);
  }
}

const server = createServer((socket) => void new Streams(socket));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  process.stdout.write(`${address.port}\n`);
});
