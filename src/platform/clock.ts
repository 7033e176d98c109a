import { performance } from 'node:perf_hooks';

/** The one clock (DESIGN 12): everything that needs the time takes one of these. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that never go back, of each thread its own: for durations and deadlines. */
  readonly monotonicMs: () => number;
}

/** Milliseconds that never go back, the same in all threads of this machine: for deadlines that one tells another. */
export function machineMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** The system's time, shifted by `shiftMs` (0 outside `dev` and tests). */
export function createClock(shiftMs = 0): Clock {
  return {
    now: () => Date.now() + shiftMs,
    monotonicMs: () => performance.now(),
  };
}
