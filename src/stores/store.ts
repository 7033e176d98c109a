import type { AccountSpec } from '../domain/accounts.ts';
import type { GrantCategory } from '../domain/grant.ts';
import type { KeyTerms } from '../domain/key-terms.ts';
import type {
  PaymentTerms,
  Purchase,
  SubscriptionTerms,
  TenantTerms,
} from '../domain/tenant-terms.ts';
import type { JobStore } from './job-store.ts';
import type { OwnerStore } from './owner-store.ts';

export type { GrantCategory };

/**
 * The port to everything that must survive a crash. Every adapter runs store.conformance.ts.
 * Times are epoch milliseconds, passed in. Amounts are bigint at this edge except inside a lease,
 * where they are safe integers (DESIGN 5). Nothing here may need what only SQLite can do.
 */
export interface Store
  extends LedgerStore, RateStore, DirectoryStore, RequestLog, OwnerStore, JobStore {
  close(): Promise<void>;
}

// ---- the ledger path -------------------------------------------------------------------------

export interface LedgerStore {
  /** Registers one process incarnation, of this machine, before it takes its first lease. Ids are never reused. */
  openOwner(owner: string, now: number, machine?: string): Promise<void>;
  /** Grows leases. One transaction for the list; each entry succeeds or is short by itself. */
  acquire(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): Promise<readonly AcquireResult[]>;
  /** The heartbeat: settles cumulative totals, hands remainders back, and brings news. Idempotent. */
  sync(batch: SyncBatch): Promise<SyncResult>;
  /**
   * Journal sequence an owner has settled up to: no settlement that was sent before and not answered changes it any
   * more. Undefined when its journal says nothing that is not known: it is closed, reclaimed or unknown. One that was
   * written off is asked for like one that is live.
   */
  lastSettled(owner: string): Promise<number | undefined>;
  /**
   * After the kernel confirmed an owner's death and its journal was read beyond `lastSettled` (DESIGN 5 "only
   * proof returns money"): settles that, returns every remainder, ends the incarnation. A second call does nothing.
   * Of an owner that was written off, what its journal says is the house's: its slices are back already.
   */
  reclaim(owner: string, records: ReclaimRecords, now: number): Promise<ReclaimResult>;
  /** Owners that neither closed nor were reclaimed. */
  liveOwners(): Promise<readonly string[]>;
  /** Hands every lease back and ends the incarnation. `batch` is its last settlement. */
  closeOwner(batch: SyncBatch): Promise<void>;

  /** Same idempotency key and same terms = the first grant, for ever; other terms = `idempotency_conflict`. */
  addGrant(grant: NewGrant, now: number): Promise<Grant>;
  grants(tenantId: string): Promise<readonly Grant[]>;
  /** Exact once every live owner has answered: asks them all to settle and waits up to `waitMs`. */
  accounts(tenantId: string, now: number, waitMs: number): Promise<readonly AccountBalance[]>;
  /** Recomputes every projection from its entries; empty = the books are right (invariants I1 to I3, I9, I10). */
  audit(): Promise<readonly Violation[]>;
  /** Removes accounts of windows that ended before `before`, and those that slide and were free then. Returns how many. */
  pruneWindows(before: number): Promise<number>;
}

export interface AcquireRequest {
  /** Number of the lease within its owner; lease id = owner + index. */
  readonly index: number;
  readonly account: AccountSpec;
  /** What the owner believes the lease has: makes a repeated call harmless (compare and set). */
  readonly grantedBefore: number;
  /** Least additional units that are of use. */
  readonly need: number;
  /** Additional units it would like. */
  readonly want: number;
  /** Where it does not get what it wants, the others are asked to hand back what they do not need. */
  readonly ask: boolean;
  /** `want` is what callers wait for and no guess: no share of it is left to others. */
  readonly takesAll?: boolean;
}

