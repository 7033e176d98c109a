import type { AccountSpec } from '../domain/accounts.ts';
import type { Durability } from '../domain/catalog.ts';
import type { AccountNumbers } from '../stores/store.ts';

/** Durability classes whose answers wait. */
export type Secured = Exclude<Durability, 'journal'>;

/** One account and the units to set aside in it. Units are safe integers: requests, tokens, or nano. */
export interface Need {
  readonly account: AccountSpec;
  /** 0 = nothing yet: the hold may grow there. */
  readonly amount: number;
  /** Units that are of use when `amount` is not there: then what is left is taken. Absent = all or none. */
  readonly least?: number;
}
/** A protective bucket this request takes one token from. */
export interface RateNeed {
  readonly bucketId: string;
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** Money set aside for one request. Opaque: only the engine resolves it, and only once. */
export interface Hold {
  readonly requestId: string;
  readonly needs: readonly Need[];
  /** Units set aside of each need by now. */
  readonly amounts: readonly number[];
}

export type ShortCause =
  /** Even if every open hold were released it would not suffice: 402. */
  | 'gone'
  /** It would suffice if open holds released: 402, transient. */
  | 'held'
  /** It is with a process that no longer answers: 503. */
  | 'stranded'
  /** The store does not answer, or too many wait: 503. */
  | 'unavailable';

export interface ShortOutcome {
  readonly kind: 'short';
  /** Index into `needs` of the account that refused. */
  readonly index: number;
  readonly cause: ShortCause;
  /** Exact at this moment, all processes asked; undefined when the store did not answer. */
  readonly numbers: AccountNumbers | undefined;
  /** Part of `numbers.reserved` that is under open holds, own ones included. */
  readonly held: number;
}

/** Nobody can say just now; no account in particular. */
export const UNAVAILABLE: ShortOutcome = {
  kind: 'short',
  index: -1,
  cause: 'unavailable',
  numbers: undefined,
  held: 0,
};

export type ReserveOutcome =
  | { readonly kind: 'held'; readonly hold: Hold }
  | ShortOutcome
  | { readonly kind: 'limited'; readonly index: number; readonly retryAfterMs: number }
  /** A window has ended since the needs were worked out: ask with those of the next one. */
  | { readonly kind: 'stale' };

/** How an attempt to set more aside for a hold ended. */
export type ExtendOutcome =
  | 'grown'
  /** There is none, or the hold has ended. */
  | 'gone'
  /** The store does not answer in time, or it is with a process that no longer does: no fault of the caller's. */
  | 'unavailable';

/** The one door to money on the request path (DESIGN 5, 7). */
export interface Engine {
  /** The synchronous fast path: everything is in memory or the answer is undefined, and nothing has changed. */
  tryReserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
  ): Hold | undefined;
  /** What is known without asking anybody: the first account that lacks its need was found to be used up just now. */
  refuseAtOnce(needs: readonly Need[]): ShortOutcome | undefined;
  /** The awaited slow path, at most 1 s. A caller that leaves calls `signal`'s abort: its place is dropped. */
  reserve(
    requestId: string,
    needs: readonly Need[],
    rates: readonly RateNeed[],
    signal: AbortSignal,
  ): Promise<ReserveOutcome>;
  /**
   * Sets more aside for a running stream, out of what is here: all needs or none. With `least`, as much of
   * `more` as there is, when that much is there everywhere.
   */
  extend(hold: Hold, more: readonly number[], least?: readonly number[]): boolean;
  /** The awaited way, at most 1 s, when more has to be fetched. */
  extendSlowly(hold: Hold, more: readonly number[], signal: AbortSignal): Promise<ExtendOutcome>;
  /**
   * Charges a whole answer: journalled in this call, before its first byte is written. `amounts` are per need.
   * Returns what was taken of each: less than asked for = the house pays the rest (an overrun).
   * Undefined = the journal could not be written: do not serve; the hold is released.
   */
  capture(hold: Hold, amounts: readonly number[]): readonly number[] | undefined;
  /** A stream has reached these cumulative amounts: journalled ahead of the write. False = do not write. */
  progress(hold: Hold, amounts: readonly number[]): boolean;
  /** The end of a stream: its final amounts. As `capture`. */
  finish(hold: Hold, amounts: readonly number[]): readonly number[] | undefined;
  /**
   * As `capture` or `finish`, of an answer that waits: resolves in the section that may write it, once its charge is on
   * disk or, `commit-before-serve`, at the store. A stream is on disk piece by piece and at the store before its end.
   * Undefined = it is not, and the hold is released; where the store did not say whether it has it, it still may.
   */
  secureCharge(
    hold: Hold,
    amounts: readonly number[],
    durability: Secured,
  ): Promise<readonly number[] | undefined>;
  /**
   * As `progress`, of a stream that waits. With `commit-before-serve` these amounts are charged for good, and no less
   * may be said later: they are the whole cost, of an answer whose hold lasts longer for another reason.
   */
  secureProgress(hold: Hold, amounts: readonly number[], durability: Secured): Promise<boolean>;
  /** Nothing was served. */
  release(hold: Hold): void;
  /** One token of a bucket that belongs to no hold. Milliseconds until there is one; 0 = taken. */
  takeToken(rate: RateNeed): number | Promise<number>;
  /** Units of an account that this process could set aside at once: what `extend` has to go by. */
  spare(account: AccountSpec): number;
  /** Last known numbers of an account, at most 1 s old, own charges included; undefined when never seen. */
  peek(account: AccountSpec): AccountNumbers | undefined;
  /** Milliseconds until the bucket has a token, 0 = it has one; asked of the store, and nothing is taken. */
  askRate(rate: RateNeed): Promise<number>;
  /** Tokens of a bucket that could be taken at once by now, parts of one included; undefined when never asked for. */
  peekRate(rate: RateNeed): number | undefined;
}
