/** How coarse time-outs of this transport are: up to four times this late, more when the loop itself was; never early. */
export const TICK_MS = 100;

/** A deadline that never comes. */
export const NEVER = 0;

/** Something with a time-out: `deadline` is in ticks, NEVER for none. */
export interface Timed {
  deadline: number;
  /** The deadline has passed; it is NEVER again. */
  expire(): void;
}

/** However late a tick comes, it counts for so many at most: a longer pause is ours, not the other side's. */
const STEP_MAX = 2;

/** One timer for all time-outs of a listener or a client: noting a deadline is one assignment, with no clock read. */
export class Ticker {
  /** Ticks since start. */
  now = 1;
  readonly #watched = new Set<Timed>();
  readonly #timer: NodeJS.Timeout;
  readonly #clock: () => number;
  /** What the clock showed, in milliseconds, when `now` began. */
  #since: number;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#since = clock();
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
    // The next tick may be due, one step may be two ticks, and a part of a tick may be left of the last step.
    return this.now + Math.ceil(milliseconds / TICK_MS) + STEP_MAX + 1;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A busy loop makes every tick a little late: counted alone, they would make four seconds of five. */
  #step(): number {
    const clock = this.#clock();
    const passed = Math.floor((clock - this.#since) / TICK_MS);
    if (passed > STEP_MAX) this.#since = clock;
    else this.#since += passed * TICK_MS;
    return Math.min(passed, STEP_MAX);
  }

  #tick(): void {
    this.now += this.#step();
    for (const timed of this.#watched) {
      if (timed.deadline === NEVER || timed.deadline > this.now) continue;
      timed.deadline = NEVER;
      timed.expire();
    }
  }
}