export interface AcquireResult {
  readonly index: number;
  /** Cumulative grant of the lease after the call; equal to `grantedBefore` = short. */
  readonly granted: number;
  /** New holds must begin before this (earliest grant expiry or window end). */
  readonly usableUntil: number | undefined;
  readonly account: AccountNumbers;
  /** Units leased to other owners that were asked before this call, and owe their answer. */
  readonly recalling: number;
  /** Units leased to other owners that owe none: who was asked has kept no more than is under open holds. */
  readonly heldElsewhere: number;
  /** Units leased to owners not heard of for 2 s. */
  readonly stranded: number;
  /** Of an account that slides and is short: epoch ms from which `need` is there, if nothing else is spent. */
  readonly resetsAt?: number | undefined;
}

export interface AccountNumbers {
  readonly allowance: number;
  /** Of an account that slides: what of it is not free again. */
  readonly spent: number;
  /** Units leased and not settled, all owners. */
  readonly reserved: number;
  /** Of an account that slides and was found short: epoch ms from which what was asked for is there. */
  readonly resetsAt?: number | undefined;
}

export interface SyncBatch {
  readonly owner: string;
  readonly now: number;
  /** Journal sequence up to which `leases` count. */
  readonly seq: number;
  readonly leases: readonly LeaseTotals[];
  readonly overruns: readonly Overrun[];
  /** News after this change number. */
  readonly changesAfter: number;
  /** By `machineMs`: later than this it is refused as `unavailable`, for nobody waits any more. Absent = never. */
  readonly waitsUntilMs?: number | undefined;
}
export interface LeaseTotals {
  readonly index: number;
  /** Charged since the lease began: cumulative, not a delta. */
  readonly charged: number;
  /** What the lease keeps: below the current grant = the difference goes back. */
  readonly granted: number;
  /**
   * A growth is under way, so the owner does not know its grant: `granted` is ignored and nothing goes back.
   * The charges must be sent all the same, because `seq` says that they are.
   */
  readonly keepsGrant?: boolean;
  /** Close the lease: granted = charged, no open hold. */
  readonly close: boolean;
  /** Answers a recall of this account. */
  readonly answersRecall: boolean;
}
/** Cost above the hold that could not be reserved: the house pays (DESIGN 5). */
export interface Overrun {
  readonly requestId: string;
  readonly tenantId: string;
  readonly unit: string;
  readonly amount: number;
}
export interface SyncResult {
  /** Someone declared this owner dead: stop serving at once. */
  readonly fenced: boolean;
  /** Lease indexes whose account others are waiting for. */
  readonly recalls: readonly number[];
  readonly changes: readonly Change[];
  readonly lastChange: number;
  /** Fresh numbers of the leases in the batch that stay open. */
  readonly accounts: readonly { readonly index: number; readonly numbers: AccountNumbers }[];
}
/**
 * What a running gateway must forget: cached keys, tenants, answers "gone". `id` is what it is cached by:
 * the hash of a key, the id of a tenant or account.
 */
export interface Change {
  readonly kind: 'key' | 'tenant' | 'account' | 'rates';
  readonly id: string;
}

/** What the journal of a dead owner says beyond its last sync. */
export interface ReclaimRecords {
  /** What `lastSettled` answered when the journal was read: another value now is refused. */
  readonly afterSeq: number;
  /** Last sequence number of the journal. */
  readonly seq: number;
  /** Charged per lease beyond what is settled: a delta, because only the store has the total. */
  readonly leases: readonly { readonly index: number; readonly charged: number }[];
  /**
   * The same of streams that have no end in it and were written down before `afterSeq`. Where a loss of power took the end
   * it may be settled, and its lease closed: each is charged as far as its lease has room, as one that was open has.
   */
  readonly unended?: ReclaimRecords['leases'];
  readonly overruns: readonly Overrun[];
}
/** Units over all leases. */
export interface ReclaimResult {
  readonly settled: number;
  readonly returned: number;
  /** Of an owner that was written off: what it had served, which the house pays. */
  readonly house?: number;
}

