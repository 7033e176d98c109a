import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { AccountSpec } from '../domain/accounts.ts';
import {
  acquire,
  batchOf,
  freshName,
  numbersOf,
  openOwner,
  type OpenFixture,
  slidingQuotaOf,
  sync,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import type { Store } from './store.ts';

const PERIOD_MS = 60_000;
/** A unit is free this long after the end of the second it was settled in. */
const FREE_MS = PERIOD_MS + 1000;

/** Limits over any stretch of a period (QUOTA-02): their units come free again by themselves. */
export function describeSliding(open: OpenFixture): void {
  describe('a limit that slides', () => {
    const database = useStore(open);
    describeSpending(database);
    describeReturns(database);
    describeTerms(database);
    describePruning(database);
    describeStretches(database);
  });
}

/** An account of 10 a minute with one owner, that has settled `charged` units of a lease of 10 at `at`. */
async function useUp(store: Store, charged = 10, at = T0) {
  const account = slidingQuotaOf(freshName('tenant'), 10, PERIOD_MS);
  const owner = await openOwner(store);
  await acquire(store, owner, { account, need: 10 }, at);
  await sync(store, owner, { leases: [{ charged, granted: charged }], now: at });
  return { account, owner, charged };
}

function describeSpending(database: ReturnType<typeof useStore>): void {
  it('what was spent is free a period after the sub-window it was settled in, to the unit', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store);
    const ask = (now: number) =>
      acquire(store, owner, { account, need: 10, grantedBefore: 10 }, now);
    const lastMoment = T0 + FREE_MS - 1;
    expect(await ask(lastMoment)).toMatchObject({
      granted: 10,
      account: { allowance: 10, spent: 10, reserved: 0 },
      usableUntil: undefined,
    });
    expect(await numbersOf(store, account, lastMoment)).toEqual([10n, 10n, 0n]);
    expect(await numbersOf(store, account, T0 + FREE_MS)).toEqual([10n, 0n, 0n]);
    expect(await ask(T0 + FREE_MS)).toMatchObject({
      granted: 20,
      account: { allowance: 10, spent: 0, reserved: 10 },
    });
    expect(await store.audit()).toEqual([]);
  });

  it('what is settled late counts from then on, and meanwhile it is reserved', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store, 0);
    await acquire(store, owner, { account, need: 4 });
    const late = T0 + 10 * PERIOD_MS;
    expect(await numbersOf(store, account, late)).toEqual([10n, 0n, 4n]);
    await sync(store, owner, { leases: [{ charged: 3, granted: 4 }], now: late, seq: 2 });
    expect(await numbersOf(store, account, late + FREE_MS - 1)).toEqual([10n, 3n, 1n]);
    expect(await numbersOf(store, account, late + FREE_MS)).toEqual([10n, 0n, 1n]);
  });

  it('settlements one after the other come free one after the other; a repeated one counts once', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store, 0);
    await acquire(store, owner, { account, need: 10 });
    for (let round = 1; round <= 5; round += 1) {
      const batch = {
        leases: [{ charged: round * 2, granted: 10 }],
        now: T0 + round * 10_000,
        seq: round + 1,
      };
      // oxlint-disable-next-line no-await-in-loop -- one settlement after the other
      await sync(store, owner, batch);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const { accounts } = await sync(store, owner, batch);
      expect(accounts).toEqual([
        { index: 1, numbers: { allowance: 10, spent: round * 2, reserved: 10 - round * 2 } },
      ]);
    }
    const spentAt = async (now: number) => (await numbersOf(store, account, now))[1];
    expect(await spentAt(T0 + 10_000 + FREE_MS - 1)).toBe(10n);
    expect(await spentAt(T0 + 10_000 + FREE_MS)).toBe(8n);
    expect(await spentAt(T0 + 30_000 + FREE_MS)).toBe(4n);
    expect(await spentAt(T0 + 50_000 + FREE_MS)).toBe(0n);
  });

  it('QUOTA-05: who is short hears when what it needs is there, asking once or again', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store, 6);
    const ask = (need: number, again: boolean) =>
      acquire(store, owner, { account, need, grantedBefore: 6, ask: !again }, T0 + 5000);
    for (const again of [false, true]) {
      // oxlint-disable-next-line no-await-in-loop -- the second is answered without a write
      expect(await ask(5, again)).toMatchObject({ granted: 6, resetsAt: T0 + FREE_MS });
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect((await ask(11, again)).resetsAt).toBeUndefined();
    }
    const { granted, resetsAt } = await ask(4, false);
    expect([granted, resetsAt]).toEqual([10, undefined]);
    // What is leased is spent by now at the latest.
    const short = await acquire(store, owner, { account, need: 7, grantedBefore: 10 }, T0 + 5000);
    expect(short).toMatchObject({ granted: 10, resetsAt: T0 + 5000 + FREE_MS });
  });
}

