import { onTestFinished } from 'vitest';

import { balanceAccount } from '../../src/domain/accounts.ts';
import { Journal } from '../../src/engine/journal.ts';
import type { LeaseAccount } from '../../src/engine/lease-account.ts';
import { LeaseBook } from '../../src/engine/lease-book.ts';
import { Settler } from '../../src/engine/settler.ts';
import type { Change, SyncBatch, SyncResult } from '../../src/stores/store.ts';
import { ManualClock } from './manual-clock.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const NOTHING: SyncResult = {
  fenced: false,
  recalls: [],
  changes: [],
  lastChange: 0,
  accounts: [],
};

type Answer = Partial<SyncResult> | Error;
interface Options {
  readonly accountsMax?: number;
  readonly tookMs?: number;
  readonly segmentBytesMax?: number;
  readonly lastSettled?: (batches: readonly SyncBatch[]) => number | undefined;
}

/** A settler on a store that keeps every batch and answers as the test says. The last settlement is made after the test. */
export function openSettler(options: Options = {}) {
  const batches: SyncBatch[] = [];
  const closed: SyncBatch[] = [];
  const events = { fenced: 0, changes: [] as Change[], errors: [] as unknown[] };
  const answers: (Answer | Promise<Answer>)[] = [];
  const clock = new ManualClock();
  const store = {
    sync: async (batch: SyncBatch) => {
      batches.push(batch);
      if (batch.leases.length > 0) clock.advance(options.tookMs ?? 0);
      const answer = await (answers.shift() ?? {});
      if (answer instanceof Error) throw answer;
      return { ...NOTHING, ...answer };
    },
    lastSettled: () => Promise.resolve(options.lastSettled?.(batches)),
    closeOwner: (batch: SyncBatch) => {
      closed.push(batch);
      return Promise.resolve();
    },
    acquire: () => Promise.resolve([]),
  };
  const book = new LeaseBook('own_1', store, clock, { onError: () => undefined, ...options });
  const directory = temporaryDirectory('settler');
  const journal = new Journal(directory, 'own_1', options.segmentBytesMax);
  const settler = new Settler({
    owner: 'own_1',
    store,
    clock,
    book,
    journal,
    events: {
      onFenced: () => (events.fenced += 1),
      onChanges: (changes) => events.changes.push(...changes),
      onError: (error) => events.errors.push(error),
    },
  });
  onTestFinished(() => settler.stop());
  return { settler, book, clock, directory, journal, batches, closed, events, answers };
}

/** An account of which the store has granted 100, with 40 under a hold and 10 charged. */
export function leased(book: LeaseBook, clock: ManualClock): LeaseAccount {
  const account = book.find(balanceAccount('ten_1', 'USD'));
  account.known = true;
  account.granted = 100;
  account.hold(10, clock.monotonicMs());
  account.settle(10, 10);
  account.hold(40, clock.monotonicMs());
  return account;
}
