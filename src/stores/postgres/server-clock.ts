import { type Clock, createClock } from '../../platform/clock.ts';
import type { Database } from './database.ts';
import { Statement } from './statement.ts';

const NOW = new Statement<{ readonly now: number }>(
  'SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint AS now',
);

/** Clocks that differ by no more than this are taken as one; a heartbeat may be four times as old. */
const TOLERANCE_MS = 250;
const MEASURED_FOR_MS = 30_000;
/** A first answer also waits for its connection; what no answer was quick enough to tell is soon asked again. */
const ATTEMPTS_MAX = 3;
const UNSURE_FOR_MS = 1000;

/** `halfMs`: by how much it may be wrong. */
interface Measurement {
  readonly aheadMs: number;
  readonly halfMs: number;
}

/**
 * How the server's clock differs from this machine's. Machines whose clocks differ tell by the server's which of them was
 * heard of lately, and when a rate has come back: else one with a slow clock would seem dead to the others.
 */
export class ServerClock {
  readonly #database: Pick<Database, 'query'>;
  readonly #clock: Clock;
  #aheadMs = 0;
  /** Monotonic milliseconds. */
  #measureAgainAt = Number.NEGATIVE_INFINITY;
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
    const isOld = this.#clock.monotonicMs() > this.#measureAgainAt;
    return isOld || Math.abs(this.#offset() - this.#offsetThen) > TOLERANCE_MS;
  }

  #offset(): number {
    return this.#clock.now() - this.#clock.monotonicMs();
  }

  async #measure(): Promise<void> {
    const offset = this.#offset();
    const { aheadMs, halfMs } = await this.#measureWell(offset);
    // The answer may be as wrong as it took: within that, what is known stands.
    const isWithin = (known: number): boolean =>
      Math.abs(aheadMs - known) <= Math.max(TOLERANCE_MS, halfMs);
    if (isWithin(0)) this.#aheadMs = 0;
    else if (!isWithin(this.#aheadMs)) this.#aheadMs = Math.round(aheadMs);
    this.#offsetThen = offset;
    const validMs = halfMs > TOLERANCE_MS ? UNSURE_FOR_MS : MEASURED_FOR_MS;
    this.#measureAgainAt = this.#clock.monotonicMs() + validMs;
  }

  /** The first that is sure, else the surest. */
  async #measureWell(offset: number): Promise<Measurement> {
    let best = await this.#measureOnce(offset);
    for (let attempt = 1; attempt < ATTEMPTS_MAX && best.halfMs > TOLERANCE_MS; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- only one that was too slow is followed by another
      const next = await this.#measureOnce(offset);
      if (next.halfMs < best.halfMs) best = next;
    }
    return best;
  }

  async #measureOnce(offset: number): Promise<Measurement> {
    const startedMs = this.#clock.monotonicMs();
    const [row] = await this.#database.query(NOW);
    const halfMs = (this.#clock.monotonicMs() - startedMs) / 2;
    return { aheadMs: (row?.now ?? 0) - (startedMs + offset + halfMs), halfMs };
  }
}
