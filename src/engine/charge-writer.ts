import type { Clock } from '../platform/clock.ts';
import type { Journal, JournalGroup } from './journal.ts';

/** After a failed write calls are turned away for so long, before they cost an upstream anything in vain. */
const REST_MS = 1000;

type Group = Omit<JournalGroup, 'seq'>;

/** Writes charges into the journal, and knows whether it is of any use to send somebody on. */
export class ChargeWriter {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  /** Ends of streams that could not be written yet; there is one at most for each stream that ran. */
  #owed: (() => boolean)[] = [];
  #timer: NodeJS.Timeout | undefined = undefined;
  /** Monotonic; a write failed then, and none has succeeded since. */
  #failedAt: number | undefined = undefined;

  constructor(journal: Journal, clock: Clock, onError: (error: unknown) => void) {
    this.#journal = journal;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** A write has just failed, as on a full disk: what cannot be written down cannot be served. */
  get isResting(): boolean {
    return this.#failedAt !== undefined && this.#clock.monotonicMs() - this.#failedAt < REST_MS;
  }

  /** False = it is not written, and nothing may be served for it. */
  write(group: Group): boolean {
    try {
      this.#journal.append(group);
      this.#failedAt = undefined;
      return true;
    } catch (error) {
      // One message for a disk that is full for hours.
      if (this.#failedAt === undefined) this.#onError(error);
      this.#failedAt = this.#clock.monotonicMs();
      return false;
    }
  }

  /**
   * The end of a stream whose PROGRESS is on disk: tried until it is written, then `onWritten`. To settle it before would
   * have it charged again from its PROGRESS, should this process die.
   */
  writeLater(group: Group, onWritten: () => void): void {
    this.#owed.push(() => {
      if (!this.write(group)) return false;
      onWritten();
      return true;
    });
    this.#timer ??= setTimeout(() => this.#writeOwed(), REST_MS);
  }

  /** A process that ends leaves the rest to whoever reads its journal. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#owed = [];
  }

  #writeOwed(): void {
    this.#owed = this.#owed.filter((write) => !write());
    this.#timer =
      this.#owed.length === 0 ? undefined : setTimeout(() => this.#writeOwed(), REST_MS);
  }
}
