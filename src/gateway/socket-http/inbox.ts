import type { Stage, Staged } from '../round.ts';
import { keepBytes } from './shared-reads.ts';

/** More than this is worked on as it is read: what waits is bounded, and a long body is not copied. */
export const WAITING_BYTES_MAX = 16 * 1024;

/** What has been read from one socket, until its stage of the round comes. */
export class Inbox implements Staged {
  readonly #stage: Stage;
  readonly #deliver: (bytes: Buffer) => void;
  #bytes: Buffer | undefined = undefined;

  /** @param deliver gets bytes in the order they were read; they may lie in the buffer that all sockets share. */
  constructor(stage: Stage, deliver: (bytes: Buffer) => void) {
    this.#stage = stage;
    this.#deliver = deliver;
  }

  /** Something has been read that nobody has looked at. */
  get isFull(): boolean {
    return this.#bytes !== undefined;
  }

  receive(bytes: Buffer): void {
    const before = this.#bytes;
    if (before === undefined && bytes.length <= WAITING_BYTES_MAX) {
      this.#bytes = keepBytes(bytes, 0, bytes.length);
      this.#stage.add(this);
      return;
    }
    if (before !== undefined) {
      // Whoever works on the first read sees that there is another.
      this.#bytes = bytes;
      this.#deliver(before);
      this.#bytes = undefined;
    }
    this.#deliver(bytes);
  }

  /** Its stage has come, or what is known of the socket besides must not overtake it. */
  proceed(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    this.#bytes = undefined;
    this.#deliver(bytes);
  }
}
