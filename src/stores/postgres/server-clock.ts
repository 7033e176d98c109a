import { type Clock, createClock } from '../../platform/clock.ts';
import type { Database } from './database.ts';
import { Statement } from './statement.ts';

const NOW = new Statement<{ readonly now: number }>(
  'SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint AS now',
);

/** Clocks that differ by no more than this are taken as one; a heartbeat may be four times as old. */
const TOLERANCE_MS = 250;
const MEASURED_FOR_MS = 30_000;

/**
 * How the server's clock differs from this machine's. Machines whose clocks differ tell by the server's which of them was
 * heard of lately, and when a rate has come back: else one with a slow clock would seem dead to the others.
 */
export class ServerClock {
  readonly #database: Pick<Database, 'query'>;
  readonly #clock: Clock;
  #aheadMs = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;
  /** Of this machine's clock over monotonic time: it changes when somebody sets the clock. */
  #offsetThen = 0;
  #measuring: Promise<void> | undefined = undefined;

  constructor(database: Pick<Database, 'query'>, clock: Clock = createClock()) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Milliseconds to add to a time of this machine; 0 while both go about alike. Asks the server now and then. */
  async aheadMs(): Promise<number> {
    if (this.#mustMeasure()) {
      this.#measuring ??= this.#measure().finally(() => {
        this.#measuring = undefined;
      });
      await this.#measuring;
    }
    return this.#aheadMs;
  }

  #mustMeasure(): boolean {
    const isOld = this.#clock.monotonicMs() - this.#measuredAt > MEASURED_FOR_MS;
    return isOld || Math.abs(this.#offset() - this.#offsetThen) > TOLERANCE_MS;
  }

  #offset(): number {
    return this.#clock.now() - this.#clock.monotonicMs();
  }

  async #measure(): Promise<void> {
    const [startedMs, offset] = [this.#clock.monotonicMs(), this.#offset()];
    const [row] = await this.#database.query(NOW);
    const halfMs = (this.#clock.monotonicMs() - startedMs) / 2;
    const aheadMs = (row?.now ?? 0) - (startedMs + offset + halfMs);
    // The answer may be as wrong as it took: within that, what is known stands.
    const isWithin = (known: number): boolean =>
      Math.abs(aheadMs - known) <= Math.max(TOLERANCE_MS, halfMs);
    if (isWithin(0)) this.#aheadMs = 0;
    else if (!isWithin(this.#aheadMs)) this.#aheadMs = Math.round(aheadMs);
    this.#offsetThen = offset;
    this.#measuredAt = this.#clock.monotonicMs();
  }
}
