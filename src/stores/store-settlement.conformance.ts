import { describe, expect, it } from 'vitest';

import { machineMs } from '../platform/clock.ts';
import { PLAIN_TERMS } from '../domain/tenant-terms.ts';
import {
  acquire,
  batchOf,
  failure,
  freshName,
  fundTenant,
  numbersOf,
  openOwner,
  type OpenFixture,
  quotaOf,
  sync,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import type { Store } from './store.ts';

/** How slices are settled: by their owner, and for it when it is dead. */
export function describeSettlement(open: OpenFixture): void {
  describe('sync', () => {
    const database = useStore(open);
    describeTotals(database);
    describeFaults(database);
    describeNews(database);
  });
  describe('the end of an owner', () => {
    const database = useStore(open);
    describeClosing(database);
    describeReclaim(database);
  });
}

/** An owner with a slice of 100 of a balance of 1000. */
async function openLease(store: Store) {
  const account = await fundTenant(store, 1000n);
  const owner = await openOwner(store);
  await acquire(store, owner, { account, need: 100 });
  return { account, owner };
}

function describeTotals(database: ReturnType<typeof useStore>): void {
  it('BILL-01: totals become spent money, and what is handed back becomes available', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const result = await sync(store, owner, { leases: [{ charged: 30, granted: 80 }] });
    expect(result.accounts).toEqual([
      { index: 1, numbers: { allowance: 1000, spent: 30, reserved: 50 } },
    ]);
    await sync(store, owner, { leases: [{ charged: 70, granted: 80 }], seq: 2 });
    expect(await numbersOf(store, account)).toEqual([1000n, 70n, 10n]);
    expect(await store.audit()).toEqual([]);
  });

  it('a repeated batch changes nothing, and one that was overtaken changes nothing either', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const first = { leases: [{ charged: 30, granted: 100 }], seq: 5 };
    await sync(store, owner, first);
    await sync(store, owner, first);
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 70n]);
    await sync(store, owner, { leases: [{ charged: 40, granted: 90 }], seq: 6 });
    expect(await sync(store, owner, first)).toMatchObject({ fenced: false });
    expect(await numbersOf(store, account)).toEqual([1000n, 40n, 50n]);
    expect(await store.audit()).toEqual([]);
  });

  it('a closed lease is gone, and closing it again is harmless', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const closing = { leases: [{ charged: 30, granted: 30, close: true }] };
    expect((await sync(store, owner, closing)).accounts).toEqual([]);
    await sync(store, owner, closing);
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 0n]);
  });

  it('charges are settled while a growth is under way, which keeps what it was given', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    await acquire(store, owner, { account, need: 50, grantedBefore: 100 });
    const unaware = { charged: 30, granted: 100, keepsGrant: true };
    await sync(store, owner, { leases: [unaware] });
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 120n]);
  });

  it('one batch settles balances and quotas together', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const quota = quotaOf(account.tenantId, 50);
    await acquire(store, owner, { index: 2, account: quota, need: 10 });
    await sync(store, owner, {
      leases: [
        { index: 1, charged: 25, granted: 100 },
        { index: 2, charged: 3, granted: 10 },
      ],
    });
    expect(await numbersOf(store, account)).toEqual([1000n, 25n, 75n]);
    expect(await numbersOf(store, quota)).toEqual([50n, 3n, 7n]);
  });

  it("an overrun is the house's: posted once however often it is said, never the customer's", async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const overrun = {
      requestId: freshName('req'),
      tenantId: account.tenantId,
      unit: 'USD',
      amount: 7,
    };
    const batch = { leases: [{ charged: 100, granted: 100 }], overruns: [overrun] };
    await sync(store, owner, batch);
    await sync(store, owner, { ...batch, seq: 2 });
    await sync(store, owner, { ...batch, leases: [], seq: 1 });
    expect(await numbersOf(store, account)).toEqual([1000n, 100n, 0n]);
    expect(await store.audit()).toEqual([]);
  });
}

