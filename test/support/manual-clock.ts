import type { Clock } from '../../src/platform/clock.ts';
import { AT } from './build-catalog.ts';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  /** A process is never so young that "long ago" and zero meet. */
  static readonly STARTED_MS = 1_000_000;
  #elapsedMs = 0;

  readonly now = (): number => AT + this.#elapsedMs;
  readonly monotonicMs = (): number => ManualClock.STARTED_MS + this.#elapsedMs;

  advance(byMs: number): void {
    this.#elapsedMs += byMs;
  }
}
