import { describe, expect, it } from 'vitest';

import { OWNER_LEASES_LISTED_MAX, OWNERS_LISTED_MAX } from './owner-store.ts';
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

const DAY_MS = 86_400_000;
const ORDER = { heardBefore: T0 + DAY_MS, now: T0 + DAY_MS };

/** Slices of a machine that does not come back, and what becomes of them. */
export function describeWriteOffs(open: OpenFixture): void {
  describe('owners that are not heard of', () => {
    describeReports(useStore(open));
    const database = useStore(open);
    describeWriteOff(database);
    describeLateJournals(database);
  });
}

/** Of a balance of 1000 it holds 100, of which it has settled 30; of a quota of 50 it holds 10. */
async function leaveSlices(store: Store) {
  const account = await fundTenant(store, 1000n);
  const quota = quotaOf(account.tenantId, 50);
  const owner = freshName('owner');
  await store.openOwner(owner, T0, 'host-a');
  await acquire(store, owner, { account, need: 100 });
  await acquire(store, owner, { index: 2, account: quota, need: 10 });
  await sync(store, owner, { leases: [{ charged: 30, granted: 100 }], seq: 7 });
  const held = [
    { kind: 'balance', unit: 'USD', amount: 70n, tenants: 1 },
    { kind: 'quota', unit: 'requests', amount: 10n, tenants: 1 },
  ];
  return { account, quota, owner, held };
}

function describeReports(database: ReturnType<typeof useStore>): void {
  it('are listed longest silent first, with their machine and what they hold, and by tenant', async () => {
    const { store } = database;
    const { owner, held, account } = await leaveSlices(store);
    const earlier = freshName('owner');
    await store.openOwner(earlier, T0 - 1);
    await openOwner(store, T0 + 1000);
    const plain = { machine: undefined, writtenOffAt: undefined, held: [] };
    expect(await store.owners(T0 + 1)).toEqual([
      { id: earlier, seenAt: T0 - 1, ...plain },
      { id: owner, machine: 'host-a', seenAt: T0, writtenOffAt: undefined, held },
    ]);
    expect(await store.ownerLeases(owner)).toEqual([
      { tenantId: account.tenantId, kind: 'balance', unit: 'USD', amount: 70n },
      { tenantId: account.tenantId, kind: 'quota', unit: 'requests', amount: 10n },
    ]);
    expect(await store.ownerLeases(earlier)).toEqual([]);
    expect(await store.owners(T0 - 1)).toEqual([]);
  });

  it('bound: the longest silent and the largest leases are listed, no more', async () => {
    const { store } = database;
    const owner = await openOwner(store, T0 - DAY_MS);
    const requests = Array.from({ length: OWNER_LEASES_LISTED_MAX + 5 }, (_, index) => {
      const account = quotaOf(freshName('tenant'), 1000);
      return { index, account, grantedBefore: 0, need: index + 1, want: index + 1, ask: false };
    });
    await store.acquire(owner, requests, T0 - DAY_MS);
    const leases = await store.ownerLeases(owner);
    expect(leases).toHaveLength(OWNER_LEASES_LISTED_MAX);
    expect(leases[0]?.amount).toBe(BigInt(OWNER_LEASES_LISTED_MAX + 5));
    for (let count = 0; count <= OWNERS_LISTED_MAX; count += 1) await openOwner(store, T0 - 2);
    const listed = await store.owners(T0);
    expect(listed).toHaveLength(OWNERS_LISTED_MAX);
    expect(listed[0]).toMatchObject({
      id: owner,
      held: [{ tenants: OWNER_LEASES_LISTED_MAX + 5 }],
    });
  });
}