function describeFaults(database: ReturnType<typeof useStore>): void {
  it.each([
    ['charges that shrink', { charged: 10, granted: 100 }],
    ['charges above the slice', { charged: 101, granted: 101 }],
    ['a slice that grows', { charged: 30, granted: 120 }],
    ['a slice below its charges', { charged: 50, granted: 40 }],
    ['a closed lease that keeps something', { charged: 50, granted: 60, close: true }],
    ['a fraction', { charged: 50.5, granted: 60 }],
    ['a lease that does not exist', { index: 9, charged: 1, granted: 2 }],
  ])('refused, and nothing of the batch stays: %s', async (_title, wrong) => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const quota = quotaOf(account.tenantId, 50);
    await acquire(store, owner, { index: 2, account: quota, need: 10 });
    await sync(store, owner, { leases: [{ charged: 30, granted: 100 }] });
    const fine = { index: 2, charged: 3, granted: 10 };
    await expect(sync(store, owner, { leases: [fine, wrong], seq: 2 })).rejects.toMatchObject(
      failure('invariant'),
    );
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 70n]);
    expect(await numbersOf(store, quota)).toEqual([50n, 0n, 10n]);
    expect(await store.lastSettled(owner)).toBe(1);
  });

  it('what the store comes to when nobody waits any more is refused, and nothing of it stays', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    const batch = { leases: [{ charged: 30, granted: 100 }] };
    const late = { ...batch, waitsUntilMs: machineMs() - 1 };
    await expect(sync(store, owner, late)).rejects.toMatchObject(failure('unavailable'));
    expect(await numbersOf(store, account)).toEqual([1000n, 0n, 100n]);
    expect(await store.lastSettled(owner)).toBe(0);
    await sync(store, owner, { ...batch, waitsUntilMs: machineMs() + 60_000 });
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 70n]);
  });

  it('an unknown owner is fenced', async () => {
    expect(await sync(database.store, 'nobody', {})).toMatchObject({ fenced: true, accounts: [] });
  });
}

function describeNews(database: ReturnType<typeof useStore>): void {
  it('a new owner is not told old news', async () => {
    const { store } = database;
    await fundTenant(store, 10n);
    const owner = await openOwner(store);
    expect((await sync(store, owner, {})).changes).toEqual([]);
  });

  it('news comes in order, once acknowledged not again, and says how far it goes', async () => {
    const { store } = database;
    const owner = await openOwner(store);
    const [one, two] = [await fundTenant(store, 10n), await fundTenant(store, 10n)];
    const news = await sync(store, owner, {});
    expect(news.changes).toEqual([
      { kind: 'account', id: one.id },
      { kind: 'account', id: two.id },
    ]);
    expect((await sync(store, owner, {})).changes).toEqual(news.changes);
    const next = await sync(store, owner, { changesAfter: news.lastChange });
    expect(next).toMatchObject({ changes: [], lastChange: news.lastChange });
  });

  it('at most 1000 changes come at a time, and the rest next time', async () => {
    const { store } = database;
    const owner = await openOwner(store);
    const id = freshName('tenant');
    await store.createTenant({ id, name: '', planId: 'free', terms: PLAIN_TERMS, createdAt: T0 });
    await Promise.all(Array.from({ length: 1005 }, () => store.changeTenant(id, {})));
    const first = await sync(store, owner, {});
    expect(first.changes).toHaveLength(1000);
    const second = await sync(store, owner, { changesAfter: first.lastChange });
    expect(second.changes).toHaveLength(5);
  });

  it('allSeen waits for owners that are heard of, not for silent ones', async () => {
    const { store } = database;
    const now = Date.now();
    const owner = await openOwner(store, now);
    await openOwner(store, now - 3000);
    await fundTenant(store, 10n);
    expect(await store.allSeen(20)).toBe(false);
    const { lastChange } = await sync(store, owner, { now });
    const seen = store.allSeen(5000);
    await sync(store, owner, { now, changesAfter: lastChange });
    expect(await seen).toBe(true);
  });
}

function describeClosing(database: ReturnType<typeof useStore>): void {
  it('I10: a closed owner holds nothing, not even what it did not know it was given', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    await acquire(store, owner, { index: 2, account, need: 50 });
    const last = batchOf(owner, { leases: [{ charged: 60, granted: 60, close: true }], seq: 4 });
    await store.closeOwner(last);
    expect(await numbersOf(store, account)).toEqual([1000n, 60n, 0n]);
    await store.closeOwner(last);
    expect(await numbersOf(store, account)).toEqual([1000n, 60n, 0n]);
    expect(await store.liveOwners()).not.toContain(owner);
    expect(await store.lastSettled(owner)).toBeUndefined();
    expect(await sync(store, owner, {})).toMatchObject({ fenced: true });
    await expect(acquire(store, owner, { account })).rejects.toMatchObject(failure('fenced'));
    expect(await store.audit()).toEqual([]);
  });
}

