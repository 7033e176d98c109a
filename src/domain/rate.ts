import { divideCeil } from './money.ts';

/** At most `burst` at once, `count` per `periodMs` sustained (QUOTA-07). All are whole and at least 1. */
export interface RateTerms {
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
}

/**
 * A bucket of the generic cell rate algorithm (ATM Forum TM 4.0), kept as the distance between now and the
 * theoretical arrival time, TAT = `at` + `debt` / count. One token is `periodMs` of debt and every millisecond
 * works off `count` of it: whole numbers at any rate, where a TAT in microseconds would have to round.
 */
export interface RateState {
  readonly debt: bigint;
  /** Epoch ms at which `debt` was right. */
  readonly at: number;
  /** The period `debt` is counted in. */
  readonly periodMs: number;
}

export interface RateGrant {
  readonly state: RateState;
  /** Tokens taken: from 0 to `want`. */
  readonly granted: number;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Until one token is there; 0 when some were granted. */
  readonly retryAfterMs: number;
}

/** Takes up to `want` tokens at epoch ms `now`. `state` is undefined for a bucket never used: it is full. */
export function reserveRate(
  state: RateState | undefined,
  terms: RateTerms,
  now: number,
  want: number,
): RateGrant {
  const token = BigInt(terms.periodMs);
  const perMs = BigInt(terms.count);
  const full = BigInt(terms.burst) * token;
  const at = state === undefined || now > state.at ? now : state.at;
  const debt = state === undefined ? 0n : debtAt(state, terms, at);
  const room = debt < full ? full - debt : 0n;
  const granted = smaller(BigInt(want), room / token);
  const left = room - granted * token;
  const isEmpty = granted === 0n && left < token;
  return {
    state: { debt: debt + granted * token, at, periodMs: terms.periodMs },
    granted: toWhole(granted),
    remaining: toWhole(left / token),
    retryAfterMs: isEmpty ? at - now + toWhole(divideCeil(debt + token - full, perMs)) : 0,
  };
}

/** What is asked of one bucket among several. */
export interface RateAsk {
  readonly state: RateState | undefined;
  readonly terms: RateTerms;
  readonly want: number;
}

/** Asks several buckets at once: when one of them has no token, none is taken of any. */
export function reserveRates(asks: readonly RateAsk[], now: number): readonly RateGrant[] {
  const grants = asks.map(({ state, terms, want }) => reserveRate(state, terms, now, want));
  if (grants.every(({ retryAfterMs }) => retryAfterMs === 0)) return grants;
  return asks.map(({ state, terms }) => reserveRate(state, terms, now, 0));
}

/** What is left of the debt at `at`. Changed terms keep the tokens owed, rounded up: a reload refills nothing. */
function debtAt(state: RateState, terms: RateTerms, at: number): bigint {
  const owed =
    state.periodMs === terms.periodMs
      ? state.debt
      : divideCeil(state.debt * BigInt(terms.periodMs), BigInt(state.periodMs));
  const workedOff = BigInt(at - state.at) * BigInt(terms.count);
  return owed > workedOff ? owed - workedOff : 0n;
}

function smaller(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

/** Safe: token counts and waits here are bounded by burst and by period. */
function toWhole(value: bigint): number {
  return Number.parseInt(value.toString(), 10);
}
