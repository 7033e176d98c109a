import { isLoopback } from './client-address.ts';
import { callerBlock } from './subnet.ts';

/** `server.address_limit`: at most `burst` at once, `count` per `periodMs` sustained, of one address. */
export interface AddressLimit {
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
  /** Whether callers on this machine are limited too. */
  readonly loopback: boolean;
}

/** Callers remembered. The one not seen for longest is forgotten first, and then begins anew. */
export const CALLERS_MAX = 65_536;

/**
 * The protective limit by address, before anybody is identified (DESIGN 2 "accept"). It is kept by each
 * worker for itself, over its part of the limit: no request waits for another process because of it.
 */
export class AddressLimiter {
  readonly limit: AddressLimit;
  /** Milliseconds a request takes of the schedule, and how far it may run ahead. */
  readonly #spacingMs: number;
  readonly #toleranceMs: number;
  /** Theoretical arrival time (GCRA) by caller, monotonic ms; least recently seen first. */
  readonly #arrivals = new Map<string, number>();

  /** `workers`: among how many processes the limit is divided. */
  constructor(limit: AddressLimit, workers: number) {
    this.limit = limit;
    this.#spacingMs = (limit.periodMs / limit.count) * workers;
    this.#toleranceMs = this.#spacingMs * (Math.max(1, Math.floor(limit.burst / workers)) - 1);
  }

  /** Milliseconds until this address may call again; 0 = it may, and that is counted. */
  take(address: string, monotonicMs: number): number {
    if (!this.limit.loopback && isLoopback(address)) return 0;
    const caller = callerBlock(address);
    const arrival = Math.max(this.#arrivals.get(caller) ?? 0, monotonicMs);
    const early = arrival - this.#toleranceMs - monotonicMs;
    if (early > 0) return Math.ceil(early);
    this.#remember(caller, arrival + this.#spacingMs);
    return 0;
  }

  #remember(caller: string, arrival: number): void {
    // A Map keeps the order of insertion: the caller moves to its end.
    this.#arrivals.delete(caller);
    if (this.#arrivals.size >= CALLERS_MAX) {
      const oldest = this.#arrivals.keys().next().value;
      if (oldest !== undefined) this.#arrivals.delete(oldest);
    }
    this.#arrivals.set(caller, arrival);
  }
}
