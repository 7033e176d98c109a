import { StoreError, type StoreErrorCode } from '../store-error.ts';
import type { Operations } from './operations.ts';

/** What travels between the store and its thread. Calls made in one turn travel together, and so do their answers. */
export interface Call {
  readonly id: number;
  readonly name: keyof Operations;
  readonly args: readonly unknown[];
}
export type Reply =
  | { readonly id: number; readonly kind: 'done'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly failure: Failure };
/** The first message: whether the database could be opened. */
export type Opened =
  | { readonly kind: 'opened' }
  | { readonly kind: 'unopened'; readonly failure: Failure };

/** An error as plain values: classes do not survive the way between threads. */
export interface Failure {
  readonly code: StoreErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

export function toFailure(error: unknown): Failure {
  const code = error instanceof StoreError ? error.code : undefined;
  if (!(error instanceof Error)) return { code, message: String(error), stack: undefined };
  return { code, message: error.message, stack: error.stack };
}

export function toError(failure: Failure): Error {
  const error =
    failure.code === undefined
      ? new Error(failure.message)
      : new StoreError(failure.code, failure.message);
  // Where it happened says more than where it was carried to.
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
