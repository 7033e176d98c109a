import type { Remembered, RememberedAnswer } from '../remembered.ts';
import type {
  AccountBalance,
  AcquireRequest,
  AcquireResult,
  ApiKey,
  Grant,
  KeyChange,
  KeyWithTenant,
  NewGrant,
  RateRequest,
  RateResult,
  ReclaimRecords,
  ReclaimResult,
  RequestPage,
  RequestRow,
  RequestSearch,
  SyncBatch,
  SyncResult,
  Tenant,
  TenantChange,
  Violation,
} from '../store.ts';

type Now<Value> = Value | Promise<Value>;

/**
 * What a store thread can be asked: functions of values that can be copied between threads. They are what the port
 * promises (`Store`), but for those that wait for other processes: these are asked again and again from outside.
 */
export interface Operations {
  openOwner(owner: string, now: number): Now<void>;
  acquire(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): Now<readonly AcquireResult[]>;
  sync(batch: SyncBatch): Now<SyncResult>;
  lastSettled(owner: string): Now<number | undefined>;
  reclaim(owner: string, records: ReclaimRecords, now: number): Now<ReclaimResult>;
  liveOwners(): Now<readonly string[]>;
  closeOwner(batch: SyncBatch): Now<void>;
  takeRate(requests: readonly RateRequest[], now: number): Now<readonly RateResult[]>;
  addGrant(grant: NewGrant, now: number): Now<Grant>;
  grants(tenantId: string): Now<readonly Grant[]>;
  /** Recalls every lease of the tenant. Returns how many owe an answer. */
  askForSettlement(tenantId: string, now: number): Now<number>;
  countUnanswered(tenantId: string, now: number): Now<number>;
  accounts(tenantId: string, now: number): Now<readonly AccountBalance[]>;
  audit(): Now<readonly Violation[]>;
  /** One bounded batch of accounts that count nothing any more; returns how many went. */
  prune(before: number): Now<number>;

  createTenant(tenant: Tenant): Now<void>;
  changeTenant(id: string, change: TenantChange): Now<Tenant | undefined>;
  tenant(id: string): Now<Tenant | undefined>;
  tenants(cursor: string, limit: number, parentId?: string): Now<readonly Tenant[]>;
  createKey(key: ApiKey): Now<void>;
  findKey(hash: string): Now<KeyWithTenant | undefined>;
  key(id: string): Now<ApiKey | undefined>;
  changeKey(id: string, change: KeyChange): Now<ApiKey | undefined>;
  revokeKey(id: string, now: number): Now<ApiKey | undefined>;
  keys(tenantId: string | undefined, cursor: string, limit: number): Now<readonly ApiKey[]>;
  newestChange(): Now<number>;
  /** Live owners heard of lately that have not seen this change. */
  countBehind(change: number, now: number): Now<number>;
  secret(name: string, candidate: string): Now<string>;
  remember(key: string, fingerprint: string, answer: string): Now<Remembered>;
  recall(key: string): Now<RememberedAnswer | undefined>;

  appendRequests(batch: Uint8Array): Now<void>;
  request(requestId: string): Now<RequestRow | undefined>;
  searchRequests(search: RequestSearch): Now<RequestPage>;
  pruneLog(before: number): Now<number>;

  /** Called once, when everything else has been answered. */
  close(): Now<void>;
}
