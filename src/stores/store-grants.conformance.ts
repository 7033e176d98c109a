import { describe, expect, it } from 'vitest';

import { balanceAccount } from '../domain/accounts.ts';
import {
  acquire,
  addGrant,
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

/** Where money comes from, in which order it burns, and when it is gone. */
export function describeGrants(open: OpenFixture): void {
  describe('grants', () => {
    const database = useStore(open);
    describeAdding(database);
    describeTimes(database);
    describeBurning(database);
  });
  describe('accounts', () => {
    describeExactNumbers(useStore(open));
  });
}

function describeAdding(database: ReturnType<typeof useStore>): void {
  it('BILL-13: the same key adds once and answers the same, also from another process and later', async () => {
    const { store } = database;
    const other = await database.connect();
    const tenantId = freshName('tenant');
    const wish = { tenantId, amount: 500n, idempotencyKey: freshName('key') };
    const answers = await Promise.all(
      [store, other, store, other].map((each, position) => addGrant(each, wish, T0 + position)),
    );
    expect(new Set(answers.map((grant) => grant.id)).size).toBe(1);
    expect(await store.grants(tenantId)).toHaveLength(1);
    expect(await numbersOf(store, balanceAccount(tenantId, 'USD'))).toEqual([500n, 0n, 0n]);
  });

  it.each([
    ['amount', { amount: 501n }],
    ['asset', { asset: 'EUR' }],
    ['category', { category: 'promotional' as const }],
    ['priority', { priority: 1 }],
    ['tenant', { tenantId: 'another' }],
  ])('BILL-13: the same key with another %s is a conflict', async (_title, changed) => {
    const { store } = database;
    const wish = { tenantId: freshName('tenant'), amount: 500n, idempotencyKey: freshName('key') };
    await addGrant(store, wish);
    await expect(addGrant(store, { ...wish, ...changed })).rejects.toMatchObject(
      failure('idempotency_conflict'),
    );
    expect(await store.grants(wish.tenantId)).toHaveLength(1);
  });

  it.each([
    ['nothing', { amount: 0n }, 'invalid_argument' as const],
    ['less than nothing', { amount: -1n }, 'invalid_argument' as const],
    ['an expiry before its beginning', { expiresAt: T0 }, 'invalid_argument' as const],
    ['more than can be counted exactly', { amount: 2n ** 53n }, 'unsafe_amount' as const],
  ])('a grant of %s is refused', async (_title, wrong, code) => {
    const { store } = database;
    const tenantId = freshName('tenant');
    await expect(addGrant(store, { tenantId, ...wrong })).rejects.toMatchObject(failure(code));
    expect(await store.grants(tenantId)).toEqual([]);
  });

  it('grants that together pass what can be counted exactly are refused, waiting ones included', async () => {
    const { store } = database;
    const tenantId = freshName('tenant');
    await addGrant(store, { tenantId, amount: 2n ** 52n });
    await addGrant(store, { tenantId, amount: 2n ** 52n - 1n, effectiveAt: T0 + 1000 });
    await expect(addGrant(store, { tenantId, amount: 1n })).rejects.toMatchObject(
      failure('unsafe_amount'),
    );
    expect(await store.audit()).toEqual([]);
  });
}

function describeTimes(database: ReturnType<typeof useStore>): void {
  it('a grant counts from its effective time', async () => {
    const { store } = database;
    const account = await fundTenant(store, 10n);
    const owner = await openOwner(store);
    await addGrant(store, { tenantId: account.tenantId, amount: 90n, effectiveAt: T0 + 100 });
    expect(await acquire(store, owner, { account, need: 50 }, T0 + 99)).toMatchObject({
      granted: 0,
    });
    expect(await acquire(store, owner, { account, need: 50 }, T0 + 100)).toMatchObject({
      granted: 50,
      account: { allowance: 100 },
    });
    expect(await store.audit()).toEqual([]);
  });

  it('an expired grant is gone, and its loss is in the books', async () => {
    const { store } = database;
    const account = await fundTenant(store, 10n);
    await addGrant(store, { tenantId: account.tenantId, amount: 90n, expiresAt: T0 + 100 });
    expect(await numbersOf(store, account, T0 + 99)).toEqual([100n, 0n, 0n]);
    expect(await numbersOf(store, account, T0 + 100)).toEqual([10n, 0n, 0n]);
    const [, expired] = await store.grants(account.tenantId);
    expect(expired).toMatchObject({ amount: 90n, expired: 90n, consumed: 0n });
    expect(await store.audit()).toEqual([]);
  });

  it('a grant that begins and ends unseen was there and is gone', async () => {
    const { store } = database;
    const account = await fundTenant(store, 10n);
    const brief = { effectiveAt: T0 + 100, expiresAt: T0 + 200 };
    await addGrant(store, { tenantId: account.tenantId, amount: 90n, ...brief });
    expect(await numbersOf(store, account, T0 + 300)).toEqual([10n, 0n, 0n]);
    expect(await store.audit()).toEqual([]);
  });

  it('slices are usable until the earliest expiry to come', async () => {
    const { store } = database;
    const account = await fundTenant(store, 10n);
    const owner = await openOwner(store);
    for (const expiresAt of [T0 + 300, T0 + 200, undefined]) {
      await addGrant(store, { tenantId: account.tenantId, amount: 10n, expiresAt });
    }
    const at = async (now: number, grantedBefore: number) =>
      (await acquire(store, owner, { account, need: 1, grantedBefore }, now)).usableUntil;
    expect(await at(T0, 0)).toBe(T0 + 200);
    expect(await at(T0 + 250, 1)).toBe(T0 + 300);
    expect(await at(T0 + 350, 2)).toBeUndefined();
  });

  it('expiry takes only what is not leased: a hold that began in time is paid from the grant it was promised', async () => {
    const { store } = database;
    const account = await fundTenant(store, 100n);
    const owner = await openOwner(store);
    await addGrant(store, { tenantId: account.tenantId, amount: 50n, expiresAt: T0 + 100 });
    await addGrant(store, { tenantId: account.tenantId, amount: 40n, expiresAt: T0 + 90 });
    await acquire(store, owner, { account, need: 60 });
    // Charges would burn the 40 that expire first, then 20 of the 50: these stay, and 30 go.
    expect(await numbersOf(store, account, T0 + 100)).toEqual([160n, 0n, 60n]);
    await sync(store, owner, {
      leases: [{ charged: 45, granted: 45, close: true }],
      now: T0 + 200,
    });
    expect(await numbersOf(store, account, T0 + 200)).toEqual([145n, 45n, 0n]);
    const [lasting, later, sooner] = await store.grants(account.tenantId);
    expect(lasting).toMatchObject({ consumed: 0n, expired: 0n });
    expect(later).toMatchObject({ consumed: 5n, expired: 45n });
    expect(sooner).toMatchObject({ consumed: 40n, expired: 0n });
    expect(await store.audit()).toEqual([]);
  });

  it('of an expired grant that is leased whole nothing goes before the lease is back', async () => {
    const { store } = database;
    const tenantId = freshName('tenant');
    const owner = await openOwner(store);
    await addGrant(store, { tenantId, amount: 50n, expiresAt: T0 + 100 });
    const account = balanceAccount(tenantId, 'USD');
    await acquire(store, owner, { account, need: 50 });
    expect(await numbersOf(store, account, T0 + 100)).toEqual([50n, 0n, 50n]);
    await sync(store, owner, { leases: [{ charged: 20, granted: 20, close: true }] });
    expect(await numbersOf(store, account, T0 + 100)).toEqual([20n, 20n, 0n]);
    expect(await store.audit()).toEqual([]);
  });
}

async function fundInLayers(store: Store): Promise<string> {
  const tenantId = freshName('tenant');
  const layers = [
    { source: 'last: never expires, paid' },
    { source: 'third: included before paid', category: 'included' as const },
    { source: 'second: expires', expiresAt: T0 + 1000 },
    { source: 'first: priority', priority: 1 },
  ];
  for (const layer of layers) await addGrant(store, { tenantId, amount: 10n, ...layer });
  return tenantId;
}

function describeBurning(database: ReturnType<typeof useStore>): void {
  it.each([
    [5, [5n, 0n, 0n, 0n]],
    [10, [10n, 0n, 0n, 0n]],
    [25, [10n, 10n, 5n, 0n]],
    [40, [10n, 10n, 10n, 10n]],
  ])('I6: a charge of %i burns in the published order', async (charged, consumed) => {
    const { store } = database;
    const tenantId = await fundInLayers(store);
    const owner = await openOwner(store);
    await acquire(store, owner, { account: balanceAccount(tenantId, 'USD'), need: 40 });
    await sync(store, owner, { leases: [{ charged, granted: 40 }] });
    const grants = await store.grants(tenantId);
    expect(grants.map((grant) => grant.consumed).toReversed()).toEqual(consumed);
    expect(await store.audit()).toEqual([]);
  });
}

function describeExactNumbers(database: ReturnType<typeof useStore>): void {
  it('C402-04: numbers are exact once every process has answered', async () => {
    const { store } = database;
    const gateway = await database.connect();
    const account = await fundTenant(store, 1000n);
    const owner = await openOwner(store);
    await acquire(gateway, owner, { account, need: 400 });
    const reading = store.accounts(account.tenantId, T0, 10_000);
    let recalls: readonly number[] = [];
    while (recalls.length === 0) ({ recalls } = await sync(gateway, owner, {}));
    const answer = { charged: 150, granted: 160, answersRecall: true };
    await sync(gateway, owner, { leases: [answer] });
    expect(await reading).toEqual([
      { spec: account, allowance: 1000n, spent: 150n, reserved: 10n },
    ]);
  });

  it('a process that does not answer is waited for no longer than asked, a silent one not at all', async () => {
    const { store } = database;
    const account = await fundTenant(store, 1000n);
    const owner = await openOwner(store);
    await acquire(store, owner, { account, need: 400 });
    const [unanswered] = await store.accounts(account.tenantId, T0, 20);
    expect(unanswered).toMatchObject({ spent: 0n, reserved: 400n });
    const [silent] = await store.accounts(account.tenantId, T0 + 2001, 60_000);
    expect(silent).toMatchObject({ spent: 0n, reserved: 400n });
  });

  it('quotas are listed with their limit until their window ends', async () => {
    const { store } = database;
    const account = quotaOf(freshName('tenant'), 5, T0 + 1000);
    const owner = await openOwner(store);
    await acquire(store, owner, { account, need: 2 });
    expect(await store.accounts(account.tenantId, T0 + 999, 0)).toEqual([
      { spec: account, allowance: 5n, spent: 0n, reserved: 2n },
    ]);
    expect(await store.accounts(account.tenantId, T0 + 1000, 0)).toEqual([]);
  });
}
