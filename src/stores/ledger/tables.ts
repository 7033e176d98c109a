import type { GrantCategory } from '../../domain/grant.ts';
import type { AccountNumbers, Change } from '../store.ts';

/**
 * The rows of the ledger as the rules of this folder see and change them, all within one transaction of the adapter,
 * which sees to it that nobody else changes them meanwhile. Amounts are ledger units, times epoch milliseconds.
 */
export interface LedgerTables {
  readonly accounts: AccountTable;
  readonly leases: LeaseTable;
  readonly grants: GrantTable;
  readonly owners: OwnerTable;
  readonly entries: EntryTable;
  readonly changes: ChangeTable;
  readonly writeOffs: WriteOffTable;
}

export interface AccountRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly kind: 'balance' | 'quota';
  readonly unit: string;
  readonly allowance: number;
  readonly reserved: number;
  readonly spent: number;
  readonly window_ends_at: number | null;
  readonly label: string | null;
  /** Null = it does not slide, and the two after it are null too. */
  readonly sliding_ms: number | null;
  readonly usage: string | null;
  readonly free_at: number | null;
}
export interface AccountTable {
  find(id: string): AccountRow | undefined;
  /** Those of these ids that are there, in any order. */
  findAll(ids: readonly string[]): readonly AccountRow[];
  /** The account of the row's id: made of this row when there is none. */
  findOrAdd(row: AccountRow): AccountRow;
  /** Writes what a plan says: allowance, end of the window, label, period, and when it is free. */
  adopt(row: AccountRow): void;
  /** Adds to the three numbers; the table's checks keep them from passing their bounds. */
  move(id: string, by: Partial<AccountNumbers>): void;
  /** Of an account that slides: adds to what is reserved, and replaces what was spent when. */
  record(
    id: string,
    reservedBy: number,
    usage: { readonly text: string; readonly freeAt: number },
  ): void;
}

export interface LeaseRow {
  readonly owner: string;
  readonly idx: number;
  readonly account_id: string;
  readonly granted: number;
  readonly settled: number;
}
/** A lease with something unsettled in it. */
export interface RivalRow {
  readonly owner: string;
  readonly idx: number;
  readonly unsettled: number;
  readonly recalled: number;
  readonly seen_at: number;
}
export interface LeaseTable {
  find(owner: string, idx: number): LeaseRow | undefined;
  /** Those of these numbers that are there, in any order. */
  findAll(owner: string, indexes: readonly number[]): readonly LeaseRow[];
  /** In order of their numbers. */
  owned(owner: string): readonly LeaseRow[];
  rivals(accountId: string): readonly RivalRow[];
  /** Numbers of the leases whose owner owes an answer, in order. */
  recalled(owner: string): readonly number[];
  /** An empty one. */
  add(lease: Pick<LeaseRow, 'owner' | 'idx' | 'account_id'>): void;
  /** Writes `granted` and `settled`. */
  save(lease: LeaseRow): void;
  setRecalled(owner: string, idx: number, recalled: 0 | 1): void;
  remove(owner: string, idx: number): void;
}

export interface GrantRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly asset: string;
  readonly amount: number;
  readonly category: GrantCategory;
  readonly priority: number;
  readonly effective_at: number;
  readonly expires_at: number | null;
  readonly source: string;
  /** `pending`: not yet effective, in no balance. `done`: nothing remains. */
  readonly state: 'pending' | 'active' | 'done';
  readonly remaining: number;
  readonly consumed: number;
  readonly expired: number;
  readonly created_at: number;
  readonly fingerprint: string;
}
export interface GrantTable {
  findByKey(idempotencyKey: string): GrantRow | undefined;
  /** Those of which something remains, in any order. */
  open(tenantId: string, asset: string): readonly GrantRow[];
  add(grant: GrantRow, idempotencyKey: string): void;
  /** Writes `state`, `remaining`, `consumed` and `expired`. */
  save(grant: GrantRow): void;
}

export interface OwnerRow {
  readonly id: string;
  readonly state: 'live' | 'closed' | 'reclaimed';
  readonly last_seq: number;
  readonly settlements: number;
  readonly seen_at: number;
  readonly seen_change: number;
  /** Where it runs; null = a version that did not say. */
  readonly machine: string | null;
}
export interface OwnerTable {
  find(id: string): OwnerRow | undefined;
  /** Live owners heard of since. */
  countHeard(since: number): number;
  save(owner: OwnerRow): void;
}

/** An owner whose slices went back without proof. Null = nobody has read its journal yet. */
export interface WriteOffRow {
  readonly owner: string;
  readonly at: number;
  readonly read_at: number | null;
}
/** What was not settled of a lease then, and what of that the journal charged when it was read after all. */
export interface WriteOffSlice {
  readonly owner: string;
  readonly idx: number;
  readonly tenant_id: string;
  readonly kind: 'balance' | 'quota';
  readonly unit: string;
  readonly amount: number;
  readonly charged: number;
}
export interface WriteOffTable {
  find(owner: string): WriteOffRow | undefined;
  slices(owner: string): readonly WriteOffSlice[];
  /** Adds both; of those that are there it writes `read_at` and `charged`. */
  save(row: WriteOffRow, slices: readonly WriteOffSlice[]): void;
}

/** One side of a ledger transaction. Ledger accounts: `tenant:<id>`, `house:<what>` (docs/spec/ledger.md). */
export interface Leg {
  readonly ledgerAccount: string;
  readonly asset: string;
  readonly amount: number;
  readonly grantId: string | undefined;
}
export interface LedgerTransaction {
  /** Says what it is of, so that posting it again is noticed. */
  readonly id: string;
  readonly kind: 'funding' | 'usage' | 'expiry' | 'overrun' | 'write_off';
  readonly reference: string;
  readonly at: number;
  readonly legs: readonly Leg[];
}
export interface EntryTable {
  /** Append only. One whose id is there already changes nothing. */
  add(transaction: LedgerTransaction): void;
}

/** The most one `sync` brings. */
export const CHANGES_PER_SYNC_MAX = 1000;

export interface ChangeRow {
  readonly seq: number;
  readonly kind: Change['kind'];
  readonly id: string;
}
/** News for running gateways, numbered in order of commit. */
export interface ChangeTable {
  append(change: Change): void;
  /** The oldest of those after number `seq`, at most CHANGES_PER_SYNC_MAX. */
  after(seq: number): readonly ChangeRow[];
}
