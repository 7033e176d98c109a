/** Why a store call failed. All but the first two are bugs or bad input: trying again does not help. */
export type StoreErrorCode =
  /** The engine below does not answer (busy, disk full, closed): try later, answer 503 meanwhile. */
  | 'unavailable'
  /** More calls outstanding than the store takes: as `unavailable`. */
  | 'overloaded'
  /** This owner was closed or reclaimed: it must stop serving. */
  | 'fenced'
  | 'already_exists'
  | 'unknown_tenant'
  | 'idempotency_conflict'
  | 'invalid_argument'
  /** The directory does not allow this: a tenant above itself, a tree too deep, a pool of nobody, more purchases than it keeps. */
  | 'invalid_change'
  /** An amount does not fit the range in which money is counted exactly. */
  | 'unsafe_amount'
  /** The books would not add up: nothing was changed. */
  | 'invariant'
  /** The database cannot be used as it is: its engine's version or its schema. */
  | 'incompatible';

/** `message` states what happened and, where there is one, the fix. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An account that means something else here than there, or an amount that cannot be counted: others succeed without it. */
export function isOfOneRequest(error: unknown): boolean {
  if (!(error instanceof StoreError)) return false;
  return ['invalid_argument', 'unsafe_amount', 'invariant'].includes(error.code);
}
