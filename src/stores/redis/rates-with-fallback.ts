import type { Clock } from '../../platform/clock.ts';
import type { RateRequest, RateResult, RateStore } from '../store.ts';
import { StoreError } from '../store-error.ts';
import { LocalRates } from './local-rates.ts';

/** Shared buckets that can be lost. */
export interface LosableRates extends RateStore {
  /** Says that this process lives; resolves with how many do. */
  beat(): Promise<number>;
  close(): Promise<void>;
}

export interface RatesWithFallbackOptions {
  readonly shared: LosableRates;
  /** Processes known of before the shared store tells; at least 1. */
  readonly processes: number;
  readonly clock: Clock;
  readonly events: {
    /** Once for each loss. */
    readonly onLost: (reason: string) => void;
    readonly onFound: () => void;
    /** How many processes share the limits, whenever the shared store has told. */
    readonly onCounted: (processes: number) => void;
  };
}

const LOOK_MS = 1000;
/** A lower number of processes is believed once it has been told for this long: others may only be late. */
const FEWER_AFTER_MS = 10_000;

/**
 * The shared buckets while they answer, and this process's part of them while they do not: no call fails, none waits
 * longer than one answer may take, and the parts of all processes add up to the limit (QUOTA-07).
 */
export class RatesWithFallback implements RateStore {
  readonly #shared: LosableRates;
  readonly #local = new LocalRates();
  readonly #clock: Clock;
  readonly #events: RatesWithFallbackOptions['events'];
  #isShared = true;
  #processes: number;
  /** Monotonic ms since when fewer processes were told; undefined = they were not. */
  #fewerSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: RatesWithFallbackOptions) {
    this.#shared = options.shared;
    this.#processes = options.processes;
    this.#clock = options.clock;
    this.#events = options.events;
  }

  /** Resolves once it is known whether the shared buckets answer; from then on looks every second. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Says that this process lives and hears who else does. One at a time: a silent store is asked once. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async takeRate(requests: readonly RateRequest[], now: number): Promise<readonly RateResult[]> {
    if (!this.#isShared) return this.#local.take(requests, this.#processes, now);
    try {
      const results = await this.#shared.takeRate(requests, now);
      this.#count(requests, results, now);
      return results;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error;
      this.#lose(error.message);
      return this.#local.take(requests, this.#processes, now);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#shared.close();
  }

  #count(requests: readonly RateRequest[], results: readonly RateResult[], now: number): void {
    requests.forEach((request, index) => {
      const granted = results[index]?.granted ?? 0;
      if (granted > 0) this.#local.count({ ...request, granted }, this.#processes, now);
    });
  }

  async #look(): Promise<void> {
    try {
      this.#hear(await this.#shared.beat());
      if (this.#isShared) return;
      this.#isShared = true;
      this.#events.onFound();
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
  }

  #hear(processes: number): void {
    const now = this.#clock.monotonicMs();
    if (processes >= this.#processes) this.#fewerSince = undefined;
    else this.#fewerSince ??= now;
    const isLate = this.#fewerSince !== undefined && now - this.#fewerSince < FEWER_AFTER_MS;
    if (!isLate) {
      this.#processes = Math.max(1, processes);
      this.#fewerSince = undefined;
    }
    this.#events.onCounted(this.#processes);
  }

  #lose(reason: string): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    this.#events.onLost(reason);
  }
}