function describeReturns(database: ReturnType<typeof useStore>): void {
  it('what is handed back is there at once', async () => {
    const { store } = database;
    const account = slidingQuotaOf(freshName('tenant'), 10, PERIOD_MS);
    const [first, second] = [await openOwner(store), await openOwner(store)];
    await acquire(store, first, { account, need: 10 });
    await sync(store, first, { leases: [{ charged: 2, granted: 2, close: true }] });
    expect(await acquire(store, second, { account, need: 8 })).toMatchObject({
      granted: 8,
      account: { allowance: 10, spent: 2, reserved: 8 },
    });
  });

  it('of a dead owner what its journal proves counts from the reclaim on, and the rest is there at once', async () => {
    const { store } = database;
    const account = slidingQuotaOf(freshName('tenant'), 10, PERIOD_MS);
    const [dead, heir] = [await openOwner(store), await openOwner(store)];
    await acquire(store, dead, { account, need: 10 });
    await sync(store, dead, { leases: [{ charged: 2, granted: 10 }] });
    const diedAt = T0 + 30_000;
    const records = { afterSeq: 1, seq: 2, leases: [{ index: 1, charged: 3 }], overruns: [] };
    expect(await store.reclaim(dead, records, diedAt)).toEqual({ settled: 3, returned: 5 });
    expect(await numbersOf(store, account, diedAt)).toEqual([10n, 5n, 0n]);
    expect(await acquire(store, heir, { account, need: 6 }, diedAt)).toMatchObject({
      granted: 0,
      resetsAt: T0 + FREE_MS,
    });
    expect(await numbersOf(store, account, T0 + FREE_MS)).toEqual([10n, 3n, 0n]);
    expect(await numbersOf(store, account, diedAt + FREE_MS)).toEqual([10n, 0n, 0n]);
    expect(await store.audit()).toEqual([]);
  });

  it('of an owner that closes, its last settlement counts from then on', async () => {
    const { store } = database;
    const account = slidingQuotaOf(freshName('tenant'), 10, PERIOD_MS);
    const owner = await openOwner(store);
    await acquire(store, owner, { account, need: 10 });
    const now = T0 + 30_000;
    const last = { leases: [{ charged: 4, granted: 4, close: true }], now };
    await store.closeOwner(batchOf(owner, last));
    expect(await numbersOf(store, account, now + FREE_MS - 1)).toEqual([10n, 4n, 0n]);
    expect(await numbersOf(store, account, now + FREE_MS)).toEqual([10n, 0n, 0n]);
  });
}

