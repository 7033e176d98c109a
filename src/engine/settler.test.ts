import { rmSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import { leased, openSettler } from '../../test/support/open-settler.ts';
import { balanceAccount } from '../domain/accounts.ts';
import type { Change, Overrun, SyncBatch } from '../stores/store.ts';
import { journalFiles } from './journal.ts';

const OVERRUN: Overrun = { requestId: 'req_1', tenantId: 'ten_1', unit: 'USD', amount: 3 };

describe('Settler', () => {
  it('says totals, once for each change, with the journal they are in', async () => {
    const { settler, book, clock, journal, batches } = openSettler();
    leased(book, clock);
    journal.append({
      kind: 'charge',
      requestId: 'req_1',
      charges: [{ index: 1, amount: 10 }],
      overruns: [],
    });
    await settler.settleNow();
    await settler.settleNow();
    expect(batches[0]).toMatchObject({
      owner: 'own_1',
      seq: 1,
      leases: [{ index: 1, charged: 10, granted: 100, close: false, answersRecall: false }],
    });
    expect(batches[1]?.leases).toEqual([]);
  });

  it('hears the news also when a journal that is settled was removed by somebody', async () => {
    const { settler, book, clock, directory, journal, events, answers } = openSettler({
      segmentBytesMax: 1,
    });
    leased(book, clock);
    for (const requestId of ['req_1', 'req_2']) {
      journal.append({ kind: 'charge', requestId, charges: [], overruns: [] });
    }
    rmSync(journalFiles(directory, 'own_1')[0] ?? '');
    answers.push({ changes: [{ kind: 'key', id: 'key_1' }] });
    await settler.settleNow();
    expect(events).toMatchObject({ errors: [], changes: [{ id: 'key_1' }] });
  });

  it('a settlement that failed is said again whole, overruns included, and told to the log', async () => {
    const { settler, book, clock, batches, events, answers } = openSettler();
    const account = leased(book, clock);
    settler.addOverrun(OVERRUN);
    answers.push(new Error('disk full'));
    await settler.settleNow();
    account.settle(40, 5);
    await settler.settleNow();
    await settler.settleNow();
    expect(events).toMatchObject({ errors: [new Error('disk full')], fenced: 0 });
    expect(batches.map(({ overruns }) => overruns)).toEqual([[OVERRUN], [OVERRUN], []]);
    expect(batches.map(({ leases }) => leases[0]?.charged)).toEqual([10, 15, undefined]);
  });

  it('what is told is on disk before, once somebody asked for that; what is charged meanwhile is told later', async () => {
    const { settler, book, clock, journal, batches } = openSettler();
    const account = leased(book, clock);
    await journal.sync();
    const order: string[] = [];
    const sync = journal.sync.bind(journal);
    journal.sync = async () => {
      order.push(`disk, ${batches.length} told`);
      await sync();
      account.hold(5, clock.monotonicMs());
      account.settle(5, 5);
      const late = book.find(balanceAccount('ten_2', 'USD'));
      late.known = true;
      late.granted = 9;
      late.hold(9, clock.monotonicMs());
      late.settle(9, 9);
    };
    await settler.settleNow();
    journal.sync = sync;
    await settler.settleNow();
    expect(order).toEqual(['disk, 0 told']);
    const told = batches.map(({ leases }) => leases.map(({ charged }) => charged));
    expect(told.slice(0, 2)).toEqual([
      [10, 0],
      [15, 9],
    ]);
  });

  it('a settlement nobody knows the end of is asked after before there is another', async () => {
    for (const hasIt of [true, false]) {
      const lastSettled = (batches: readonly SyncBatch[]): number =>
        hasIt ? (batches[0]?.seq ?? 0) : 0;
      const { settler, book, clock, batches, answers } = openSettler({ lastSettled });
      leased(book, clock);
      const heard: string[] = [];
      const ticket = {
        send: () => heard.push(`sent after ${batches.length}`) > 0,
        noteCommitted: () => heard.push('committed'),
        noteRefused: () => heard.push('refused'),
      };
      answers.push(new Error('the connection broke'));
      // oxlint-disable-next-line no-await-in-loop -- each case begins when the one before is over
      expect(await settler.commit([ticket], Infinity)).toBe(false);
      expect(heard).toEqual(['sent after 0']);
      // oxlint-disable-next-line no-await-in-loop -- the second settlement asks what became of the first
      expect(await settler.commit([], Infinity)).toBe(true);
      expect(heard).toEqual(['sent after 0', hasIt ? 'committed' : 'refused']);
      // The one that failed, what else was in it by itself, and the last.
      expect(batches.map(({ seq }) => seq)).toEqual([1, 1, 1]);
    }
  });

  it('a recall is answered with what is free, and what comes free later goes on', async () => {
    const { settler, book, clock, batches, answers } = openSettler();
    const account = leased(book, clock);
    answers.push({ recalls: [1] });
    await settler.settleNow();
    expect(account.recalled).toBe(true);
    await settler.settleNow();
    expect(batches[1]?.leases).toMatchObject([{ charged: 10, granted: 50, answersRecall: true }]);
    expect([account.recalled, account.granted]).toEqual([false, 50]);
    account.settle(40, 15);
    await settler.settleNow();
    expect(batches[2]?.leases).toMatchObject([{ charged: 25, granted: 25, answersRecall: false }]);
  });

  it('a slice that may not be used any more goes back, its open holds stay', async () => {
    const { settler, book, clock, batches } = openSettler();
    const account = leased(book, clock);
    account.usableUntil = clock.now();
    await settler.settleNow();
    expect(batches[0]?.leases).toMatchObject([{ granted: 50, close: false }]);
  });

  it('an idle account is closed after a second and its number is not used again', async () => {
    const { settler, book, clock, batches, answers } = openSettler();
    const account = leased(book, clock);
    account.settle(40, 0);
    clock.advance(1000);
    await settler.settleNow();
    expect(batches[0]?.leases).toMatchObject([{ close: false }]);
    clock.advance(1);
    answers.push(new Error('late'));
    await settler.settleNow();
    await settler.settleNow();
    await settler.settleNow();
    // Until the store has confirmed it, it is said again.
    expect(batches.slice(1).map(({ leases }) => leases.map(({ close }) => close))).toEqual([
      [true],
      [true],
      [],
    ]);
    expect(batches[1]?.leases[0]).toMatchObject({ charged: 10, granted: 10 });
    expect(book.find(account.spec).index).toBe(2);
  });

  it('a crowded book gives idle accounts back at once', async () => {
    const { settler, book, clock, batches } = openSettler({ accountsMax: 3 });
    leased(book, clock).settle(40, 0);
    book.find(balanceAccount('ten_9', 'USD'));
    clock.advance(1);
    await settler.settleNow();
    expect(batches[0]?.leases).toMatchObject([{ index: 1, close: true }]);
    expect([...book.all()]).toEqual([]);
  });

  it('an account that the store never heard of is forgotten without a word', async () => {
    const { settler, book, clock, batches } = openSettler();
    book.find(balanceAccount('ten_9', 'USD'));
    clock.advance(1001);
    await settler.settleNow();
    expect([batches[0]?.leases, [...book.all()]]).toEqual([[], []]);
  });

  it('a first slice whose answer was lost goes back with the account: nobody else could give it back', async () => {
    const { settler, book, clock, batches } = openSettler();
    const account = book.find(balanceAccount('ten_9', 'USD'));
    const signal = new AbortController().signal;
    const deadline = clock.monotonicMs() + 1000;
    const outcome = await book.waitFor(account, { amount: 1, deadline, signal });
    expect(outcome).toMatchObject({ cause: 'unavailable' });
    clock.advance(1001);
    await settler.settleNow();
    expect(batches[0]?.leases).toMatchObject([{ index: 1, charged: 0, granted: 0, close: true }]);
  });

  it('charges are told during a growth, whose outcome only the store knows', async () => {
    const { settler, book, clock, batches } = openSettler();
    const account = leased(book, clock);
    account.growing = true;
    account.recalled = true;
    await settler.settleNow();
    expect(batches[0]?.leases).toMatchObject([
      { charged: 10, keepsGrant: true, answersRecall: false },
    ]);
    expect(account.granted).toBe(100);
  });

  it('hears news once, and the numbers of its leases', async () => {
    const { settler, book, clock, batches, events, answers } = openSettler();
    const account = leased(book, clock);
    const change: Change = { kind: 'key', id: 'hash' };
    const numbers = { allowance: 500, spent: 10, reserved: 90 };
    answers.push({
      changes: [change],
      lastChange: 7,
      accounts: [
        { index: 1, numbers },
        { index: 9, numbers },
      ],
    });
    await settler.settleNow();
    await settler.settleNow();
    expect([events.changes, batches[1]?.changesAfter]).toEqual([[change], 7]);
    expect(account.currentNumbers()).toEqual(numbers);
    account.settle(40, 5);
    expect(account.currentNumbers()).toEqual({ allowance: 500, spent: 15, reserved: 85 });
  });

  it('a process that was declared dead is told so, and hears nothing else', async () => {
    const { settler, events, answers } = openSettler();
    answers.push({ fenced: true, changes: [{ kind: 'key', id: 'hash' }] });
    await settler.settleNow();
    expect(events).toMatchObject({ fenced: 1, changes: [] });
  });

  it.each([
    [1, 100],
    [30, 600],
    [300, 1000],
  ])(
    'PERF-03: after a settlement of %i ms the next comes %i ms later, or with the next news',
    async (tookMs, quietMs) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const { settler, book, clock, batches } = openSettler({ tookMs });
      const account = leased(book, clock);
      const settledAt: number[] = [];
      settler.start();
      for (let round = 0; settledAt.length < 3 && round < 500; round += 1) {
        const before = batches.length;
        clock.advance(5);
        await vi.advanceTimersByTimeAsync(5);
        account.dirty = true;
        if (batches.slice(before).some(({ leases }) => leases.length > 0)) {
          settledAt.push(clock.monotonicMs() - tookMs);
        }
      }
      vi.useRealTimers();
      const [, second = 0, third = 0] = settledAt;
      expect(third - second).toBeGreaterThanOrEqual(quietMs);
      expect(third - second).toBeLessThanOrEqual(quietMs + 250 + 10);
    },
  );

  it('I10: the last settlement hands everything back', async () => {
    const { settler, book, clock, closed } = openSettler();
    leased(book, clock).settle(40, 5);
    book.find(balanceAccount('ten_9', 'USD'));
    settler.addOverrun(OVERRUN);
    await settler.stop();
    expect(closed).toMatchObject([
      { leases: [{ index: 1, charged: 15, granted: 15, close: true }], overruns: [OVERRUN] },
    ]);
    expect(closed[0]?.leases).toHaveLength(1);
  });
});
