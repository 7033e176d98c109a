/** How coarse every time-out of this transport is: it fires up to this much late, never early. */
export const TICK_MS = 100;

/** A deadline that never comes. */
export const NEVER = 0;

/** Something with a time-out: `deadline` is in ticks, NEVER for none. */
export interface Timed {
  deadline: number;
  /** The deadline has passed; it is NEVER again. */
  expire(): void;
}

/** One timer for all time-outs of a listener or a client: noting a deadline is one assignment, with no clock read. */
export class Ticker {
  /** Ticks since start. */
  now = 1;
  readonly #watched = new Set<Timed>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  watch(timed: Timed): void {
    this.#watched.add(timed);
  }

  unwatch(timed: Timed): void {
    this.#watched.delete(timed);
  }

  /** The deadline of what may take so long from now on. */
  after(milliseconds: number): number {
    return this.now + Math.ceil(milliseconds / TICK_MS) + 1;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.now += 1;
    for (const timed of this.#watched) {
      if (timed.deadline === NEVER || timed.deadline > this.now) continue;
      timed.deadline = NEVER;
      timed.expire();
    }
  }
}
