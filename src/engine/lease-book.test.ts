import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/support/manual-clock.ts';
import {
  DEADLINE,
  never,
  open,
  openAt,
  peek,
  resultFor,
  specOf,
  waitOf,
} from '../../test/support/open-lease-book.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { createClock } from '../platform/clock.ts';
import { StoreError } from '../stores/store-error.ts';
import type { LeaseAccount, WaitOutcome } from './lease-account.ts';

const WAITERS_PER_ACCOUNT_MAX = 1000;
const WAITERS_MAX = 10_000;
const UNAVAILABLE = { kind: 'short', cause: 'unavailable', held: 0 };

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

  it('takes over the end that another time zone gives a window, and hands nothing back for it', () => {
    const { book } = open();
    const account = book.find({ ...specOf(1), kind: 'quota', windowEndsAt: 1000 });
    book.find({ ...specOf(1), kind: 'quota', windowEndsAt: 5000 });
    expect([account.spec.windowEndsAt, account.recalled]).toEqual([5000, false]);
  });

  it('QUOTA-02: takes over another period of a limit that slides', () => {
    const { book } = open();
    const sliding = { ...specOf(1), kind: 'quota', allowance: 5 } as const;
    const account = book.find({ ...sliding, slidingMs: 3_600_000 });
    book.find({ ...sliding, slidingMs: 86_400_000 });
    expect([account.spec.slidingMs, account.recalled]).toEqual([86_400_000, false]);
  });

  it('asks once for all that wait, and wakes in turn as many as fit', async () => {
    const { store, book } = open();
    const account = book.find(specOf(1));
    const waits = [5, 5, 5].map((amount) => book.waitFor(account, waitOf(amount)));
    await store.answer([resultFor({ granted: 10, allowance: 10, reserved: 10 })]);
    expect(store.asked[0]).toMatchObject([{ index: 1, grantedBefore: 0, need: 5, want: 40 }]);
    expect(await Promise.all(waits.map(peek))).toEqual([
      { kind: 'ready' },
      { kind: 'ready' },
      'waiting',
    ]);
  });

  it('asks the others anew for whoever is left when the store could serve the first: then it asked nobody', async () => {
    const { store, book } = open();
    const account = book.find(specOf(1));
    const waits = [5, 5].map((amount) => book.waitFor(account, waitOf(amount)));
    const elsewhere = { allowance: 20, reserved: 20, heldElsewhere: 15 };
    await store.answer([resultFor({ ...elsewhere, granted: 5 })]);
    account.hold(5, 0);
    await store.answer([resultFor({ ...elsewhere, granted: 5 })]);
    await store.answer([resultFor({ ...elsewhere, granted: 5, recalling: 15, heldElsewhere: 0 })]);
    expect(store.asked.map(([request]) => request?.ask)).toEqual([true, true, false]);
    await store.answer([resultFor({ ...elsewhere, granted: 10, heldElsewhere: 10 })]);
    expect(await Promise.all(waits)).toEqual([{ kind: 'ready' }, { kind: 'ready' }]);
  });

  it('who wants more for a hold does not wait for the end of that hold', async () => {
    const { store, book } = open();
    const account = book.find(specOf(1));
    account.granted = 8;
    account.hold(8, 0);
    const all = { allowance: 10, reserved: 10, granted: 8, heldElsewhere: 2 };
    const grows = book.waitFor(account, { ...waitOf(3), own: 8 });
    const fits = book.waitFor(account, { ...waitOf(2), own: 8 });
    const other = book.waitFor(account, waitOf(3));
    await store.answer([resultFor(all)]);
    // The others have answered by now; the clock stands still.
    await store.answer([resultFor(all)]);
    expect(await grows).toMatchObject({ kind: 'short', cause: 'gone' });
    expect([await peek(fits), await peek(other)]).toEqual(['waiting', 'waiting']);
  });

  it('one message carries the growth of every account that came up in the same turn', async () => {
    const { store, book } = open();
    for (const number of [1, 2, 3]) void book.waitFor(book.find(specOf(number)), waitOf(1));
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
      'at the store, and did not come in time',
      { allowance: 100, reserved: 40, heldElsewhere: 40 },
      1000,
      { kind: 'short', cause: 'unavailable', held: 40 },
    ],
    [
      'with a dead process',
      { allowance: 10, reserved: 10, stranded: 10 },
      1000,
      { kind: 'short', cause: 'stranded', held: 0 },
    ],
  ])('10 units that are %s', async (_what, result, afterMs, outcome) => {
    const { store, book, clock } = open();
    const wait = book.waitFor(book.find(specOf(1)), waitOf(10));
    clock.advance(afterMs);
    await store.answer([resultFor(result)]);
    expect(await wait).toEqual(outcome);
  });

  it('before the deadline what is only elsewhere is asked for again', async () => {
    const { store, book } = openAt(createClock());
    const wait = book.waitFor(book.find(specOf(1)), {
      amount: 10,
      deadline: createClock().monotonicMs() + 5000,
      signal: never(),
    });
    await store.answer([resultFor({ allowance: 10, reserved: 10, heldElsewhere: 10 })]);
    expect(await peek(wait)).toBe('waiting');
    await store.answer([resultFor({ granted: 10, allowance: 10, reserved: 10 })]);
    expect(await wait).toEqual({ kind: 'ready' });
  });

  it('a refusal waits until the processes that were recalled have been heard', async () => {
    const { store, book } = open();
    const wait = book.waitFor(book.find(specOf(1)), waitOf(10));
    await store.answer([resultFor({ allowance: 9, reserved: 4, recalling: 4 })]);
    expect(await peek(wait)).toBe('waiting');
    await store.answer([resultFor({ allowance: 9 })]);
    expect(await wait).toMatchObject({ cause: 'gone' });
  });

  it('gone is answered from memory for 250 ms, for as much and more, not for less', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const wait = book.waitFor(account, waitOf(10));
    await store.answer([resultFor({ allowance: 9 })]);
    await wait;
    expect(await book.waitFor(account, waitOf(10))).toMatchObject({ cause: 'gone' });
    expect(store.asked).toHaveLength(1);
    void book.waitFor(account, waitOf(9));
    await waitFor(() => store.asked.length === 2, { timeoutMs: 5000, what: 'a question for less' });
    clock.advance(250);
    expect(await peek(book.waitFor(account, waitOf(10)))).toBe('waiting');
  });

  it('a store that fails is told to the log and to who waits, and is asked again the next time', async () => {
    const { store, book, errors } = open();
    const account = book.find(specOf(1));
    const wait = book.waitFor(account, waitOf(1));
    await store.answer(new Error('disk'));
    expect(await wait).toEqual(UNAVAILABLE);
    expect(errors).toEqual([new Error('disk')]);
    const again = book.waitFor(account, waitOf(1));
    await store.answer([resultFor({ granted: 8, allowance: 8, reserved: 8 })]);
    expect(await again).toEqual({ kind: 'ready' });
  });

  it('a store that leaves an account out makes it unavailable', async () => {
    const { store, book } = open();
    const wait = book.waitFor(book.find(specOf(1)), waitOf(1));
    await store.answer([]);
    expect(await wait).toEqual(UNAVAILABLE);
  });

  it('bound: a silent store is waited for until the deadline and no longer', async () => {
    const { book } = openAt(createClock());
    const account = book.find(specOf(1));
    const deadline = createClock().monotonicMs();
    expect(await book.waitFor(account, { amount: 1, deadline, signal: never() })).toEqual(
      UNAVAILABLE,
    );
    expect(account.waiters).toEqual([]);
  });

  it('a caller that leaves gives up its place at once', async () => {
    const { book } = open();
    const account = book.find(specOf(1));
    const leaving = new AbortController();
    const wait = book.waitFor(account, { amount: 1, deadline: DEADLINE, signal: leaving.signal });
    leaving.abort();
    expect(await wait).toEqual(UNAVAILABLE);
    expect(account.waiters).toEqual([]);
    const again = book.waitFor(account, { amount: 1, deadline: DEADLINE, signal: leaving.signal });
    expect(await peek(again)).toEqual(UNAVAILABLE);
  });

  it(`bound: ${WAITERS_PER_ACCOUNT_MAX} may wait for one account`, async () => {
    const { book } = open();
    const account = book.find(specOf(1));
    for (let i = 0; i < WAITERS_PER_ACCOUNT_MAX; i += 1) void book.waitFor(account, waitOf(1));
    expect(await peek(book.waitFor(account, waitOf(1)))).toEqual(UNAVAILABLE);
    expect(await peek(book.waitFor(book.find(specOf(2)), waitOf(1)))).toBe('waiting');
    account.waiters[0]?.wake({ kind: 'ready' });
    expect(await peek(book.waitFor(account, waitOf(1)))).toBe('waiting');
  });

  it(`bound: ${WAITERS_MAX} may wait in all`, async () => {
    const { book } = open();
    const accounts: LeaseAccount[] = [];
    for (let i = 0; i < WAITERS_MAX; i += 1) {
      const account = book.find(specOf(Math.floor(i / 500)));
      accounts.push(account);
      void book.waitFor(account, waitOf(1));
    }
    const other = book.find(specOf(-1));
    expect(await peek(book.waitFor(other, waitOf(1)))).toEqual(UNAVAILABLE);
    accounts[0]?.waiters[0]?.wake({ kind: 'ready' });
    expect(await peek(book.waitFor(other, waitOf(1)))).toBe('waiting');
  });

  it('bound: beyond its accounts a new one is not kept, holds nothing, and nobody waits for it', async () => {
    const { store, book } = openAt(new ManualClock(), 10);
    for (let i = 0; i < 10; i += 1) book.find(specOf(i));
    expect(book.crowded).toBe(true);
    const beyond = book.find(specOf(10));
    expect(await peek(book.waitFor(beyond, waitOf(1)))).toEqual(UNAVAILABLE);
    book.prefetch(beyond, 1);
    expect([[...book.all()].length, store.asked.length, beyond.left]).toEqual([10, 0, 0]);
    // Those that are there go on.
    const known = book.find(specOf(0));
    expect(await peek(book.waitFor(known, waitOf(1)))).toBe('waiting');
    await store.answer([resultFor({ granted: 8 })]);
    book.remove(book.find(specOf(9)));
    expect(await peek(book.waitFor(book.find(specOf(10)), waitOf(1)))).toBe('waiting');
  });

  it('first slices of all accounts of a request are asked for together', async () => {
    const { store, book } = open();
    const [first, second] = [book.find(specOf(1)), book.find(specOf(2))];
    book.prefetch(first, 5);
    book.prefetch(second, 7);
    await store.answer([resultFor({ granted: 40 }), resultFor({ index: 2, granted: 56 })]);
    expect(store.asked).toMatchObject([[{ want: 40 }, { want: 56 }]]);
    book.prefetch(first, 5);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toHaveLength(1);
  });

  it('what the store finds wrong with one account is not the trouble of the others', async () => {
    const { store, book, errors } = open();
    const waits = [1, 2, 3].map((number) => book.waitFor(book.find(specOf(number)), waitOf(1)));
    const wrong = new StoreError('invariant', 'account 2 is another one');
    await store.answer(wrong);
    await store.answer(wrong);
    await store.answer([resultFor({ granted: 8 })]);
    await store.answer(wrong);
    await store.answer([resultFor({ index: 3, granted: 8 })]);
    expect(store.asked.map((requests) => requests.map(({ index }) => index))).toEqual([
      [1, 2, 3],
      [1, 2],
      [1],
      [2],
      [3],
    ]);
    const ready = { kind: 'ready' };
    expect(await Promise.all(waits)).toEqual([ready, UNAVAILABLE, ready]);
    expect(errors).toEqual([wrong]);
  });

  it('a slice grows ahead when a quarter is left, doubling while the account is busy, and not in vain', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const first = book.waitFor(account, waitOf(10));
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

  it('a slice that lasts grows with the next round of settlement, or with whoever waits', async () => {
    const { store, book, clock } = open();
    const [quiet, other] = [book.find(specOf(1)), book.find(specOf(2))];
    const first = book.waitFor(quiet, waitOf(10));
    await store.answer([resultFor({ granted: 80, allowance: 800, reserved: 80 })]);
    await first;
    clock.advance(1000);
    quiet.hold(70, clock.monotonicMs());
    book.growAhead(quiet);
    await new Promise((resolve) => setImmediate(resolve));
    expect([quiet.growing, store.asked.length]).toEqual([true, 1]);
    book.growNow();
    await store.answer([resultFor({ granted: 160, allowance: 800, reserved: 160 })]);
    clock.advance(1000);
    quiet.hold(70, clock.monotonicMs());
    book.growAhead(quiet);
    void book.waitFor(other, waitOf(5));
    await waitFor(() => store.asked.length === 3, { timeoutMs: 5000, what: 'both in one message' });
    expect(store.asked[2]).toMatchObject([{ index: 1 }, { index: 2 }]);
  });

  it('what was to grow when the book stops does not: its owner knows its grant', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const first = book.waitFor(account, waitOf(10));
    await store.answer([resultFor({ granted: 80, allowance: 800, reserved: 80 })]);
    await first;
    clock.advance(1000);
    account.hold(70, clock.monotonicMs());
    book.growAhead(account);
    await book.stop();
    book.growNow();
    await new Promise((resolve) => setImmediate(resolve));
    expect([account.growing, store.asked.length]).toEqual([false, 1]);
  });

  it('an expired slice is handed back before another is taken', async () => {
    const { store, book, clock } = open();
    const account = book.find(specOf(1));
    const first = book.waitFor(account, waitOf(1));
    await store.answer([
      resultFor({ granted: 8, allowance: 8, reserved: 8, usableUntil: clock.now() + 5 }),
    ]);
    await first;
    clock.advance(5);
    void book.waitFor(account, waitOf(1));
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
    const wait = book.waitFor(account, waitOf(1));
    await waitFor(() => store.asked.length === 1, { timeoutMs: 5000, what: 'a question' });
    let hasStopped = false;
    const stopped = book.stop().then(() => {
      hasStopped = true;
    });
    expect(await peek(wait)).toEqual(UNAVAILABLE);
    // What is on its way would be left with a process that is gone.
    expect(hasStopped).toBe(false);
    await store.answer([resultFor({ granted: 8, allowance: 8, reserved: 8 })]);
    await stopped;
    expect(account.granted).toBe(8);
    expect(await peek(book.waitFor(account, waitOf(100)))).toEqual(UNAVAILABLE);
    book.growAhead(account);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toHaveLength(1);
  });
});
