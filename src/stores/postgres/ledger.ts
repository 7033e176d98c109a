import { balanceAccount } from '../../domain/accounts.ts';
import { newAccount } from '../ledger/accounts.ts';
import { type Books, openBooks } from '../ledger/books.ts';
import { asksOthers } from '../ledger/leases.ts';
import { OWNER_SILENT_MS } from '../ledger/owners.ts';
import { isQuiet } from '../ledger/settlement.ts';
import type {
  AcquireRequest,
  AcquireResult,
  Grant,
  NewGrant,
  ReclaimRecords,
  ReclaimResult,
  SyncBatch,
  SyncResult,
} from '../store.ts';
import type { WriteOffOrder, WriteOffResult } from '../owner-store.ts';
import type { Database, Transaction } from './database.ts';
import type { ServerClock } from './server-clock.ts';
import { Statement } from './statement.ts';
import { WorkingSet } from './working-set.ts';

const IS_HEARD = `owner IN (SELECT id FROM owners WHERE state = 'live' AND seen_at >= $2::bigint)`;
// Only of accounts whose locks are held: whoever settles a lease writes the whole of it.
const RECALL = new Statement<{ readonly idx: number }>(
  `UPDATE leases SET recalled = 1
   WHERE granted > settled AND account_id = ANY($1::text[]) AND ${IS_HEARD} RETURNING idx`,
);
const COUNT_UNANSWERED = new Statement<{ readonly leases: number }>(
  `SELECT COUNT(*) AS leases FROM leases
   WHERE recalled = 1 AND account_id IN (SELECT id FROM accounts WHERE tenant_id = $1) AND ${IS_HEARD}`,
);

/**
 * What moves money. Locks are taken in one order: the owner, its accounts by their ids, the news. With them the rest of
 * what a transaction decides by stands still (docs/decisions).
 */
export class Ledger {
  readonly #database: Database;
  readonly #clock: ServerClock;

  constructor(database: Database, clock: ServerClock) {
    this.#database = database;
    this.#clock = clock;
  }

