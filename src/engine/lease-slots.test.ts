import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/support/manual-clock.ts';
import {
  open,
  openAt,
  peek,
  resultFor,
  specOf,
  waitOf,
} from '../../test/support/open-lease-book.ts';
import type { AccountSpec } from '../domain/accounts.ts';

describe('slots (QUOTA-10)', () => {
  const slots = (allowance: number): AccountSpec => ({
    ...specOf(1),
    kind: 'quota',
    unit: 'concurrent_requests',
    allowance,
  });
  const held = { kind: 'short', cause: 'held' };

  it('asks for as many as callers wait for and keeps none ahead', async () => {
    const { store, book } = open();
    const account = book.find(slots(5));
    const waits = [1, 1].map((amount) => book.waitFor(account, waitOf(amount)));
    await store.answer([resultFor({ granted: 2, allowance: 5, reserved: 2 })]);
    expect(await Promise.all(waits)).toEqual([{ kind: 'ready' }, { kind: 'ready' }]);
    expect(store.asked).toMatchObject([[{ need: 1, want: 2, ask: true, takesAll: true }]]);
    account.hold(1, 0);
    account.hold(1, 0);
    book.growAhead(account);
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toHaveLength(1);
  });

  it('who holds all of them itself need not ask', async () => {
    const { store, book } = open();
    const account = book.find(slots(1));
    account.hold(1, 0);
    expect(await book.waitFor(account, waitOf(1))).toEqual({ ...held, held: 1 });
    expect(store.asked).toEqual([]);
  });

  it('what others held before somebody came proves nothing to it; their answer since does, at once', async () => {
    const { store, book, clock } = open();
    const account = book.find(slots(2));
    const all = { allowance: 2, reserved: 2 };
    const first = book.waitFor(account, waitOf(1));
    await store.answer([resultFor({ ...all, heldElsewhere: 2 })]);
    expect(await peek(first)).toBe('waiting');
    clock.advance(50);
    const second = book.waitFor(account, waitOf(1));
    await store.answer([resultFor({ ...all, recalling: 2 })]);
    expect([await peek(first), await peek(second)]).toEqual(['waiting', 'waiting']);
    await store.answer([resultFor({ ...all, heldElsewhere: 2 })]);
    expect([await first, await second]).toEqual([
      { ...held, held: 2 },
      { ...held, held: 2 },
    ]);
    expect(store.asked.map(([request]) => request?.ask)).toEqual([true, true, false]);
  });

  it('bound: callers that come one after the other have the others asked once in 50 ms', async () => {
    const { store, book, clock } = open();
    const account = book.find(slots(2));
    for (let call = 0; call < 5; call += 1) {
      void book.waitFor(account, waitOf(1));
      await store.answer([resultFor({ allowance: 2, reserved: 2, recalling: 2 })]);
    }
    expect(store.asked.map(([request]) => request?.ask)).toEqual([true, ...Array(4).fill(false)]);
    clock.advance(50);
    await store.answer([resultFor({ allowance: 2, reserved: 2, recalling: 2 })]);
    expect(store.asked[5]).toMatchObject([{ ask: true }]);
  });

  it('slots of a process that died are no open holds: who waits hears so when they do not come back', async () => {
    const clock = new ManualClock();
    const { store, book } = openAt(clock);
    const account = book.find(slots(1));
    const waiting = book.waitFor(account, waitOf(1));
    await store.answer([resultFor({ allowance: 1, reserved: 1, stranded: 1 })]);
    expect(await peek(waiting)).toBe('waiting');
    clock.advance(1000);
    await store.answer([resultFor({ allowance: 1, reserved: 1, stranded: 1 })]);
    expect(await waiting).toMatchObject({ kind: 'short', cause: 'stranded' });
  });
});