export interface NewGrant {
  readonly tenantId: string;
  readonly asset: string;
  readonly amount: bigint;
  readonly category: GrantCategory;
  /** Lower burns first. Default 50. */
  readonly priority: number;
  readonly effectiveAt: number;
  readonly expiresAt: number | undefined;
  /** Where the money came from: `test`, `admin`, `pack:small`. */
  readonly source: string;
  readonly idempotencyKey: string;
}
export interface Grant extends Omit<NewGrant, 'idempotencyKey'> {
  readonly id: string;
  readonly consumed: bigint;
  readonly expired: bigint;
  readonly createdAt: number;
}

export interface AccountBalance {
  readonly spec: AccountSpec;
  readonly allowance: bigint;
  readonly spent: bigint;
  /** Under open holds or in slices of gateways that have not answered. */
  readonly reserved: bigint;
  /** Of an account that slides and has something spent: epoch ms from which nothing is, if nothing else is spent. */
  readonly resetsAt?: number;
}
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

// ---- protective rates ------------------------------------------------------------------------

/**
 * Buckets that all processes share (QUOTA-07). A port of its own, because they may live elsewhere than money does;
 * every adapter runs rate-store.conformance.ts.
 */
export interface RateStore {
  /**
   * Takes up to `want` tokens of each shared GCRA bucket, and none of any when one of them has none: what one limit
   * refuses counts in no other. Of none that is wanted it only tells.
   */
  takeRate(requests: readonly RateRequest[], now: number): Promise<readonly RateResult[]>;
}

export interface RateRequest {
  readonly bucketId: string;
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
  readonly want: number;
}
export interface RateResult {
  readonly granted: number;
  /** Tokens left in the bucket after this call: what a caller sizes its next slice by. */
  readonly remaining: number;
  /** Until one token is there; 0 when some were granted. */
  readonly retryAfterMs: number;
}

// ---- tenants and keys ------------------------------------------------------------------------

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly planId: string;
  readonly terms: TenantTerms;
  readonly createdAt: number;
}
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  /** SHA-256 of the whole key, hex. The key itself is never stored (KEY-01). */
  readonly hash: string;
  readonly environment: 'live' | 'test';
  /** For people: `tk_test_` and the last four characters. */
  readonly hint: string;
  /** Lifetime spend budget in nano, or undefined. */
  readonly budgetNano: number | undefined;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly terms: KeyTerms;
  readonly createdAt: number;
}
export interface KeyWithTenant {
  readonly key: ApiKey;
  readonly tenant: Tenant;
  /** The tenants above, nearest first, at most ANCESTORS_MAX. */
  readonly ancestors: readonly Tenant[];
}

/** Tenants nest org > department > app (DESIGN 6), with room to spare. */
export const ANCESTORS_MAX = 8;
/** Purchases kept of one tenant. The one that ended first is forgotten for a new one; none in force is. */
export const PURCHASES_MAX = 200;

/** Members that are absent stay as they are; a member that is there and undefined is taken away. */
export interface TenantChange {
  readonly name?: string;
  readonly planId?: string;
  readonly terms?: TermsChange;
  /** Adding one whose id is known changes nothing, also after it has been ended. */
  readonly addPurchase?: Purchase;
  /** What was bought is not forgotten: it ends. */
  readonly endPurchase?: { readonly id: string; readonly at: number };
}
export interface TermsChange extends Partial<
  Omit<TenantTerms, 'subscription' | 'payment' | 'purchases'>
> {
  readonly subscription?: Partial<SubscriptionTerms>;
  readonly payment?: Partial<PaymentTerms>;
}

/** As `TenantChange`. */
export interface KeyChange {
  readonly name?: string;
  readonly budgetNano?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly terms?: Partial<KeyTerms>;
  /** Another secret for the same key: what it used stays used, the old one is unknown at once (KEY-01). */
  readonly secret?: { readonly hash: string; readonly hint: string };
}