  async acquire(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): Promise<readonly AcquireResult[]> {
    const idle = asksOthers(requests) ? undefined : await this.#answerIdle(owner, requests, now);
    if (idle !== undefined) return idle;
    return this.#change(
      async (transaction, set) => {
        const fresh = requests.map(({ account }) => newAccount(account));
        await Promise.all([
          set.owners.lock(transaction, owner),
          set.owners.loadHeard(transaction, now - OWNER_SILENT_MS),
          set.accounts.open(transaction, fresh),
          set.leases.loadOfAccounts(transaction, ...placesOf(owner, requests)),
        ]);
        await set.grants.loadOpen(transaction, set.accounts.balanceIds);
      },
      ({ leases }) => leases.acquire(owner, requests, now),
    );
  }

  async sync(batch: SyncBatch): Promise<SyncResult> {
    const idle = isQuiet(batch) ? await this.#answerQuiet(batch) : undefined;
    if (idle !== undefined) return idle;
    const indexes = batch.leases.map(({ index }) => index);
    return this.#change(
      (transaction, set) => lockOwned(transaction, set, batch, indexes),
      ({ settlement }) => settlement.sync(batch),
    );
  }

  closeOwner(batch: SyncBatch): Promise<void> {
    return this.#change(
      (transaction, set) => lockOwned(transaction, set, batch, null),
      ({ settlement }) => settlement.closeOwner(batch),
    );
  }

  reclaim(owner: string, records: ReclaimRecords, now: number): Promise<ReclaimResult> {
    return this.#change(
      (transaction, set) => lockWhole(transaction, set, owner),
      ({ settlement }) => settlement.reclaim(owner, records, now),
    );
  }

  writeOff(owner: string, order: WriteOffOrder): Promise<WriteOffResult> {
    return this.#change(
      (transaction, set) => lockWhole(transaction, set, owner),
      ({ writeOffs }) => writeOffs.writeOff(owner, order),
    );
  }

  addGrant(grant: NewGrant, now: number): Promise<Grant> {
    const account = newAccount(balanceAccount(grant.tenantId, grant.asset));
    return this.#change(
      async (transaction, set) => {
        await Promise.all([
          set.accounts.open(transaction, [account]),
          set.grants.loadByKey(transaction, grant.idempotencyKey),
          set.grants.loadOpen(transaction, [account.id]),
        ]);
      },
      ({ grants }) => grants.add(grant, now),
    );
  }

  /** Brings the tenant's balances up to `now` and recalls its leases. Returns how many owe an answer. */
  async askForSettlement(tenantId: string, now: number): Promise<number> {
    const aheadMs = await this.#clock.aheadMs();
    return this.#database.write(async (transaction) => {
      const set = new WorkingSet(aheadMs);
      await set.accounts.lockTenant(transaction, tenantId, now);
      await set.grants.loadOpen(transaction, set.accounts.balanceIds);
      openBooks(set).grants.matureAll(set.accounts.all, now);
      set.flush(transaction);
      const ids = set.accounts.all.map(({ id }) => id);
      const asked = await transaction.query(RECALL, ids, now + aheadMs - OWNER_SILENT_MS);
      return asked.length;
    });
  }

  /** Loads and locks, applies the rules, writes. The rules see nothing but what was loaded. */
  async #change<Result>(
    load: (transaction: Transaction, set: WorkingSet) => Promise<void>,
    apply: (books: Books) => Result,
  ): Promise<Result> {
    const aheadMs = await this.#clock.aheadMs();
    return this.#database.write(async (transaction) => {
      const set = new WorkingSet(aheadMs);
      await load(transaction, set);
      const result = apply(openBooks(set));
      set.flush(transaction);
      return result;
    });
  }

  async #answerQuiet(batch: SyncBatch): Promise<SyncResult | undefined> {
    const aheadMs = await this.#clock.aheadMs();
    return this.#database.read(async (transaction) => {
      const set = new WorkingSet(aheadMs);
      await Promise.all([
        set.owners.read(transaction, batch.owner),
        set.leases.loadOwned(transaction, batch.owner, []),
        set.changes.load(transaction, batch.changesAfter, batch.owner),
      ]);
      return openBooks(set).settlement.answerIdle(batch);
    });
  }

  async #answerIdle(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): Promise<readonly AcquireResult[] | undefined> {
    const [accountIds, ...rest] = placesOf(owner, requests);
    const aheadMs = await this.#clock.aheadMs();
    return this.#database.read(async (transaction) => {
      const set = new WorkingSet(aheadMs);
      await Promise.all([
        set.owners.read(transaction, owner),
        set.accounts.read(transaction, accountIds),
        set.leases.loadOfAccounts(transaction, accountIds, ...rest),
      ]);
      return openBooks(set).leases.answerIdle(owner, requests, now);
    });
  }
}

/** Leases of the tenant whose owners owe an answer. `now` is the server's. */
export async function countUnanswered(
  database: Database,
  tenantId: string,
  now: number,
): Promise<number> {
  const [count] = await database.query(COUNT_UNANSWERED, tenantId, now - OWNER_SILENT_MS);
  return count?.leases ?? 0;
}

/** `indexes`: null = all leases of the owner. */
async function lockOwned(
  transaction: Transaction,
  set: WorkingSet,
  { owner, changesAfter }: { readonly owner: string; readonly changesAfter: number },
  indexes: readonly number[] | null,
): Promise<void> {
  await Promise.all([
    set.owners.lock(transaction, owner),
    set.accounts.lockLeased(transaction, owner, indexes),
    set.leases.loadOwned(transaction, owner, indexes),
    set.changes.load(transaction, changesAfter, owner),
  ]);
  await set.grants.loadOpen(transaction, set.accounts.balanceIds);
}

/** All there is of an owner: whoever ends it for it needs that. */
async function lockWhole(transaction: Transaction, set: WorkingSet, owner: string): Promise<void> {
  await lockOwned(transaction, set, { owner, changesAfter: 0 }, null);
  await set.writeOffs.load(transaction, owner);
}

function placesOf(owner: string, requests: readonly AcquireRequest[]) {
  const accountIds = requests.map(({ account }) => account.id);
  return [accountIds, { owner, indexes: requests.map(({ index }) => index) }] as const;
}
