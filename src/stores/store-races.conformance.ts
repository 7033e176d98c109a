import { describe, expect, it } from 'vitest';

import type { AccountSpec } from '../domain/accounts.ts';
import { PLAIN_TERMS } from '../domain/tenant-terms.ts';
import {
  addGrant,
  batchOf,
  freshName,
  fundTenant,
  openOwner,
  type OpenFixture,
  quotaOf,
  slidingQuotaOf,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import type { Store } from './store.ts';

const STORES = 3;
const GATEWAYS = 9;
const TENANTS = 3;
const STEPS = 30;
const ROUNDS = 40;

/** Many at once, over accounts they share and touch in any order. */
export function describeRaces(open: OpenFixture): void {
  describe('races', () => {
    const database = useStore(open);
    it('GW-03: who begins while others change something finds it changed, or hears of it', async () => {
      const others = [await database.connect(), await database.connect()];
      for (let round = 0; round < ROUNDS; round += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one beginning after the other
        const { found, now, hasHeard } = await beginAmongChanges(database.store, others);
        expect(hasHeard ? now : found).toBe(now);
      }
    });
    it('I1, I2, I3, I9, I10: what all have charged is what is spent, and the books are right', async () => {
      const stores = [database.store];
      while (stores.length < STORES) stores.push(await database.connect());
      const { expected, found, violations, live } = await playRaces(stores);
      expect(found).toEqual(expected);
      expect(violations).toEqual([]);
      expect(live).toEqual([]);
    }, 120_000);
  });
}

/** The name of a tenant as it was found at the beginning, as it is in the end, and whether the change was told. */
async function beginAmongChanges(store: Store, others: readonly Store[]) {
  const tenant = {
    id: freshName('tenant'),
    name: 'before',
    planId: 'free',
    terms: PLAIN_TERMS,
    createdAt: T0,
  };
  await store.createTenant(tenant);
  const owner = freshName('owner');
  const begin = async () => {
    await store.openOwner(owner, T0);
    return store.tenant(tenant.id);
  };
  const changes = others.map((other, number) =>
    other.changeTenant(tenant.id, { name: `after-${number}` }),
  );
  const [found] = await Promise.all([begin(), ...changes]);
  const now = await store.tenant(tenant.id);
  const { changes: heard } = await store.sync(batchOf(owner, {}));
  await store.closeOwner(batchOf(owner, {}));
  const hasHeard = heard.some(({ id }) => id === tenant.id);
  return { found: found?.name, now: now?.name, hasHeard };
}

/** Of each account what all have charged, as `spent` and `reserved`; and what the store says of it and of itself. */
export async function playRaces(stores: readonly Store[]) {
  const [store] = stores;
  if (store === undefined) throw new Error('a race needs a store');
  const tenants = await Promise.all(Array.from({ length: TENANTS }, () => openTenant(store)));
  const accounts = tenants.flat();
  const gateways = await Promise.all(
    Array.from({ length: GATEWAYS }, async (_, number) => {
      const own = stores[number % stores.length] ?? store;
      return new Gateway(own, await openOwner(own), { accounts, seed: number + 1 });
    }),
  );
  await Promise.all(gateways.map((gateway) => gateway.run()));
  await Promise.all(gateways.map((gateway, number) => gateway.end(number % 2 === 0)));
  const expected = accounts.map((_, index) => {
    const charged = gateways.reduce((sum, gateway) => sum + gateway.chargedOf(index), 0);
    return [BigInt(charged), 0n];
  });
  const found = await Promise.all(accounts.map((account) => endOf(store, account)));
  return { expected, found, violations: await store.audit(), live: await store.liveOwners() };
}

async function endOf(store: Store, account: AccountSpec): Promise<readonly bigint[]> {
  const balances = await store.accounts(account.tenantId, T0, 0);
  const balance = balances.find(({ spec }) => spec.id === account.id);
  return [balance?.spent ?? 0n, balance?.reserved ?? 0n];
}

/** Two balances' worth of trouble: money that all want, a quota, and one that slides. */
async function openTenant(store: Store): Promise<readonly AccountSpec[]> {
  const balance = await fundTenant(store, 2000n);
  const { tenantId } = balance;
  await store.createTenant({
    id: tenantId,
    name: '',
    planId: 'free',
    terms: PLAIN_TERMS,
    createdAt: T0,
  });
  return [balance, quotaOf(tenantId, 1500), slidingQuotaOf(tenantId, 1500, 60_000)];
}

interface Slice {
  granted: number;
  charged: number;
}

class Gateway {
  readonly #store: Store;
  readonly #owner: string;
  readonly #accounts: readonly AccountSpec[];
  readonly #slices: readonly Slice[];
  #state: number;
  #seq = 0;
  #settledSeq = 0;
  #settled: readonly number[];

  constructor(
    store: Store,
    owner: string,
    { accounts, seed }: { accounts: readonly AccountSpec[]; seed: number },
  ) {
    this.#store = store;
    this.#owner = owner;
    this.#accounts = accounts;
    this.#slices = accounts.map(() => ({ granted: 0, charged: 0 }));
    this.#settled = accounts.map(() => 0);
    this.#state = seed;
  }

  chargedOf(index: number): number {
    return this.#slices[index]?.charged ?? 0;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a gateway does one thing after the other
      await this.#step();
    }
  }

  /** Closes in order, or dies with charges that only its journal has. */
  async end(closes: boolean): Promise<void> {
    this.#charge();
    const owner = this.#owner;
    if (closes) {
      const leases = this.#totals(this.#touched(), true);
      await this.#store.closeOwner(batchOf(owner, { leases, seq: this.#seq }));
      return;
    }
    const leases = this.#slices.flatMap(({ charged }, index) => {
      const unsettled = charged - (this.#settled[index] ?? 0);
      return unsettled > 0 ? [{ index, charged: unsettled }] : [];
    });
    const records = { afterSeq: this.#settledSeq, seq: this.#seq, leases, overruns: [] };
    await this.#store.reclaim(owner, records, T0);
  }

  async #step(): Promise<void> {
    const account = this.#accounts[this.#pick(this.#accounts.length)];
    const tenantId = account?.tenantId ?? '';
    switch (this.#pick(8)) {
      case 0:
        await this.#store.accounts(tenantId, T0, 0);
        return;
      case 1:
        await addGrant(this.#store, { tenantId, amount: BigInt(1 + this.#pick(50)) });
        return;
      case 2:
        await this.#store.changeTenant(tenantId, { name: freshName('name') });
        return;
      case 3:
      case 4:
        this.#charge();
        return this.#sync();
      default:
        return this.#acquire();
    }
  }

  async #acquire(): Promise<void> {
    const indexes = this.#some();
    const results = await this.#store.acquire(
      this.#owner,
      indexes.flatMap((index) => {
        const account = this.#accounts[index];
        const { granted = 0 } = this.#slices[index] ?? {};
        const wish = { need: 1 + this.#pick(40), want: 60, ask: this.#pick(2) === 0 };
        return account === undefined ? [] : [{ index, account, grantedBefore: granted, ...wish }];
      }),
      T0,
    );
    for (const { index, granted } of results) {
      const slice = this.#slices[index];
      if (slice !== undefined) slice.granted = granted;
    }
  }

  async #sync(): Promise<void> {
    const touched = this.#touched();
    const leases = this.#totals(touched, false);
    const { fenced } = await this.#store.sync(batchOf(this.#owner, { leases, seq: this.#seq }));
    if (fenced) throw new Error(`${this.#owner} was fenced`);
    this.#settledSeq = this.#seq;
    this.#settled = this.#slices.map(({ charged }) => charged);
    for (const { index, granted } of leases) {
      const slice = this.#slices[index];
      if (slice !== undefined) slice.granted = granted;
    }
  }

  #charge(): void {
    for (const slice of this.#slices) {
      slice.charged += this.#pick(slice.granted - slice.charged + 1);
    }
    this.#seq += 1;
  }

  #totals(indexes: readonly number[], close: boolean) {
    return indexes.map((index) => {
      const { charged, granted } = this.#slices[index] ?? { charged: 0, granted: 0 };
      const kept = close ? charged : charged + this.#pick(granted - charged + 1);
      return { index, charged, granted: kept, close, answersRecall: true };
    });
  }

  #touched(): readonly number[] {
    const all = this.#slices.flatMap(({ granted }, index) => (granted > 0 ? [index] : []));
    return this.#shuffle(all);
  }

  #some(): readonly number[] {
    return this.#shuffle([...this.#accounts.keys()]).slice(0, 1 + this.#pick(5));
  }

  #shuffle(list: readonly number[]): readonly number[] {
    return list
      .map((item) => [this.#pick(1000), item] as const)
      .toSorted(([one], [other]) => one - other)
      .map(([, item]) => item);
  }

  /** From 0 to below `bound`; the generator of Park and Miller. */
  #pick(bound: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state % bound;
  }
}
