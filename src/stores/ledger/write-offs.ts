import type { HeldTotal, WriteOffOrder, WriteOffResult } from '../owner-store.ts';
import { StoreError } from '../store-error.ts';
import type { ReclaimRecords, ReclaimResult } from '../store.ts';
import type { Accounts } from './accounts.ts';
import type { Entries } from './entries.ts';
import { assertReadFrom, chargesOf, type Owners } from './owners.ts';
import type {
  LeaseRow,
  LeaseTable,
  Leg,
  OwnerRow,
  WriteOffSlice,
  WriteOffTable,
} from './tables.ts';

const NOTHING: ReclaimResult = { settled: 0, returned: 0 };

/**
 * Slices of an owner that may never come back, given back without proof because an administrator says so. What the owner
 * may have served is the house's risk: `house:at_risk` has it until the journal is read, against `house:write_off`, which
 * then keeps what was really lost.
 */
export class WriteOffs {
  readonly #leases: LeaseTable;
  readonly #table: WriteOffTable;
  readonly #accounts: Accounts;
  readonly #entries: Entries;
  readonly #owners: Owners;

  constructor(
    tables: { readonly leases: LeaseTable; readonly writeOffs: WriteOffTable },
    books: { accounts: Accounts; entries: Entries; owners: Owners },
  ) {
    this.#leases = tables.leases;
    this.#table = tables.writeOffs;
    this.#accounts = books.accounts;
    this.#entries = books.entries;
    this.#owners = books.owners;
  }

  /** Sees the whole of the owner: all its leases, and what was written off of it before. */
  writeOff(ownerId: string, { heardBefore, now }: WriteOffOrder): WriteOffResult {
    const owner = this.#owners.find(ownerId);
    if (owner === undefined) return { kind: 'unknown' };
    const earlier = this.#table.find(ownerId);
    if (earlier !== undefined) {
      return { kind: 'written_off', at: earlier.at, held: totalsOf(this.#table.slices(ownerId)) };
    }
    if (owner.state !== 'live') return { kind: 'ended' };
    if (owner.seen_at >= heardBefore) return { kind: 'heard', seenAt: owner.seen_at };
    const slices = this.#leases.owned(ownerId).flatMap((lease) => this.#giveBack(lease));
    this.#table.save({ owner: ownerId, at: now, read_at: null }, slices);
    this.#post(`write-off:${ownerId}`, ownerId, now, [
      ...sumMoney(slices, 'house:at_risk', ({ amount }) => amount),
      ...sumMoney(slices, 'house:write_off', ({ amount }) => -amount),
    ]);
    this.#owners.save({ ...owner, state: 'reclaimed' });
    return { kind: 'written_off', at: now, held: totalsOf(slices) };
  }

  /** The journal of an owner that is not live: of one that was written off, what it had served is lost to the house. */
  readJournal(ownerId: string, records: ReclaimRecords, now: number): ReclaimResult {
    const owner = this.#owners.find(ownerId);
    const row = this.#table.find(ownerId);
    if (owner === undefined || row?.read_at !== null) return NOTHING;
    assertReadFrom(owner, records);
    const slices = chargeSlices(owner, this.#table.slices(ownerId), records);
    this.#table.save({ ...row, read_at: now }, slices);
    this.#entries.postOverruns(records.overruns, now);
    this.#post(`write-off-read:${ownerId}`, ownerId, now, [
      ...sumMoney(slices, 'house:at_risk', ({ amount }) => -amount),
      ...sumMoney(slices, 'house:write_off', ({ amount, charged }) => amount - charged),
      ...sumMoney(slices, 'house:revenue', ({ charged }) => charged),
    ]);
    this.#owners.save({ ...owner, last_seq: records.seq });
    return { ...NOTHING, house: slices.reduce((sum, { charged }) => sum + charged, 0) };
  }

  #giveBack(lease: LeaseRow): readonly WriteOffSlice[] {
    const { owner, idx } = lease;
    const amount = lease.granted - lease.settled;
    this.#leases.remove(owner, idx);
    if (amount === 0) return [];
    this.#accounts.move(lease.account_id, { reserved: -amount });
    const { tenant_id, kind, unit } = this.#accounts.get(lease.account_id);
    return [{ owner, idx, tenant_id, kind, unit, amount, charged: 0 }];
  }

  #post(id: string, reference: string, at: number, legs: readonly Leg[]): void {
    if (legs.length > 0) this.#entries.post({ id, kind: 'write_off', reference, at, legs });
  }
}

/** The slices with what the journal charges; it can charge nothing that was not theirs. */
function chargeSlices(
  owner: OwnerRow,
  slices: readonly WriteOffSlice[],
  records: ReclaimRecords,
): readonly WriteOffSlice[] {
  const leases = chargesOf(records, new Map(slices.map(({ idx, amount }) => [idx, amount])));
  const charges = new Map(leases.map(({ index, charged }) => [index, charged]));
  const charged = slices.map((slice) => ({ ...slice, charged: charges.get(slice.idx) ?? 0 }));
  const known = new Set(slices.map(({ idx }) => idx));
  const isWrong =
    leases.some(({ index }) => !known.has(index)) ||
    charged.some((slice) => slice.charged > slice.amount);
  if (!isWrong) return charged;
  throw new StoreError(
    'invariant',
    `the journal of ${owner.id} charges more than was written off: nothing of it was booked`,
  );
}

/** One leg an asset, of the slices of balances; none where they come to nothing. */
function sumMoney(
  slices: readonly WriteOffSlice[],
  ledgerAccount: string,
  amountOf: (slice: WriteOffSlice) => number,
): readonly Leg[] {
  const sums = new Map<string, number>();
  for (const slice of slices) {
    if (slice.kind !== 'balance') continue;
    sums.set(slice.unit, (sums.get(slice.unit) ?? 0) + amountOf(slice));
  }
  return [...sums].flatMap(([asset, amount]) =>
    amount === 0 ? [] : [{ ledgerAccount, asset, amount, grantId: undefined }],
  );
}

/** In order of kind and unit. */
function totalsOf(slices: readonly WriteOffSlice[]): readonly HeldTotal[] {
  const groups = new Map<string, WriteOffSlice[]>();
  for (const slice of slices) {
    const name = `${slice.kind} ${slice.unit}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [slice]);
    else group.push(slice);
  }
  const ordered = [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return ordered.flatMap(([, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const amount = group.reduce((sum, each) => sum + BigInt(each.amount), 0n);
    const tenants = new Set(group.map((each) => each.tenant_id)).size;
    return [{ kind: first.kind, unit: first.unit, amount, tenants }];
  });
}
