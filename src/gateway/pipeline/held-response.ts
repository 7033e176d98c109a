import type { InboundResponse, RawHeaders } from '../listener.ts';

/** An answer of which nothing leaves while its charge is not safe yet: it waits here, and its sender is told to pause. */
export class HeldResponse implements InboundResponse {
  /** As its sender sees it: the head may still wait here. */
  headSent = false;
  onDrain: (() => void) | undefined = undefined;
  onClientGone: (() => void) | undefined = undefined;
  readonly #response: InboundResponse;
  /** What the head says by the time it leaves. */
  readonly #amendHead: (headers: RawHeaders) => RawHeaders;
  #waiting: ((response: InboundResponse) => boolean)[] = [];
  #isHeld = false;
  #owesDrain = false;
  #isDropped = false;

  constructor(response: InboundResponse, amendHead: (headers: RawHeaders) => RawHeaders) {
    this.#response = response;
    this.#amendHead = amendHead;
    response.onDrain = () => {
      if (!this.#isHeld) this.onDrain?.();
    };
    response.onClientGone = () => this.onClientGone?.();
  }

  get closed(): boolean {
    return this.#isDropped || this.#response.closed;
  }

  writeHead(status: number, headers: RawHeaders, shared?: RawHeaders): void {
    this.headSent = true;
    this.#pass((response) => {
      response.writeHead(status, this.#amendHead(headers), shared);
      return true;
    });
  }

  write(chunk: Buffer | string): boolean {
    const isTaken = this.#pass((response) => response.write(chunk));
    if (this.#isHeld) this.#owesDrain = true;
    return isTaken;
  }

  end(chunk?: Buffer | string): void {
    this.#pass((response) => {
      response.end(chunk);
      return true;
    });
  }

  destroy(): void {
    this.#waiting = [];
    this.#response.destroy();
  }

  /** What is written from here on waits. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Everything that waits leaves, and its sender may go on. */
  letGo(): void {
    this.#isHeld = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    let isTaken = true;
    for (const pass of waiting) isTaken = pass(this.#response);
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    if (isTaken) this.onDrain?.();
  }

  /** Nothing of what waits is ever sent; its sender finds it closed. */
  drop(): void {
    this.#isDropped = true;
    this.#waiting = [];
  }

  /** False = the sender has to wait. */
  #pass(pass: (response: InboundResponse) => boolean): boolean {
    if (this.#isDropped) return false;
    if (!this.#isHeld) return pass(this.#response);
    this.#waiting.push(pass);
    return false;
  }
}