function describeTerms(database: ReturnType<typeof useStore>): void {
  it('QUOTA-03: another amount takes effect at once, and what is used stays used', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store);
    const ask = (allowance: number, need: number, grantedBefore: number) =>
      acquire(store, owner, { account: { ...account, allowance }, need, grantedBefore });
    expect(await ask(15, 5, 10)).toMatchObject({ granted: 15, account: { spent: 10 } });
    expect(await ask(3, 1, 15)).toMatchObject({
      granted: 15,
      account: { allowance: 3, spent: 10, reserved: 5 },
    });
  });

  it('a longer period counts what has not come free yet, and a shorter one frees it sooner', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store);
    const over = (slidingMs: number, now: number) =>
      acquire(
        store,
        owner,
        { account: { ...account, slidingMs }, need: 11, grantedBefore: 10 },
        now,
      );
    const hourly = await over(60 * PERIOD_MS, T0 + 2 * PERIOD_MS);
    expect(hourly).toMatchObject({ granted: 10, account: { spent: 10 } });
    expect(await balanceOf(store, account, T0)).toMatchObject({
      spec: { slidingMs: 60 * PERIOD_MS },
      resetsAt: T0 + 1000 + 60 * PERIOD_MS,
    });
    expect((await over(PERIOD_MS, T0 + 2 * PERIOD_MS)).account).toMatchObject({ spent: 0 });
  });

  it('is listed as it is, and until all of it is free with the time when it will be', async () => {
    const { store } = database;
    const { account } = await useUp(store);
    const listed = await balanceOf(store, account, T0 + 5000);
    expect(listed).toEqual({
      spec: account,
      allowance: 10n,
      spent: 10n,
      reserved: 0n,
      resetsAt: T0 + FREE_MS,
    });
    const free = await balanceOf(store, account, T0 + FREE_MS);
    expect(free).toEqual({ spec: account, allowance: 10n, spent: 0n, reserved: 0n });
  });
}

async function balanceOf(store: Store, account: AccountSpec, now: number) {
  const accounts = await store.accounts(account.tenantId, now, 0);
  return accounts.find(({ spec }) => spec.id === account.id);
}

function describePruning(database: ReturnType<typeof useStore>): void {
  it('pruneWindows removes what is free by then and has no lease, and nothing else', async () => {
    const { store } = database;
    const { account, owner, charged } = await useUp(store);
    const isThere = async () => (await balanceOf(store, account, T0)) !== undefined;
    await store.pruneWindows(T0 + 2 * FREE_MS);
    expect(await isThere()).toBe(true);
    const close = { charged, granted: charged, close: true };
    await sync(store, owner, { leases: [close], seq: 2 });
    await store.pruneWindows(T0 + FREE_MS);
    expect(await isThere()).toBe(true);
    expect(await store.pruneWindows(T0 + FREE_MS + 1)).toBeGreaterThanOrEqual(1);
    expect(await isThere()).toBe(false);
  });

  it('one that nothing was ever spent of goes with its last lease', async () => {
    const { store } = database;
    const { account, owner } = await useUp(store, 0);
    await store.pruneWindows(T0);
    expect(await balanceOf(store, account, T0)).toBeDefined();
    await sync(store, owner, { leases: [{ charged: 0, granted: 0, close: true }], seq: 2 });
    await store.pruneWindows(T0);
    expect(await balanceOf(store, account, T0)).toBeUndefined();
  });
}

interface Slice {
  owner: string;
  granted: number;
  charged: number;
  settled: number;
  seq: number;
  settledSeq: number;
}
const OWNERS = 2;
const AMOUNT = 20;

/** Processes that serve out of slices, and a record of their own of what was served when. */
class Stretches {
  readonly served: { readonly at: number; readonly units: number }[] = [];
  readonly #store: Store;
  readonly #account = slidingQuotaOf(freshName('tenant'), AMOUNT, PERIOD_MS);
  readonly #slices: Slice[] = [];
  now = T0;

  constructor(store: Store) {
    this.#store = store;
  }

