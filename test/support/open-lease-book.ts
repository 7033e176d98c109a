import { onTestFinished } from 'vitest';

import { type AccountSpec, balanceAccount } from '../../src/domain/accounts.ts';
import type { WaitOutcome } from '../../src/engine/lease-account.ts';
import { LeaseBook } from '../../src/engine/lease-book.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { AcquireRequest, AcquireResult } from '../../src/stores/store.ts';
import { ManualClock } from './manual-clock.ts';
import { waitFor } from './wait-for.ts';

/** A store in which a test says what each call to `acquire` is answered; until then it is silent. */
class ScriptedStore {
  readonly asked: (readonly AcquireRequest[])[] = [];
  readonly #answers: ((results: readonly AcquireResult[] | Error) => void)[] = [];

  acquire(_owner: string, requests: readonly AcquireRequest[]): Promise<readonly AcquireResult[]> {
    this.asked.push(requests);
    return new Promise((resolve, reject) => {
      this.#answers.push((results) =>
        results instanceof Error ? reject(results) : resolve(results),
      );
    });
  }

  async answer(results: readonly AcquireResult[] | Error): Promise<void> {
    const answer = await waitFor(() => this.#answers.shift(), {
      timeoutMs: 5000,
      what: 'a question',
    });
    answer(results);
    // The answer is acted on in later microtasks.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function resultFor(
  members: Partial<AcquireResult> & { allowance?: number; spent?: number; reserved?: number },
): AcquireResult {
  const { allowance = 0, spent = 0, reserved = 0, ...rest } = members;
  return {
    index: 1,
    granted: 0,
    usableUntil: undefined,
    account: { allowance, spent, reserved },
    recalling: 0,
    heldElsewhere: 0,
    stranded: 0,
    ...rest,
  };
}

/** Monotonic milliseconds: a second after the start. */
export const DEADLINE = ManualClock.STARTED_MS + 1000;
export const never = (): AbortSignal => new AbortController().signal;
export const waitOf = (amount: number) => ({ amount, deadline: DEADLINE, signal: never() });
export const open = () => openAt(new ManualClock());

/** Its store falls silent and the book is stopped when the test ends. */
export function openAt<C extends Clock>(clock: C, accountsMax?: number) {
  const store = new ScriptedStore();
  const errors: unknown[] = [];
  const book = new LeaseBook('own_1', store, clock, {
    onError: (error) => errors.push(error),
    ...(accountsMax === undefined ? {} : { accountsMax }),
  });
  onTestFinished(async () => {
    void store.answer(new Error('the test is over')).catch(() => undefined);
    await book.stop();
  });
  return { store, book, clock, errors };
}

export const specOf = (number: number): AccountSpec => balanceAccount(`ten_${number}`, 'USD');

/** Whether a promise has been settled by now. */
export async function peek(promise: Promise<WaitOutcome>): Promise<WaitOutcome | 'waiting'> {
  return Promise.race([
    promise,
    new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting'))),
  ]);
}
