import { afterEach, describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/support/manual-clock.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import { type Clock, createClock } from '../platform/clock.ts';
import type { AcquireRequest, AcquireResult } from '../stores/store.ts';
import type { LeaseAccount, WaitOutcome } from './lease-account.ts';
import { LeaseBook } from './lease-book.ts';

const WAITERS_PER_ACCOUNT_MAX = 1000;
const WAITERS_MAX = 10_000;
const UNAVAILABLE = { kind: 'short', cause: 'unavailable', held: 0 };

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

function resultFor(
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

const DEADLINE = ManualClock.STARTED_MS + 1000;
const never = (): AbortSignal => new AbortController().signal;
const opened: LeaseBook[] = [];
const stores: ScriptedStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0))
    void store.answer(new Error('the test is over')).catch(() => undefined);
  await Promise.all(opened.splice(0).map((book) => book.stop()));
});

const open = () => openAt(new ManualClock());

function openAt<C extends Clock>(clock: C) {
  const store = new ScriptedStore();
  const errors: unknown[] = [];
  const book = new LeaseBook('own_1', store, clock, (error) => errors.push(error));
  opened.push(book);
  stores.push(store);
  return { store, book, clock, errors };
}

const specOf = (number: number): AccountSpec => balanceAccount(`ten_${number}`, 'USD');

/** Whether a promise has been settled by now. */
async function peek(promise: Promise<WaitOutcome>): Promise<WaitOutcome | 'waiting'> {
  return Promise.race([
    promise,
    new Promise<'waiting'>((resolve) => setImmediate(() => resolve('waiting'))),
  ]);
}

