import { machineMs } from '../../platform/clock.ts';
import { StoreError } from '../store-error.ts';
import type {
  LeaseTotals,
  ReclaimRecords,
  ReclaimResult,
  SyncBatch,
  SyncResult,
} from '../store.ts';
import { type Accounts, missingAccount, numbersOf } from './accounts.ts';
import type { Entries } from './entries.ts';
import type { Grants } from './grants.ts';
import { assertReadFrom, chargesOf, isSeenStale, type Owners } from './owners.ts';
import type { AccountRow, ChangeTable, LeaseRow, LeaseTable, Leg, OwnerRow } from './tables.ts';
import type { WriteOffs } from './write-offs.ts';

/** Where a lease is to go: what it has spent in all, and what it keeps. */
interface LeaseTarget {
  readonly charged: number;
  readonly granted: number;
  readonly close: boolean;
}
/** What a settlement has read and changed: each account is read once, however many leases are of it. */
interface Settled {
  /** The owner's count of transactions. */
  readonly settlements: number;
  readonly accounts: ReadonlyMap<string, AccountRow>;
  /** Those of the batch that stay open, by their numbers. */
  readonly leases: ReadonlyMap<number, LeaseRow>;
}

/** How leases are settled and handed back: by their owner, or for it when it is proven dead. */
export class Settlement {
  readonly #leases: LeaseTable;
  readonly #changes: ChangeTable;
  readonly #accounts: Accounts;
  readonly #grants: Grants;
  readonly #entries: Entries;
  readonly #owners: Owners;
  readonly #writeOffs: WriteOffs;

  constructor(
    tables: { readonly leases: LeaseTable; readonly changes: ChangeTable },
    books: {
      accounts: Accounts;
      grants: Grants;
      entries: Entries;
      owners: Owners;
      writeOffs: WriteOffs;
    },
  ) {
    this.#leases = tables.leases;
    this.#changes = tables.changes;
    this.#accounts = books.accounts;
    this.#grants = books.grants;
    this.#entries = books.entries;
    this.#owners = books.owners;
    this.#writeOffs = books.writeOffs;
  }

  /** The answer to a heartbeat that says nothing to write down; undefined of others. It changes nothing. */
  answerIdle(batch: SyncBatch): SyncResult | undefined {
    const owner = this.#owners.find(batch.owner);
    if (owner?.state !== 'live') return fenced(batch);
    return isIdle(batch, owner) ? this.#answerBatch(batch, owner, []) : undefined;
  }

