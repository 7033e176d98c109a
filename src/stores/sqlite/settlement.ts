import { StoreError } from '../store-error.ts';
import type {
  AccountNumbers,
  LeaseTotals,
  ReclaimRecords,
  ReclaimResult,
  SyncBatch,
  SyncResult,
} from '../store.ts';
import { type Accounts, numbersOf } from './accounts.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';
import type { Entries, Leg } from './entries.ts';
import type { Grants } from './grants.ts';
import type { LeaseRow } from './leases.ts';
import { isSeenStale, type OwnerRow, type Owners } from './owners.ts';

/** Where a lease is to go: what it has spent in all, and what it keeps. */
interface LeaseTarget {
  readonly charged: number;
  readonly granted: number;
  readonly close: boolean;
}
const NOTHING: ReclaimResult = { settled: 0, returned: 0 };

/** How leases are settled and handed back: by their owner, or for it when it is proven dead. */
export class Settlement {
  readonly #database: Database;
  readonly #accounts: Accounts;
  readonly #grants: Grants;
  readonly #entries: Entries;
  readonly #owners: Owners;
  readonly #changes: Changes;
  readonly #select: Statement<LeaseRow>;
  readonly #selectOwned: Statement<LeaseRow>;
  readonly #selectRecalled: Statement<{ readonly idx: number }>;
  readonly #update: Statement<never>;
  readonly #answer: Statement<never>;
  readonly #remove: Statement<never>;

  constructor(
    database: Database,
    books: {
      accounts: Accounts;
      grants: Grants;
      entries: Entries;
      owners: Owners;
      changes: Changes;
    },
  ) {
    this.#database = database;
    this.#accounts = books.accounts;
    this.#grants = books.grants;
    this.#entries = books.entries;
    this.#owners = books.owners;
    this.#changes = books.changes;
    const columns = 'owner, idx, account_id, granted, settled';
    this.#select = database.prepare(`SELECT ${columns} FROM leases WHERE owner = ? AND idx = ?`);
    this.#selectOwned = database.prepare(
      `SELECT ${columns} FROM leases WHERE owner = ? ORDER BY idx`,
    );
    this.#selectRecalled = database.prepare(
      'SELECT idx FROM leases WHERE owner = ? AND recalled = 1 ORDER BY idx',
    );
    this.#update = database.prepare(
      'UPDATE leases SET granted = ?, settled = ? WHERE owner = ? AND idx = ?',
    );
    this.#answer = database.prepare('UPDATE leases SET recalled = 0 WHERE owner = ? AND idx = ?');
    this.#remove = database.prepare('DELETE FROM leases WHERE owner = ? AND idx = ?');
  }

  sync(batch: SyncBatch): SyncResult {
    const idle = this.#database.read(() => {
      const owner = this.#owners.find(batch.owner);
      if (owner?.state !== 'live') return fenced(batch);
      return isIdle(batch, owner) ? this.#answerBatch(batch, owner) : undefined;
    });
    return idle ?? this.#database.write(() => this.#settleBatch(batch));
  }

  /** Settles for the last time and hands everything back, also what this owner does not know it was given. */
  closeOwner(batch: SyncBatch): void {
    this.#database.write(() => {
      const owner = this.#owners.find(batch.owner);
      if (owner?.state === 'closed') return;
      if (owner?.state !== 'live') {
        throw new StoreError(
          'fenced',
          `owner ${batch.owner} is ${owner?.state ?? 'unknown'}: it cannot close`,
        );
      }
      const settlements = this.#settle(owner, batch);
      this.#returnAll(batch.owner, batch.now);
      this.#owners.save({
        ...owner,
        state: 'closed',
        last_seq: batch.seq,
        settlements,
        seen_at: batch.now,
      });
    });
  }

  lastSettled(owner: string): number | undefined {
    const row = this.#owners.find(owner);
    return row?.state === 'live' ? row.last_seq : undefined;
  }

  reclaim(ownerId: string, records: ReclaimRecords, now: number): ReclaimResult {
    return this.#database.write(() => {
      const owner = this.#owners.find(ownerId);
      if (owner?.state !== 'live') return NOTHING;
      if (owner.last_seq !== records.afterSeq) {
        throw new StoreError(
          'invariant',
          `owner ${ownerId} has settled up to ${owner.last_seq}, its journal was read after ${records.afterSeq}: ask lastSettled and read again`,
        );
      }
      const leases = records.leases.map((record) => this.#addCharge(ownerId, record));
      const settlements = this.#settle(owner, {
        owner: ownerId,
        now,
        seq: records.seq,
        leases,
        overruns: records.overruns,
      });
      const returned = this.#returnAll(ownerId, now);
      this.#owners.save({ ...owner, state: 'reclaimed', last_seq: records.seq, settlements });
      return { settled: records.leases.reduce((sum, lease) => sum + lease.charged, 0), returned };
    });
  }

  #settleBatch(batch: SyncBatch): SyncResult {
    const owner = this.#owners.find(batch.owner);
    if (owner?.state !== 'live') return fenced(batch);
    const isStale = batch.seq < owner.last_seq;
    // A repeat that was overtaken: its totals are older than what is settled. Overruns are told apart by request.
    const settlements = this.#settle(owner, isStale ? { ...batch, leases: [] } : batch);
    const heard = {
      ...owner,
      settlements,
      last_seq: Math.max(batch.seq, owner.last_seq),
      seen_at: batch.now,
      seen_change: Math.max(batch.changesAfter, owner.seen_change),
    };
    this.#owners.save(heard);
    return this.#answerBatch(batch, heard);
  }

  #answerBatch(batch: SyncBatch, owner: OwnerRow): SyncResult {
    return {
      fenced: false,
      recalls: this.#selectRecalled.all(batch.owner).map((row) => row.idx),
      ...this.#changes.after(Math.max(batch.changesAfter, owner.seen_change)),
      accounts: batch.leases.flatMap((lease) => this.#freshNumbers(batch, lease.index)),
    };
  }

  #freshNumbers(
    { owner, now }: SyncBatch,
    index: number,
  ): readonly { readonly index: number; readonly numbers: AccountNumbers }[] {
    const lease = this.#select.get(owner, index);
    return lease === undefined
      ? []
      : [{ index, numbers: numbersOf(this.#accounts.get(lease.account_id), now) }];
  }

  /** Applies totals and overruns; one ledger transaction for all of it. Returns the owner's count of those. */
  #settle(owner: OwnerRow, batch: Omit<SyncBatch, 'changesAfter'>): number {
    const legs: Leg[] = [];
    for (const totals of batch.leases) {
      const row = this.#select.get(batch.owner, totals.index);
      if (row === undefined) {
        assertClosedBefore(batch.owner, totals);
        continue;
      }
      const granted = totals.keepsGrant === true ? row.granted : totals.granted;
      legs.push(...this.#moveLease(row, { ...totals, granted }, batch.now));
      if (totals.answersRecall) this.#answer.run(batch.owner, totals.index);
    }
    this.#entries.postOverruns(batch.overruns, batch.now);
    if (legs.length === 0) return owner.settlements;
    const settlements = owner.settlements + 1;
    this.#entries.post({
      id: `usage:${owner.id}:${settlements}`,
      kind: 'usage',
      reference: `${owner.id}:${batch.seq}`,
      at: batch.now,
      legs: [...legs, ...revenueOf(legs)],
    });
    return settlements;
  }

  /** Returns what a balance's grants paid. */
  #moveLease(row: LeaseRow, to: LeaseTarget, now: number): readonly Leg[] {
    const spent = to.charged - row.settled;
    const handedBack = row.granted - to.granted;
    assertForward(row, to);
    if (spent > 0 || handedBack > 0) {
      this.#update.run(to.granted, to.charged, row.owner, row.idx);
    }
    if (to.close) this.#remove.run(row.owner, row.idx);
    if (spent === 0) {
      if (handedBack > 0) this.#accounts.move(row.account_id, { reserved: -handedBack });
      return [];
    }
    const account = this.#accounts.get(row.account_id);
    this.#accounts.settle(account, { spent, handedBack }, now);
    return account.kind === 'balance' ? this.#grants.burn(account, spent) : [];
  }

  #returnAll(owner: string, now: number): number {
    let returned = 0;
    for (const row of this.#selectOwned.all(owner)) {
      this.#moveLease(row, { charged: row.settled, granted: row.settled, close: true }, now);
      returned += row.granted - row.settled;
    }
    return returned;
  }

  /** Makes a total of a journal's delta: only the store knows what was settled before. */
  #addCharge(
    owner: string,
    record: { readonly index: number; readonly charged: number },
  ): LeaseTotals {
    const row = this.#select.get(owner, record.index);
    if (row === undefined) {
      throw new StoreError(
        'invariant',
        `the journal of ${owner} charges lease ${record.index}, which is closed`,
      );
    }
    return {
      index: record.index,
      charged: row.settled + record.charged,
      granted: row.granted,
      close: false,
      answersRecall: false,
    };
  }
}