describe('LeaseBook', () => {
  it('keeps one account an id, numbered, and adopts a changed allowance', () => {
    const { book } = open();
    const account = book.find(specOf(1));
    expect(book.find(specOf(1))).toBe(account);
    expect(book.find(specOf(2)).index).toBe(2);
    expect([book.at(1), book.get(account.spec.id), [...book.all()].length]).toEqual([
      account,
      account,
      2,
    ]);
    book.find({ ...specOf(1), allowance: 7 });
    expect([account.spec.allowance, account.recalled]).toEqual([7, true]);
    book.remove(account);
    expect([book.at(1), book.get(account.spec.id)]).toEqual([undefined, undefined]);
    expect(book.find(specOf(1)).index).toBe(3);
  });

  it('asks once for all that wait, and wakes in turn as many as fit', async () => {
    const { store, book } = open();
    const account = book.find(specOf(1));
    const waits = [5, 5, 5].map((amount) => book.waitFor(account, amount, DEADLINE, never()));
    await store.answer([resultFor({ granted: 10, allowance: 10, reserved: 10 })]);
    expect(store.asked[0]).toMatchObject([{ index: 1, grantedBefore: 0, need: 5, want: 40 }]);
    expect(await Promise.all(waits.map(peek))).toEqual([
      { kind: 'ready' },
      { kind: 'ready' },
      'waiting',
    ]);
  });

  it('one message carries the growth of every account that came up in the same turn', async () => {
    const { store, book } = open();
    for (const number of [1, 2, 3])
      void book.waitFor(book.find(specOf(number)), 1, DEADLINE, never());
    await waitFor(() => store.asked.length > 0, { timeoutMs: 5000, what: 'the question' });
    expect(store.asked.map((requests) => requests.length)).toEqual([3]);
  });

  it.each<[string, Parameters<typeof resultFor>[0], number, WaitOutcome]>([
    [
      'gone: nobody has it',
      { allowance: 9, spent: 2, reserved: 0 },
      0,
      { kind: 'short', cause: 'gone', held: 0 },
    ],
    [
      'held elsewhere, until the deadline',
      { allowance: 10, reserved: 10, heldElsewhere: 10 },
      1000,
      { kind: 'short', cause: 'held', held: 10 },
    ],
    [
      'with a live process that has not answered',
      { allowance: 10, reserved: 10, recalling: 10 },
      1000,
      { kind: 'short', cause: 'unavailable', held: 0 },
    ],
    [
      'with a dead process',
      { allowance: 10, reserved: 10, stranded: 10 },
      1000,
      { kind: 'short', cause: 'stranded', held: 0 },
    ],
  ])('10 units that are %s', async (_what, result, afterMs, outcome) => {
    const { store, book, clock } = open();
    const wait = book.waitFor(book.find(specOf(1)), 10, DEADLINE, never());
    clock.advance(afterMs);
    await store.answer([resultFor(result)]);
    expect(await wait).toEqual(outcome);
  });

  it('before the deadline what is only elsewhere is asked for again', async () => {
    const { store, book } = openAt(createClock());
    const wait = book.waitFor(
      book.find(specOf(1)),
      10,
      createClock().monotonicMs() + 5000,
      never(),
    );
    await store.answer([resultFor({ allowance: 10, reserved: 10, heldElsewhere: 10 })]);
    expect(await peek(wait)).toBe('waiting');
    await store.answer([resultFor({ granted: 10, allowance: 10, reserved: 10 })]);
    expect(await wait).toEqual({ kind: 'ready' });
  });

  it('a refusal waits until the processes that were recalled have been heard', async () => {
    const { store, book } = open();
    const wait = book.waitFor(book.find(specOf(1)), 10, DEADLINE, never());
    await store.answer([resultFor({ allowance: 9, reserved: 4, recalling: 4 })]);
    expect(await peek(wait)).toBe('waiting');
    await store.answer([resultFor({ allowance: 9 })]);
    expect(await wait).toMatchObject({ cause: 'gone' });
  });

  it('gone is answered from memory for 250 ms, for as much and more, not for less', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const wait = book.waitFor(account, 10, DEADLINE, never());
    await store.answer([resultFor({ allowance: 9 })]);
    await wait;
    expect(await book.waitFor(account, 10, DEADLINE, never())).toMatchObject({ cause: 'gone' });
    expect(store.asked).toHaveLength(1);
    void book.waitFor(account, 9, DEADLINE, never());
    await waitFor(() => store.asked.length === 2, { timeoutMs: 5000, what: 'a question for less' });
    clock.advance(250);
    expect(await peek(book.waitFor(account, 10, DEADLINE, never()))).toBe('waiting');
  });

  it('a store that fails is told to the log and to who waits, and is asked again the next time', async () => {
    const { store, book, errors } = open();
    const account = book.find(specOf(1));
    const wait = book.waitFor(account, 1, DEADLINE, never());
    await store.answer(new Error('disk'));
    expect(await wait).toEqual(UNAVAILABLE);
    expect(errors).toEqual([new Error('disk')]);
    const again = book.waitFor(account, 1, DEADLINE, never());
    await store.answer([resultFor({ granted: 8, allowance: 8, reserved: 8 })]);
    expect(await again).toEqual({ kind: 'ready' });
  });

  it('a store that leaves an account out makes it unavailable', async () => {
    const { store, book } = open();
    const wait = book.waitFor(book.find(specOf(1)), 1, DEADLINE, never());
    await store.answer([]);
    expect(await wait).toEqual(UNAVAILABLE);
  });

  it('bound: a silent store is waited for until the deadline and no longer', async () => {
    const { book } = openAt(createClock());
    const account = book.find(specOf(1));
    const deadline = createClock().monotonicMs();
    expect(await book.waitFor(account, 1, deadline, never())).toEqual(UNAVAILABLE);
    expect(account.waiters).toEqual([]);
  });

  it('a caller that leaves gives up its place at once', async () => {
    const { book } = open();
    const account = book.find(specOf(1));
    const leaving = new AbortController();
    const wait = book.waitFor(account, 1, DEADLINE, leaving.signal);
    leaving.abort();
    expect(await wait).toEqual(UNAVAILABLE);
    expect(account.waiters).toEqual([]);
    expect(await book.waitFor(account, 1, DEADLINE, leaving.signal)).toEqual(UNAVAILABLE);
  });

  it(`bound: ${WAITERS_PER_ACCOUNT_MAX} may wait for one account`, async () => {
    const { book } = open();
    const account = book.find(specOf(1));
    for (let i = 0; i < WAITERS_PER_ACCOUNT_MAX; i += 1)
      void book.waitFor(account, 1, DEADLINE, never());
    expect(await peek(book.waitFor(account, 1, DEADLINE, never()))).toEqual(UNAVAILABLE);
    expect(await peek(book.waitFor(book.find(specOf(2)), 1, DEADLINE, never()))).toBe('waiting');
    account.waiters[0]?.wake({ kind: 'ready' });
    expect(await peek(book.waitFor(account, 1, DEADLINE, never()))).toBe('waiting');
  });

  it(`bound: ${WAITERS_MAX} may wait in all`, async () => {
    const { book } = open();
    const accounts: LeaseAccount[] = [];
    for (let i = 0; i < WAITERS_MAX; i += 1) {
      const account = book.find(specOf(Math.floor(i / 500)));
      accounts.push(account);
      void book.waitFor(account, 1, DEADLINE, never());
    }
    const other = book.find(specOf(-1));
    expect(await peek(book.waitFor(other, 1, DEADLINE, never()))).toEqual(UNAVAILABLE);
    accounts[0]?.waiters[0]?.wake({ kind: 'ready' });
    expect(await peek(book.waitFor(other, 1, DEADLINE, never()))).toBe('waiting');
  });

  it('bound: beyond 200,000 accounts nobody waits for another', async () => {
    const { book } = open();
    for (let i = 0; i < 200_000; i += 1) book.find(specOf(i));
    const last = book.find(specOf(0));
    expect(await peek(book.waitFor(last, 1, DEADLINE, never()))).toBe('waiting');
    const beyond = book.find(specOf(200_000));
    expect(await peek(book.waitFor(beyond, 1, DEADLINE, never()))).toEqual(UNAVAILABLE);
  });

  it('a slice grows ahead when a quarter is left, doubling while the account is busy, and not in vain', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const first = book.waitFor(account, 10, DEADLINE, never());
    await store.answer([resultFor({ granted: 80, allowance: 200, reserved: 80 })]);
    await first;
    account.hold(60, clock.monotonicMs());
    book.growAhead(account);
    account.hold(1, clock.monotonicMs());
    book.growAhead(account);
    await store.answer([resultFor({ granted: 200, allowance: 200, reserved: 200 })]);
    expect(store.asked[1]).toMatchObject([{ grantedBefore: 80, need: 1, want: 160 }]);
    account.hold(139, clock.monotonicMs());
    book.growAhead(account);
    await store.answer([resultFor({ granted: 200, allowance: 200, reserved: 200 })]);
    expect(account.short).toBe(true);
    book.growAhead(account);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toHaveLength(3);
  });

  it('an expired slice is handed back before another is taken', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const first = book.waitFor(account, 1, DEADLINE, never());
    await store.answer([
      resultFor({ granted: 8, allowance: 8, reserved: 8, usableUntil: clock.now() + 5 }),
    ]);
    await first;
    clock.advance(5);
    void book.waitFor(account, 1, DEADLINE, never());
    await new Promise((resolve) => setImmediate(resolve));
    expect([account.recalled, store.asked.length]).toEqual([true, 1]);
    account.granted = 0;
    account.handingBack = true;
    book.resumeGrowth(account);
    await waitFor(() => store.asked.length === 2, { timeoutMs: 5000, what: 'a new slice' });
  });

  it('a stopped book lets nobody wait', async () => {
    const { store, book } = open();
    const account = book.find(specOf(1));
    const wait = book.waitFor(account, 1, DEADLINE, never());
    const stopped = book.stop();
    expect(await wait).toEqual(UNAVAILABLE);
    await store.answer([resultFor({ granted: 8, allowance: 8, reserved: 8 })]);
    await stopped;
    expect(await book.waitFor(account, 100, DEADLINE, never())).toEqual(UNAVAILABLE);
    book.growAhead(account);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toHaveLength(1);
  });
});