  async take(position: number, kind: StepKind, units: number): Promise<void> {
    const slice = (this.#slices[position] ??= await this.#open());
    switch (kind) {
      case 'acquire':
        return this.#acquire(slice, units);
      case 'serve':
        return this.#serve(slice, units);
      case 'settle':
        return this.#settle(slice, slice.granted);
      case 'return':
        return this.#settle(slice, slice.charged);
      case 'die':
        return this.#die(position, slice);
    }
  }

  /** By brute force over every stretch of a period that ends with something served. */
  mostInAnyPeriod(): number {
    const sums = this.served.map(({ at: last }) =>
      this.served
        .filter(({ at }) => at <= last && at >= last - PERIOD_MS)
        .reduce((sum, { units }) => sum + units, 0),
    );
    return Math.max(0, ...sums);
  }

  async #open(): Promise<Slice> {
    const owner = await openOwner(this.#store, this.now);
    return { owner, granted: 0, charged: 0, settled: 0, seq: 0, settledSeq: 0 };
  }

  /** As much of `want` as there is. */
  async #acquire(slice: Slice, want: number): Promise<void> {
    const wish = { need: 1, want, takesAll: true };
    const request = { account: this.#account, ...wish, grantedBefore: slice.granted };
    const result = await acquire(this.#store, slice.owner, request, this.now);
    slice.granted = result.granted;
  }

  async #serve(slice: Slice, units: number): Promise<void> {
    const taken = Math.min(units, slice.granted - slice.charged);
    slice.charged += taken;
    slice.seq += 1;
    this.served.push({ at: this.now, units: taken });
  }

  async #settle(slice: Slice, granted: number): Promise<void> {
    if (slice.granted === 0) return;
    const leases = [{ charged: slice.charged, granted }];
    await sync(this.#store, slice.owner, { leases, seq: slice.seq, now: this.now });
    Object.assign(slice, { granted, settled: slice.charged, settledSeq: slice.seq });
  }

  async #die(position: number, slice: Slice): Promise<void> {
    const charged = slice.charged - slice.settled;
    const leases = charged === 0 ? [] : [{ index: 1, charged }];
    const records = { afterSeq: slice.settledSeq, seq: slice.seq, leases, overruns: [] };
    await this.#store.reclaim(slice.owner, records, this.now);
    this.#slices[position] = await this.#open();
  }
}

const STEP_KINDS = ['acquire', 'serve', 'settle', 'return', 'die'] as const;
type StepKind = (typeof STEP_KINDS)[number];

function describeStretches(database: ReturnType<typeof useStore>): void {
  const step = fc.record({
    position: fc.integer({ min: 0, max: OWNERS - 1 }),
    kind: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('acquire', 'serve') },
      { weight: 3, arbitrary: fc.constantFrom(...STEP_KINDS) },
    ),
    units: fc.oneof(fc.constant(AMOUNT), fc.integer({ min: 1, max: AMOUNT })),
    pauseMs: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: PERIOD_MS / 2 }) },
      // Around the moment at which units come free.
      { weight: 2, arbitrary: fc.integer({ min: PERIOD_MS - 3000, max: FREE_MS }) },
    ),
  });
  it('QUOTA-02: no stretch of a period sees more than the amount, whatever processes do, settle late, and die', async () => {
    const { store } = database;
    let most = 0;
    const run = async (steps: readonly Parameters<typeof replay>[1][number][]) => {
      const served = await replay(store, steps);
      expect(served).toBeLessThanOrEqual(AMOUNT);
      most = Math.max(most, served);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), run), {
      numRuns: 60,
    });
    expect(most).toBe(AMOUNT);
    expect(await store.audit()).toEqual([]);
  });
}

async function replay(
  store: Store,
  steps: readonly {
    readonly position: number;
    readonly kind: StepKind;
    readonly units: number;
    readonly pauseMs: number;
  }[],
): Promise<number> {
  const stretches = new Stretches(store);
  for (const { position, kind, units, pauseMs } of steps) {
    stretches.now += pauseMs;
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await stretches.take(position, kind, units);
  }
  return stretches.mostInAnyPeriod();
}
