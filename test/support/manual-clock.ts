import type { Clock } from '../../src/platform/clock.ts';
import { AT } from './build-catalog.ts';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #elapsedMs = 0;

  readonly now = (): number => AT + this.#elapsedMs;
  readonly monotonicMs = (): number => this.#elapsedMs;

  advance(byMs: number): void {
    this.#elapsedMs += byMs;
  }
}