  /** Settles for the last time and hands everything back, also what this owner does not know it was given. */
  closeOwner(batch: SyncBatch): void {
    const owner = this.#owners.find(batch.owner);
    if (owner?.state === 'closed') return;
    if (owner?.state !== 'live') {
      throw new StoreError(
        'fenced',
        `owner ${batch.owner} is ${owner?.state ?? 'unknown'}: it cannot close`,
      );
    }
    const { settlements } = this.#settle(owner, batch);
    this.#returnAll(batch.owner);
    this.#owners.save({
      ...owner,
      state: 'closed',
      last_seq: batch.seq,
      settlements,
      seen_at: batch.now,
    });
  }

  reclaim(ownerId: string, records: ReclaimRecords, now: number): ReclaimResult {
    const owner = this.#owners.find(ownerId);
    if (owner?.state !== 'live') return this.#writeOffs.readJournal(ownerId, records, now);
    assertReadFrom(owner, records);
    const room = ({ granted, settled }: LeaseRow): number => granted - settled;
    const open = this.#leases.owned(ownerId).map((row) => [row.idx, room(row)] as const);
    const charges = chargesOf(records, new Map(open));
    const leases = charges.map((charge) => this.#addCharge(ownerId, charge));
    const { settlements } = this.#settle(owner, {
      owner: ownerId,
      now,
      seq: records.seq,
      leases,
      overruns: records.overruns,
    });
    const returned = this.#returnAll(ownerId);
    this.#owners.save({ ...owner, state: 'reclaimed', last_seq: records.seq, settlements });
    return { settled: charges.reduce((sum, { charged }) => sum + charged, 0), returned };
  }

  sync(batch: SyncBatch): SyncResult {
    assertInTime(batch);
    const owner = this.#owners.find(batch.owner);
    if (owner?.state !== 'live') return fenced(batch);
    const isStale = batch.seq < owner.last_seq;
    // A repeat that was overtaken: its totals are older than what is settled. Overruns are told apart by request.
    const settled = this.#settle(owner, isStale ? { ...batch, leases: [] } : batch);
    const heard = {
      ...owner,
      settlements: settled.settlements,
      last_seq: Math.max(batch.seq, owner.last_seq),
      seen_at: batch.now,
      seen_change: Math.max(batch.changesAfter, owner.seen_change),
    };
    this.#owners.save(heard);
    return this.#answerBatch(batch, heard, numbersAfter(settled, batch.now));
  }

  #answerBatch(batch: SyncBatch, owner: OwnerRow, accounts: SyncResult['accounts']): SyncResult {
    const seen = Math.max(batch.changesAfter, owner.seen_change);
    const changes = this.#changes.after(seen);
    return {
      fenced: false,
      recalls: this.#leases.recalled(batch.owner),
      changes: changes.map(({ kind, id }) => ({ kind, id })),
      lastChange: changes.at(-1)?.seq ?? seen,
      accounts,
    };
  }

  /** Applies totals and overruns; one ledger transaction for all of it. */
  #settle(owner: OwnerRow, batch: Omit<SyncBatch, 'changesAfter'>): Settled {
    const legs: Leg[] = [];
    const indexes = batch.leases.map(({ index }) => index);
    const leases = new Map(this.#leases.findAll(batch.owner, indexes).map((row) => [row.idx, row]));
    const accounts = this.#accounts.getAll([...leases.values()].map((row) => row.account_id));
    for (const totals of batch.leases) {
      const row = leases.get(totals.index);
      if (row === undefined) {
        assertClosedBefore(batch.owner, totals);
        continue;
      }
      const account = accounts.get(row.account_id);
      if (account === undefined) throw missingAccount(row.account_id);
      const granted = totals.keepsGrant === true ? row.granted : totals.granted;
      const target = { charged: totals.charged, granted, close: totals.close };
      const moved = this.#moveLease(row, account, target, batch.now);
      accounts.set(account.id, moved.account);
      legs.push(...moved.legs);
      if (totals.close) leases.delete(row.idx);
      else leases.set(row.idx, { ...row, granted, settled: totals.charged });
      if (totals.answersRecall && !totals.close)
        this.#leases.setRecalled(batch.owner, totals.index, 0);
    }
    this.#entries.postOverruns(batch.overruns, batch.now);
    if (legs.length === 0) return { settlements: owner.settlements, accounts, leases };
    const settlements = owner.settlements + 1;
    this.#entries.post({
      id: `usage:${owner.id}:${settlements}`,
      kind: 'usage',
      reference: `${owner.id}:${batch.seq}`,
      at: batch.now,
      legs: [...legs, ...revenueOf(legs)],
    });
    return { settlements, accounts, leases };
  }

  /** The account after it, and what a balance's grants paid. */
  #moveLease(
    row: LeaseRow,
    account: AccountRow,
    to: LeaseTarget,
    now: number,
  ): { readonly account: AccountRow; readonly legs: readonly Leg[] } {
    const spent = to.charged - row.settled;
    const handedBack = row.granted - to.granted;
    assertForward(row, to);
    if (to.close) this.#leases.remove(row.owner, row.idx);
    if (spent === 0 && handedBack === 0) return { account, legs: [] };
    if (!to.close) this.#leases.save({ ...row, granted: to.granted, settled: to.charged });
    const legs = account.kind === 'balance' && spent > 0 ? this.#grants.burn(account, spent) : [];
    return { account: this.#accounts.settle(account, { spent, handedBack }, now), legs };
  }

  #returnAll(owner: string): number {
    let returned = 0;
    for (const { idx, account_id, granted, settled } of this.#leases.owned(owner)) {
      this.#leases.remove(owner, idx);
      if (granted > settled) this.#accounts.move(account_id, { reserved: settled - granted });
      returned += granted - settled;
    }
    return returned;
  }

  /** Makes a total of a journal's delta: only the store knows what was settled before. */
  #addCharge(
    owner: string,
    record: { readonly index: number; readonly charged: number },
  ): LeaseTotals {
    const row = this.#leases.find(owner, record.index);
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

function numbersAfter({ leases, accounts }: Settled, now: number): SyncResult['accounts'] {
  return [...leases.values()].flatMap(({ idx, account_id }) => {
    const account = accounts.get(account_id);
    return account === undefined ? [] : [{ index: idx, numbers: numbersOf(account, now) }];
  });
}

/** Behind other work, or a lock, it may have waited for longer than whoever sent it. */
function assertInTime({ waitsUntilMs }: SyncBatch): void {
  if (waitsUntilMs === undefined || machineMs() <= waitsUntilMs) return;
  throw new StoreError(
    'unavailable',
    'the store came to this settlement too late: nobody waits for it',
  );
}

/** Nothing to settle: the common case of a gateway without traffic. */
export function isQuiet({ leases, overruns }: SyncBatch): boolean {
  return leases.length === 0 && overruns.length === 0;
}

/** Nothing to write. */
function isIdle(batch: SyncBatch, owner: OwnerRow): boolean {
  return (
    isQuiet(batch) &&
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