export interface DirectoryStore {
  /** Fails with `unknown_tenant` or `invalid_change` when its parent cannot be. */
  createTenant(tenant: Tenant): Promise<void>;
  /**
   * All of it or nothing, whatever others change meanwhile; news to every gateway, for the tenant and all below
   * it. Fails with `unknown_tenant` when the new parent does not exist, and with `invalid_change` when it would
   * put a tenant above itself or a tenant under more than ANCESTORS_MAX others.
   */
  changeTenant(id: string, change: TenantChange): Promise<Tenant | undefined>;
  tenant(id: string): Promise<Tenant | undefined>;
  /** In order of id, after `cursor`, at most `limit`; with a parent those directly below it. */
  tenants(cursor: string, limit: number, parentId?: string): Promise<readonly Tenant[]>;
  createKey(key: ApiKey): Promise<void>;
  findKey(hash: string): Promise<KeyWithTenant | undefined>;
  key(id: string): Promise<ApiKey | undefined>;
  /** Undefined = no such key. News under its hash, the old and the new one. */
  changeKey(id: string, change: KeyChange): Promise<ApiKey | undefined>;
  /** Undefined = no such key. Revoking again keeps the first time. */
  revokeKey(id: string, now: number): Promise<ApiKey | undefined>;
  keys(tenantId: string | undefined, cursor: string, limit: number): Promise<readonly ApiKey[]>;
  /** Resolves when every live owner has seen every change made so far, or after `waitMs`. True = all have. */
  allSeen(waitMs: number): Promise<boolean>;
  /** A secret of this installation, made on first use: 32 bytes, hex. */
  secret(name: string, candidate: string): Promise<string>;
  /** Same key and same fingerprint = the first answer, for ever; another fingerprint = `conflict` (BILL-13). */
  remember(
    key: string,
    fingerprint: string,
    answer: string,
  ): Promise<{ readonly kind: 'new' | 'replay' | 'conflict'; readonly answer: string }>;
  recall(
    key: string,
  ): Promise<{ readonly fingerprint: string; readonly answer: string } | undefined>;
}

// ---- request log -----------------------------------------------------------------------------

/** One row a request (OBS-01). `facts` is what `decide` saw and how it ended (`packFacts`). */
export interface RequestRow {
  readonly requestId: string;
  readonly at: number;
  readonly tenantId: string;
  readonly status: number;
  readonly code: string;
  /** The code it would have had under `enforce`; absent when it would have been served too (EVID-01). */
  readonly wouldRefuse?: string | undefined;
  readonly facts: string;
}
/** Which requests. `from` and `to` are epoch ms of their ids: `from` counts, `to` does not. */
export interface RequestSearch {
  readonly tenantId?: string | undefined;
  readonly keyId?: string | undefined;
  /** Any of these, at most CODES_PER_SEARCH_MAX; absent = whatever the code. */
  readonly codes?: readonly string[] | undefined;
  /** Only requests that `enforce` would have refused; `codes` are then those it would have given. */
  readonly observed?: boolean;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** Where the page before ended. */
  readonly cursor?: string | undefined;
}
export const CODES_PER_SEARCH_MAX = 20;
export interface RequestPage {
  /** Newest first. Fewer than `limit`, or none, does not mean the end: a page looks at a bounded number of rows. */
  readonly rows: readonly RequestRow[];
  /** Undefined = the end. */
  readonly cursor: string | undefined;
}
export interface RequestLog {
  /** Appending a row again changes nothing. */
  appendRequests(rows: readonly RequestRow[]): Promise<void>;
  /** The same for a batch of rows that were encoded as they came (`RequestBatch`). The bytes are the store's from here on. */
  appendEncodedRequests(batch: Uint8Array): Promise<void>;
  request(requestId: string): Promise<RequestRow | undefined>;
  searchRequests(search: RequestSearch): Promise<RequestPage>;
  /** Forgets requests that arrived before the day (UTC) of epoch ms `before`. Returns how many days. */
  pruneLog(before: number): Promise<number>;
}