/** Nothing to write: the common case of a gateway without traffic. */
function isIdle(batch: SyncBatch, owner: OwnerRow): boolean {
  return (
    batch.leases.length === 0 &&
    batch.overruns.length === 0 &&
    batch.seq <= owner.last_seq &&
    batch.changesAfter <= owner.seen_change &&
    !isSeenStale(owner, batch.now)
  );
}

function fenced(batch: SyncBatch): SyncResult {
  return { fenced: true, recalls: [], changes: [], lastChange: batch.changesAfter, accounts: [] };
}

function assertForward(row: LeaseRow, to: LeaseTarget): void {
  const isOrdered =
    row.settled <= to.charged && to.charged <= to.granted && to.granted <= row.granted;
  const isWhole = Number.isSafeInteger(to.charged) && Number.isSafeInteger(to.granted);
  if (isOrdered && isWhole && (!to.close || to.charged === to.granted)) return;
  throw new StoreError(
    'invariant',
    `lease ${row.owner}/${row.idx} cannot go from ${row.settled} of ${row.granted} to ${to.charged} of ${to.granted}${to.close ? ', closed' : ''}: ` +
      'charges only grow, grants only shrink here, and a closed lease keeps nothing',
  );
}

/** A repeated closing finds no lease any more. Anything else about a lease that is not there is a bug. */
function assertClosedBefore(owner: string, totals: LeaseTotals): void {
  if (totals.close && totals.charged === totals.granted) return;
  throw new StoreError('invariant', `lease ${owner}/${totals.index} does not exist`);
}

function revenueOf(legs: readonly Leg[]): readonly Leg[] {
  const sums = new Map<string, number>();
  for (const { asset, amount } of legs) sums.set(asset, (sums.get(asset) ?? 0) - amount);
  return [...sums].map(([asset, amount]) => ({
    ledgerAccount: 'house:revenue',
    asset,
    amount,
    grantId: undefined,
  }));
}
