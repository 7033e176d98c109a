import { describe, expect, it } from 'vitest';

import {
  acquire,
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

/** How slices of an account grow, and what a short one is told. */
export function describeLeases(open: OpenFixture): void {
  describe('acquire', () => {
    const database = useStore(open);
    describeGrowth(database);
    describePlans(database);
    describeRefusals(database);
  });
  describe('recall', () => {
    describeRecalls(useStore(open));
  });
}

function describeGrowth(database: ReturnType<typeof useStore>): void {
  it('BILL-01: a slice is reserved, not spent', async () => {
    const { store } = database;
    const account = await fundTenant(store, 1000n);
    const owner = await openOwner(store);
    const result = await acquire(store, owner, { account, need: 100 });
    expect(result).toEqual({
      index: 1,
      granted: 100,
      usableUntil: undefined,
      account: { allowance: 1000, spent: 0, reserved: 100 },
      recalling: 0,
      heldElsewhere: 0,
      stranded: 0,
    });
    expect(await numbersOf(store, account)).toEqual([1000n, 0n, 100n]);
  });

  it('a repeated acquire returns the slice it made before, and reserves nothing more', async () => {
    const { store } = database;
    const account = await fundTenant(store, 1000n);
    const owner = await openOwner(store);
    await acquire(store, owner, { account, need: 100 });
    const repeat = await acquire(store, owner, { account, need: 100 });
    expect(repeat).toMatchObject({ granted: 100, account: { reserved: 100 } });
    const growth = await acquire(store, owner, { account, need: 50, grantedBefore: 100 });
    expect(growth).toMatchObject({ granted: 150, account: { reserved: 150 } });
  });

  it('QUOTA-04: the last units are granted to the unit, and not one more', async () => {
    const { store } = database;
    const account = quotaOf(freshName('tenant'), 10);
    const owner = await openOwner(store);
    expect(await acquire(store, owner, { account, need: 10 })).toMatchObject({ granted: 10 });
    const short = await acquire(store, owner, { account, need: 1, grantedBefore: 10 });
    expect(short).toMatchObject({ granted: 10, account: { allowance: 10, reserved: 10 } });
  });

  it('a list succeeds or is short entry by entry', async () => {
    const { store } = database;
    const rich = await fundTenant(store, 1000n);
    const poor = quotaOf(freshName('tenant'), 5);
    const owner = await openOwner(store);
    const request = { grantedBefore: 0, need: 6, want: 6, ask: true };
    const results = await store.acquire(
      owner,
      [
        { ...request, index: 1, account: poor },
        { ...request, index: 2, account: rich },
      ],
      T0,
    );
    expect(results.map(({ index, granted }) => [index, granted])).toEqual([
      [1, 0],
      [2, 6],
    ]);
  });

  it('windows are accounts of their own, and a slice is usable until its window ends', async () => {
    const { store } = database;
    const tenantId = freshName('tenant');
    const owner = await openOwner(store);
    const [today, tomorrow] = [quotaOf(tenantId, 5, T0 + 1000), quotaOf(tenantId, 5, T0 + 2000)];
    const first = await acquire(store, owner, { index: 1, account: today, need: 5 });
    const second = await acquire(store, owner, { index: 2, account: tomorrow, need: 5 });
    expect(first).toMatchObject({ granted: 5, usableUntil: T0 + 1000 });
    expect(second).toMatchObject({ granted: 5, usableUntil: T0 + 2000 });
  });

  it('pruneWindows removes ended windows, but none that still has a lease', async () => {
    const { store } = database;
    const tenantId = freshName('tenant');
    const owner = await openOwner(store);
    const account = quotaOf(tenantId, 5, T0 + 1000);
    await acquire(store, owner, { account, need: 5 });
    await store.pruneWindows(T0 + 5000);
    expect(await numbersOf(store, account)).toEqual([5n, 0n, 5n]);
    await sync(store, owner, { leases: [{ charged: 2, granted: 2, close: true }] });
    expect(await store.pruneWindows(T0 + 5000)).toBeGreaterThanOrEqual(1);
    expect(await store.accounts(tenantId, T0, 0)).toEqual([]);
  });

  it('ten processes that all want everything share an account to the unit', async () => {
    const account = quotaOf(freshName('tenant'), 1000);
    const stores = [database.store, await database.connect(), await database.connect()];
    const takers = Array.from({ length: 40 }, async (_, position) => {
      const store = stores[position % stores.length] ?? database.store;
      const owner = await openOwner(store);
      const result = await acquire(store, owner, { account, need: 30 });
      return result.granted;
    });
    const granted = await Promise.all(takers);
    expect(granted.filter((units) => units === 30)).toHaveLength(33);
    expect(granted.filter((units) => units === 0)).toHaveLength(7);
    expect(await database.store.audit()).toEqual([]);
  });
}

function describePlans(database: ReturnType<typeof useStore>): void {
  it('QUOTA-03: another allowance takes effect at once, up and down, and what is used stays used', async () => {
    const { store } = database;
    const tenantId = freshName('tenant');
    const owner = await openOwner(store);
    const plan = (allowance: number) => quotaOf(tenantId, allowance);
    await acquire(store, owner, { account: plan(10), need: 10 });
    await sync(store, owner, { leases: [{ charged: 10, granted: 10 }] });
    const up = await acquire(store, owner, { account: plan(15), need: 5, grantedBefore: 10 });
    expect(up).toMatchObject({ granted: 15, account: { allowance: 15, spent: 10, reserved: 5 } });
    const down = await acquire(store, owner, { account: plan(3), need: 1, grantedBefore: 15 });
    expect(down).toMatchObject({ granted: 15, account: { allowance: 3, spent: 10, reserved: 5 } });
    expect(await store.audit()).toEqual([]);
  });

  it('QUOTA-03: another allowance takes effect also for who looks again and asks nobody', async () => {
    const { store } = database;
    const tenantId = freshName('tenant');
    const owner = await openOwner(store);
    const look = (allowance: number, need: number) =>
      acquire(store, owner, {
        account: quotaOf(tenantId, allowance),
        need,
        grantedBefore: 10,
        ask: false,
      });
    await acquire(store, owner, { account: quotaOf(tenantId, 10), need: 10 });
    expect(await look(10, 5)).toMatchObject({ granted: 10, account: { allowance: 10 } });
    expect(await look(12, 5)).toMatchObject({ granted: 10, account: { allowance: 12 } });
    expect(await look(15, 5)).toMatchObject({ granted: 15, account: { allowance: 15 } });
  });

  it('QUOTA-02: another time zone moves the end of a window, and what is used stays used', async () => {
    const { store } = database;
    const owner = await openOwner(store);
    const account = quotaOf(freshName('tenant'), 10, T0 + 1000);
    await acquire(store, owner, { account, need: 4 });
    for (const windowEndsAt of [T0 + 5000, T0 + 500]) {
      const moved = { ...account, windowEndsAt };
      // oxlint-disable-next-line no-await-in-loop -- one change after the other
      expect(
        await acquire(store, owner, { account: moved, need: 7, grantedBefore: 4 }),
      ).toMatchObject({
        granted: 4,
        usableUntil: windowEndsAt,
        account: { allowance: 10, reserved: 4 },
      });
    }
  });
}

function describeRefusals(database: ReturnType<typeof useStore>): void {
  it('an owner that is unknown is fenced, and an owner id serves once', async () => {
    const { store } = database;
    const account = quotaOf(freshName('tenant'), 10);
    await expect(acquire(store, 'nobody', { account })).rejects.toMatchObject(failure('fenced'));
    const owner = await openOwner(store);
    await expect(store.openOwner(owner, T0)).rejects.toMatchObject(failure('already_exists'));
  });

  it.each([
    ['need of nothing', { need: 0 }],
    ['a fraction', { need: 1.5 }],
    ['not a number', { want: Number.NaN }],
    ['more than can be counted', { need: 2 ** 53 }],
    ['a negative slice', { grantedBefore: -1 }],
  ])('bad input is refused and changes nothing: %s', async (_title, request) => {
    const { store } = database;
    const account = await fundTenant(store, 1000n);
    const owner = await openOwner(store);
    await expect(acquire(store, owner, { account, ...request })).rejects.toMatchObject(
      failure('invalid_argument'),
    );
    expect(await numbersOf(store, account)).toEqual([1000n, 0n, 0n]);
  });

  it('a lease number belongs to one account', async () => {
    const { store } = database;
    const [one, other] = [await fundTenant(store, 9n), await fundTenant(store, 9n)];
    const owner = await openOwner(store);
    await acquire(store, owner, { account: one });
    await expect(acquire(store, owner, { account: other })).rejects.toMatchObject(
      failure('invalid_argument'),
    );
  });
}

/** Two owners of one account of 100: `holder` has it all, `asker` wants 10. */
async function openRivals(store: Store) {
  const account = await fundTenant(store, 100n);
  const [holder, asker] = [await openOwner(store), await openOwner(store)];
  await acquire(store, holder, { account, need: 100 });
  const ask = (now = T0, anew = true) =>
    acquire(store, asker, { account, need: 10, ask: anew }, now);
  return { account, holder, asker, ask };
}

function describeRecalls(database: ReturnType<typeof useStore>): void {
  it('who is short has the others asked, hears who owes an answer, and they hear that they do', async () => {
    const { store } = database;
    const { holder, asker, ask } = await openRivals(store);
    // They are asked now: what is told is from before.
    expect(await ask()).toMatchObject({
      granted: 0,
      recalling: 0,
      heldElsewhere: 100,
      stranded: 0,
    });
    expect(await ask()).toMatchObject({ granted: 0, recalling: 100, heldElsewhere: 0 });
    expect((await sync(store, asker, {})).recalls).toEqual([]);
    expect((await sync(store, holder, {})).recalls).toEqual([1]);
    expect((await sync(store, holder, {})).recalls).toEqual([1]);
  });

  it('nobody is asked by who does not say so, or gets what it wants', async () => {
    const { store } = database;
    const { account, holder, asker } = await openRivals(store);
    await acquire(store, asker, { account, need: 10, ask: false });
    await acquire(store, asker, { index: 2, account: quotaOf(freshName('tenant'), 5), need: 1 });
    expect((await sync(store, holder, {})).recalls).toEqual([]);
  });

  it('what an answer hands back is there for the asker, what it keeps is under open holds', async () => {
    const { store } = database;
    const { holder, ask } = await openRivals(store);
    await ask();
    const answer = { charged: 50, granted: 95, answersRecall: true };
    const answered = await sync(store, holder, { leases: [answer] });
    expect(answered.recalls).toEqual([]);
    expect(answered.accounts).toEqual([
      { index: 1, numbers: { allowance: 100, spent: 50, reserved: 45 } },
    ]);
    expect(await ask(T0, false)).toMatchObject({ granted: 0, recalling: 0, heldElsewhere: 45 });
    expect((await sync(store, holder, {})).recalls).toEqual([]);
    await sync(store, holder, { leases: [{ charged: 50, granted: 90 }], seq: 2 });
    expect(await ask()).toMatchObject({ granted: 10, account: { spent: 50, reserved: 50 } });
  });

  it('who has answered is asked again by everybody who asks', async () => {
    const { store } = database;
    const { holder, ask } = await openRivals(store);
    await ask();
    await sync(store, holder, { leases: [{ charged: 0, granted: 95, answersRecall: true }] });
    expect(await ask()).toMatchObject({ recalling: 0, heldElsewhere: 95 });
    expect((await sync(store, holder, {})).recalls).toEqual([1]);
    expect(await ask()).toMatchObject({ recalling: 95, heldElsewhere: 0 });
  });

  it('who takes all gets all it wants that is there, and has the others asked for the rest', async () => {
    const { store } = database;
    const account = await fundTenant(store, 100n);
    const [holder, asker] = [await openOwner(store), await openOwner(store)];
    await acquire(store, holder, { account, need: 60 });
    const request = { account, need: 1, takesAll: true };
    const all = await acquire(store, asker, { ...request, want: 15 });
    expect(all).toMatchObject({ granted: 15, heldElsewhere: 60 });
    expect((await sync(store, holder, {})).recalls).toEqual([]);
    const rest = await acquire(store, asker, { ...request, want: 50, grantedBefore: 15 });
    expect(rest).toMatchObject({ granted: 40, heldElsewhere: 60 });
    expect((await sync(store, holder, {})).recalls).toEqual([1]);
  });

  it('what an owner holds that was not heard of for two seconds is stranded', async () => {
    const { store } = database;
    const { holder, asker, ask } = await openRivals(store);
    await sync(store, asker, { now: T0 + 2001 });
    expect(await ask(T0 + 2001)).toMatchObject({ recalling: 0, heldElsewhere: 0, stranded: 100 });
    await sync(store, holder, { now: T0 + 2001 });
    expect(await ask(T0 + 2001)).toMatchObject({ recalling: 100, stranded: 0 });
  });

  it('a lease the asker itself has not closed yet is on its way back', async () => {
    const { store } = database;
    const { account, holder } = await openRivals(store);
    const next = await acquire(store, holder, { index: 2, account, need: 10 });
    expect(next).toMatchObject({ granted: 0, recalling: 100 });
    expect((await sync(store, holder, {})).recalls).toEqual([]);
  });

  it.each([
    { pot: 1000n, rivals: 0, need: 1, want: 1000, slice: 250 },
    { pot: 1000n, rivals: 3, need: 1, want: 1000, slice: 100 },
    { pot: 1000n, rivals: 3, need: 1, want: 40, slice: 40 },
    { pot: 1000n, rivals: 3, need: 700, want: 800, slice: 700 },
    { pot: 7n, rivals: 3, need: 1, want: 1000, slice: 1 },
  ])(
    'slices shrink with the pot and with rivals: %o',
    async ({ pot, rivals, need, want, slice }) => {
      const { store } = database;
      const account = await fundTenant(store, pot);
      // Far in the future, every owner of other tests is silent and counts no more.
      lastHour += 3_600_000;
      const owner = await openOwner(store, lastHour);
      for (let count = 0; count < rivals; count += 1) await openOwner(store, lastHour);
      const result = await acquire(store, owner, { account, need, want }, lastHour);
      expect(result.granted).toBe(slice);
    },
  );
}

let lastHour = T0;