function describeReclaim(database: ReturnType<typeof useStore>): void {
  it("I10: a dead owner's journal is settled and the rest returned, once", async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    await acquire(store, owner, { index: 2, account, need: 50 });
    await sync(store, owner, { leases: [{ charged: 30, granted: 100 }], seq: 7 });
    expect(await store.liveOwners()).toContain(owner);
    expect(await store.lastSettled(owner)).toBe(7);
    const overrun = {
      requestId: freshName('req'),
      tenantId: account.tenantId,
      unit: 'USD',
      amount: 2,
    };
    const records = {
      afterSeq: 7,
      seq: 12,
      leases: [{ index: 1, charged: 15 }],
      overruns: [overrun],
    };
    expect(await store.reclaim(owner, records, T0)).toEqual({ settled: 15, returned: 105 });
    expect(await numbersOf(store, account)).toEqual([1000n, 45n, 0n]);
    expect(await store.reclaim(owner, records, T0)).toEqual({ settled: 0, returned: 0 });
    expect(await numbersOf(store, account)).toEqual([1000n, 45n, 0n]);
    expect(await store.liveOwners()).not.toContain(owner);
    expect(await store.audit()).toEqual([]);
  });

  it('a stream whose end was lost with the power is charged as far as its lease has room: nothing, where that is closed', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    await acquire(store, owner, { index: 2, account, need: 50 });
    const closed = { index: 2, charged: 40, granted: 40, close: true };
    await sync(store, owner, { leases: [{ charged: 30, granted: 60 }, closed], seq: 7 });
    const unended = [
      { index: 1, charged: 25 },
      { index: 2, charged: 40 },
    ];
    const records = { afterSeq: 7, seq: 7, leases: [{ index: 1, charged: 10 }], unended };
    expect(await store.reclaim(owner, { ...records, overruns: [] }, T0)).toEqual({
      settled: 30,
      returned: 0,
    });
    expect(await numbersOf(store, account)).toEqual([1000n, 100n, 0n]);
    expect(await store.audit()).toEqual([]);
  });

  it('two that reclaim at once do it once', async () => {
    const { store } = database;
    const other = await database.connect();
    const { account, owner } = await openLease(store);
    const records = { afterSeq: 0, seq: 3, leases: [{ index: 1, charged: 10 }], overruns: [] };
    const results = await Promise.all([
      store.reclaim(owner, records, T0),
      other.reclaim(owner, records, T0),
    ]);
    expect(results.toSorted((a, b) => b.settled - a.settled)).toEqual([
      { settled: 10, returned: 90 },
      { settled: 0, returned: 0 },
    ]);
    expect(await numbersOf(store, account)).toEqual([1000n, 10n, 0n]);
  });

  it('a reclaimed owner that was only paused is fenced: its late totals change nothing', async () => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    await store.reclaim(owner, { afterSeq: 0, seq: 0, leases: [], overruns: [] }, T0);
    const late = { leases: [{ charged: 100, granted: 100 }] };
    expect(await sync(store, owner, late)).toMatchObject({ fenced: true });
    await expect(store.closeOwner(batchOf(owner, late))).rejects.toMatchObject(failure('fenced'));
    expect(await numbersOf(store, account)).toEqual([1000n, 0n, 0n]);
  });

  it.each([
    ['a journal read from another point', { afterSeq: 6, leases: [] }],
    ['charges above the slice', { afterSeq: 7, leases: [{ index: 1, charged: 71 }] }],
    ['charges of a lease that is closed', { afterSeq: 7, leases: [{ index: 8, charged: 1 }] }],
  ])('refused, and nothing changes: %s', async (_title, wrong) => {
    const { store } = database;
    const { account, owner } = await openLease(store);
    await sync(store, owner, { leases: [{ charged: 30, granted: 100 }], seq: 7 });
    await expect(
      store.reclaim(owner, { seq: 9, overruns: [], ...wrong }, T0),
    ).rejects.toMatchObject(failure('invariant'));
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 70n]);
    expect(await store.lastSettled(owner)).toBe(7);
  });
}
