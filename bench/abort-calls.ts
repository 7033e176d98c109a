import { connect } from 'node:net';

/** Callers that leave: now in the middle of their question, now in the middle of the answer. */
export class AbortingCallers {
  readonly #port: number;
  readonly #request: string;
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<() => void>();
  #made = 0;

  constructor(origin: string, request: string, perSecond: number) {
    this.#port = Number(new URL(origin).port);
    this.#request = request;
    this.#timer = setInterval(() => this.#call(), 1000 / perSecond);
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const close of this.#open) close();
    return Promise.resolve();
  }

  #call(): void {
    this.#made += 1;
    const isCutShort = this.#made % 4 === 0;
    const length = isCutShort ? this.#request.length - 10 : this.#request.length;
    const socket = connect(this.#port, '127.0.0.1');
    const close = (): void => {
      socket.destroy();
    };
    this.#open.add(close);
    socket.once('close', () => this.#open.delete(close));
    socket.on('error', () => undefined);
    socket.write(this.#request.slice(0, length), 'latin1', () => {
      if (isCutShort) close();
    });
    socket.once('data', close);
  }
}