function describeWriteOff(database: ReturnType<typeof useStore>): void {
  it('I1, I2, I9, I10: written off, the slices are back, the owner is fenced, the books hold', async () => {
    const { store } = database;
    const { account, quota, owner, held } = await leaveSlices(store);
    const result = await store.writeOff(owner, ORDER);
    expect(result).toEqual({ kind: 'written_off', at: ORDER.now, held });
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 0n]);
    expect(await numbersOf(store, quota)).toEqual([50n, 0n, 0n]);
    expect(await store.audit()).toEqual([]);
    expect(await store.liveOwners()).not.toContain(owner);
    expect(await sync(store, owner, {})).toMatchObject({ fenced: true });
    await expect(acquire(store, owner, { account })).rejects.toMatchObject(failure('fenced'));
    const last = batchOf(owner, { leases: [{ charged: 100, granted: 100, close: true }], seq: 8 });
    await expect(store.closeOwner(last)).rejects.toMatchObject(failure('fenced'));
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 0n]);
    // It stays in the list until somebody has read its journal.
    expect((await store.owners(T0)).find(({ id }) => id === owner)).toEqual({
      id: owner,
      machine: 'host-a',
      seenAt: T0,
      writtenOffAt: ORDER.now,
      held,
    });
  });

  it('BILL-13: done again, and by two at once, it changes nothing and answers the same', async () => {
    const { store } = database;
    const other = await database.connect();
    const { account, owner, held } = await leaveSlices(store);
    const [first, second] = await Promise.all([
      store.writeOff(owner, ORDER),
      other.writeOff(owner, ORDER),
    ]);
    expect(first).toEqual({ kind: 'written_off', at: ORDER.now, held });
    expect(second).toEqual(first);
    expect(await store.writeOff(owner, { ...ORDER, now: T0 + 9 * DAY_MS })).toEqual(first);
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 0n]);
    expect(await store.audit()).toEqual([]);
  });

  it('refused: an owner that was heard of, one that has ended, one that nobody knows', async () => {
    const { store } = database;
    const { account, owner } = await leaveSlices(store);
    const early = { heardBefore: T0, now: T0 };
    expect(await store.writeOff(owner, early)).toEqual({ kind: 'heard', seenAt: T0 });
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 70n]);
    const ended = await openOwner(store);
    await store.closeOwner(batchOf(ended, {}));
    expect(await store.writeOff(ended, ORDER)).toEqual({ kind: 'ended' });
    expect(await store.writeOff(`${owner}x`, ORDER)).toEqual({ kind: 'unknown' });
    expect(await store.audit()).toEqual([]);
  });

  it('an owner that holds nothing leaves no entries', async () => {
    const { store } = database;
    const owner = await openOwner(store);
    const result = await store.writeOff(owner, ORDER);
    expect(result).toEqual({ kind: 'written_off', at: ORDER.now, held: [] });
    expect(await store.audit()).toEqual([]);
  });
}

function describeLateJournals(database: ReturnType<typeof useStore>): void {
  it('a journal that is read afterwards is charged to the house, once, and never to the customer', async () => {
    const { store } = database;
    const { account, quota, owner } = await leaveSlices(store);
    await store.writeOff(owner, ORDER);
    expect(await store.lastSettled(owner)).toBe(7);
    const leases = [
      { index: 1, charged: 20 },
      { index: 2, charged: 3 },
    ];
    const records = { afterSeq: 7, seq: 12, leases, overruns: [] };
    const late = await store.reclaim(owner, records, T0 + 2 * DAY_MS);
    expect(late).toEqual({ settled: 0, returned: 0, house: 23 });
    expect(await store.reclaim(owner, records, T0 + 3 * DAY_MS)).toEqual({
      settled: 0,
      returned: 0,
    });
    expect(await store.lastSettled(owner)).toBeUndefined();
    expect(await numbersOf(store, account)).toEqual([1000n, 30n, 0n]);
    expect(await numbersOf(store, quota)).toEqual([50n, 0n, 0n]);
    expect(await store.audit()).toEqual([]);
    expect((await store.owners(T0)).map(({ id }) => id)).not.toContain(owner);
    expect(await store.writeOff(owner, ORDER)).toMatchObject({ kind: 'written_off' });
  });

  it('of a stream whose end was lost with the power the house is charged what was written off, and no more', async () => {
    const { store } = database;
    const { owner } = await leaveSlices(store);
    await store.writeOff(owner, ORDER);
    const unended = [
      { index: 1, charged: 1000 },
      { index: 8, charged: 5 },
    ];
    const records = { afterSeq: 7, seq: 7, leases: [{ index: 1, charged: 20 }], unended };
    const late = await store.reclaim(owner, { ...records, overruns: [] }, T0 + DAY_MS);
    expect(late).toEqual({ settled: 0, returned: 0, house: 70 });
    expect(await store.audit()).toEqual([]);
  });

  it.each([
    ['read from another point', { afterSeq: 6, leases: [] }],
    ['with more than was written off', { afterSeq: 7, leases: [{ index: 1, charged: 71 }] }],
    ['of a lease that was not', { afterSeq: 7, leases: [{ index: 8, charged: 1 }] }],
  ])('refused, and nothing of it is booked: a journal %s', async (_title, wrong) => {
    const { store } = database;
    const { owner } = await leaveSlices(store);
    await store.writeOff(owner, ORDER);
    await expect(
      store.reclaim(owner, { seq: 9, overruns: [], ...wrong }, T0),
    ).rejects.toMatchObject(failure('invariant'));
    expect(await store.lastSettled(owner)).toBe(7);
    expect(await store.audit()).toEqual([]);
  });
}
