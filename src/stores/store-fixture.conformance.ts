import { afterAll, beforeAll } from 'vitest';

import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import type { StoreErrorCode } from './store-error.ts';
import type {
  AcquireRequest,
  AcquireResult,
  Grant,
  LeaseTotals,
  NewGrant,
  Overrun,
  Store,
  SyncResult,
} from './store.ts';

/** One empty database, and as many connections to it as processes would have. */
export interface Fixture<Connection extends Closable> {
  connect(): Promise<Connection>;
  dispose(): Promise<void>;
}
interface Closable {
  close(): Promise<void>;
}
export type OpenFixture = () => Promise<Fixture<Store>>;

/** A Tuesday: 2026-11-03T10:00:00Z. */
export const T0 = 1_793_700_000_000;

/** Unique names, so that the tests of one database do not meet. */
let lastName = 0;
export function freshName(kind: string): string {
  lastName += 1;
  return `${kind}-${lastName}`;
}

/** A request id of any time, in any order: the real ones never go back. */
export function requestIdAt(time: number): string {
  lastName += 1;
  return `req_${time.toString(16).padStart(12, '0')}70008${lastName.toString(16).padStart(15, '0')}`;
}

export function quotaOf(tenantId: string, allowance: number, windowEndsAt?: number): AccountSpec {
  return {
    id: `quo:${tenantId}:calls:${windowEndsAt ?? 'lifetime'}`,
    tenantId,
    kind: 'quota',
    unit: 'requests',
    allowance,
    windowEndsAt,
    limit: { id: 'calls', unit: 'requests', window: 'day', scope: 'tenant', keyId: undefined },
  };
}

/** A limit over any stretch of `slidingMs`. */
export function slidingQuotaOf(
  tenantId: string,
  allowance: number,
  slidingMs: number,
): AccountSpec {
  return {
    id: `quo:${tenantId}:pace:sliding`,
    tenantId,
    kind: 'quota',
    unit: 'requests',
    allowance,
    windowEndsAt: undefined,
    slidingMs,
    limit: {
      id: 'pace',
      unit: 'requests',
      window: 'sliding_minute',
      scope: 'tenant',
      keyId: undefined,
    },
  };
}

/** The database of one `describe`, with one connection that is always there. */
export function useStore(open: OpenFixture): {
  readonly store: Store;
  connect(): Promise<Store>;
} {
  return useFixture(open);
}

/** As `useStore`, for a port that is less than the whole store. */
export function useFixture<Connection extends Closable>(
  open: () => Promise<Fixture<Connection>>,
): { readonly store: Connection; connect(): Promise<Connection> } {
  let fixture: Fixture<Connection> | undefined;
  let store: Connection | undefined;
  const connections: Connection[] = [];
  beforeAll(async () => {
    fixture = await open();
    store = await fixture.connect();
    connections.push(store);
  });
  afterAll(async () => {
    await Promise.all(connections.map((each) => each.close()));
    await fixture?.dispose();
  });
  return {
    get store() {
      if (store === undefined) throw new Error('the fixture is not open yet');
      return store;
    },
    async connect() {
      if (fixture === undefined) throw new Error('the fixture is not open yet');
      const other = await fixture.connect();
      connections.push(other);
      return other;
    },
  };
}

export async function openOwner(store: Store, now = T0): Promise<string> {
  const owner = freshName('owner');
  await store.openOwner(owner, now);
  return owner;
}

/** A tenant with this much money, in one paid grant that never expires. */
export async function fundTenant(store: Store, amount: bigint): Promise<AccountSpec> {
  const tenantId = freshName('tenant');
  await addGrant(store, { tenantId, amount });
  return balanceAccount(tenantId, 'USD');
}

export function addGrant(
  store: Store,
  grant: Partial<NewGrant> & { readonly tenantId: string },
  now = T0,
): Promise<Grant> {
  const defaults = {
    asset: 'USD',
    amount: 1000n,
    category: 'paid' as const,
    priority: 50,
    effectiveAt: now,
    expiresAt: undefined,
    source: 'test',
  };
  return store.addGrant({ ...defaults, idempotencyKey: freshName('grant'), ...grant }, now);
}

export async function acquire(
  store: Store,
  owner: string,
  request: Partial<AcquireRequest> & { readonly account: AccountSpec },
  now = T0,
): Promise<AcquireResult> {
  const wants = { need: 1, want: request.need ?? 1, ask: true };
  const full = { index: 1, grantedBefore: 0, ...wants, ...request };
  const [result] = await store.acquire(owner, [full], now);
  if (result === undefined) throw new Error('acquire answered nothing');
  return result;
}

export function sync(
  store: Store,
  owner: string,
  batch: {
    readonly leases?: readonly (Partial<LeaseTotals> & Pick<LeaseTotals, 'charged' | 'granted'>)[];
    readonly overruns?: readonly Overrun[];
    readonly seq?: number;
    readonly now?: number;
    readonly changesAfter?: number;
    readonly waitsUntilMs?: number;
  },
): Promise<SyncResult> {
  return store.sync(batchOf(owner, batch));
}

export function batchOf(owner: string, batch: Parameters<typeof sync>[2]) {
  const { seq = 1, now = T0, overruns = [], changesAfter = 0, waitsUntilMs } = batch;
  const leases = (batch.leases ?? []).map((lease) => ({
    index: 1,
    close: false,
    answersRecall: false,
    ...lease,
  }));
  return { owner, now, seq, leases, overruns, changesAfter, waitsUntilMs };
}

/** Allowance, spent and reserved of one account, without asking any owner. */
export async function numbersOf(
  store: Store,
  account: AccountSpec,
  now = T0,
): Promise<readonly [bigint, bigint, bigint]> {
  const accounts = await store.accounts(account.tenantId, now, 0);
  const found = accounts.find((each) => each.spec.id === account.id);
  if (found === undefined) throw new Error(`account ${account.id} is not listed`);
  return [found.allowance, found.spent, found.reserved];
}

/** For `rejects.toMatchObject`. */
export function failure(code: StoreErrorCode): {
  readonly name: 'StoreError';
  readonly code: StoreErrorCode;
} {
  return { name: 'StoreError', code };
}
