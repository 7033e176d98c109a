import { afterEach, describe, expect, it, vi } from 'vitest';

import { leased, openSettler } from '../../test/support/open-settler.ts';
import type { Change, SyncResult } from '../stores/store.ts';
import { journalFiles } from './journal.ts';
import type { Ticket } from './settler.ts';

const KEY: Change = { kind: 'key', id: 'key_1' };

/** A ticket that tells `heard` what becomes of it. */
function noting(heard: string[]): Ticket {
  return {
    send: () => heard.push('sent') > 0,
    noteCommitted: () => heard.push('committed'),
    noteRefused: () => heard.push('refused'),
  };
}

afterEach(() => {
  vi.useRealTimers();
});

function openRunning() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const opened = openSettler();
  opened.settler.start();
  const pass = async (ms: number): Promise<void> => {
    opened.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  };
  return { ...opened, pass };
}

describe('the rounds of a settler', () => {
  it('KEY-01: hears the news also in a round that settles nothing', async () => {
    const { batches, answers, events, pass } = openRunning();
    await pass(25);
    const settlements = batches.length;
    answers.push({ changes: [KEY], lastChange: 1 });
    await pass(25);
    expect(batches.length).toBe(settlements + 1);
    expect(events).toMatchObject({ changes: [KEY], errors: [] });
  });

  it('a recall is answered in the next turn, and then the usual pause is kept', async () => {
    const { book, clock, batches, answers, pass } = openRunning();
    leased(book, clock);
    await pass(25);
    answers.push({ recalls: [1] });
    await pass(25);
    const recalledAt = batches.length;
    await pass(1);
    expect(batches.slice(recalledAt).map(({ leases }) => leases)).toMatchObject([
      [{ granted: 50, answersRecall: true }],
    ]);
    await pass(1);
    expect(batches.length).toBe(recalledAt + 1);
  });

  it('after a recall a round that has nothing to give says nothing', async () => {
    const { settler, book, clock, batches, answers } = openSettler();
    leased(book, clock);
    answers.push({ recalls: [1] });
    await settler.settleNow();
    await settler.settleNow();
    await settler.settleNow();
    expect(batches.map(({ leases }) => leases.length)).toEqual([1, 1, 0]);
  });

  it('an account whose units may not be used any more is closed as soon as it is idle', async () => {
    const { settler, book, clock, batches } = openSettler();
    const account = leased(book, clock);
    account.settle(40, 5);
    account.usableUntil = clock.now();
    await settler.settleNow();
    expect(batches[0]?.leases).toMatchObject([{ charged: 15, granted: 15, close: true }]);
  });

  it('nothing is asked of the store after the last settlement', async () => {
    const { settler, batches, closed, pass } = openRunning();
    await pass(25);
    const asked = batches.length;
    await settler.stop();
    await pass(10_000);
    expect([batches.length, closed.length]).toEqual([asked, 1]);
  });

  it('the last settlement has what was charged since the one before, also where records go to disk first', async () => {
    const { settler, book, clock, journal, closed } = openSettler();
    const account = leased(book, clock);
    await journal.sync();
    await settler.settleNow();
    account.settle(40, 30);
    await settler.stop();
    expect(closed[0]?.leases).toMatchObject([{ charged: 40, granted: 40, close: true }]);
  });

  it('the last settlement comes after the one under way, and after what became of that is known', async () => {
    const { settler, answers, closed } = openSettler({ lastSettled: () => 1 });
    const heard: string[] = [];
    let fail: (error: Error) => void = () => undefined;
    answers.push(
      new Promise<Partial<SyncResult>>((_, reject) => {
        fail = reject;
      }),
    );
    const committing = settler.commit([noting(heard)], Infinity);
    await vi.waitFor(() => expect(heard).toEqual(['sent']));
    const stopping = settler.stop();
    fail(new Error('the connection broke'));
    expect(await committing).toBe(false);
    await stopping;
    expect(heard).toEqual(['sent', 'committed']);
    expect(closed).toHaveLength(1);
  });

  it('a process whose settlement nobody knows any more was declared dead, and is told so', async () => {
    const { settler, answers, events } = openSettler({ lastSettled: () => undefined });
    const heard: string[] = [];
    answers.push(new Error('the connection broke'));
    await settler.commit([noting(heard)], Infinity);
    await settler.settleNow();
    expect(events.fenced).toBeGreaterThan(0);
    expect(heard).toEqual(['sent']);
  });

  it('after a hand-back that failed a slice can grow again', async () => {
    const { settler, book, clock, answers } = openSettler();
    const account = leased(book, clock);
    account.recalled = true;
    answers.push(new Error('disk full'));
    await settler.settleNow();
    expect([account.handingBack, account.recalled]).toEqual([false, true]);
  });

  it('puts away the segments that are settled, and writes to disk only where somebody asks for it', async () => {
    const { settler, journal, directory } = openSettler({ segmentBytesMax: 1 });
    for (const requestId of ['req_1', 'req_2', 'req_3']) {
      journal.append({ kind: 'charge', requestId, charges: [], overruns: [] });
    }
    await settler.settleNow();
    expect(journalFiles(directory, 'own_1')).toHaveLength(1);
    expect(journal.keepsOnDisk).toBe(false);
  });

  it('takes no charges after the last settlement', async () => {
    const { settler, batches } = openSettler();
    const heard: string[] = [];
    await settler.stop();
    expect(await settler.commit([noting(heard)], Infinity)).toBe(false);
    expect([heard, batches]).toEqual([[], []]);
  });
});
