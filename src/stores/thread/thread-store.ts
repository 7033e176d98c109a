import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, createClock } from '../../platform/clock.ts';
import { TookTooLong, waitAtMost } from '../../platform/wait-at-most.ts';
import type { JobAnswer, JobClaim, JobRun, JobState } from '../job-store.ts';
import type { OwnerLease, OwnerReport, WriteOffOrder, WriteOffResult } from '../owner-store.ts';
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
  Store,
  SyncBatch,
  SyncResult,
  Tenant,
  TenantChange,
  Violation,
} from '../store.ts';
import type { Remembered, RememberedAnswer } from '../remembered.ts';
import { encodeRows } from '../request-rows.ts';
import { StoreError } from '../store-error.ts';
import { ThreadClient } from './thread-client.ts';

export interface ThreadStoreOptions {
  readonly clock?: Clock;
  /** Calls outstanding; more are refused as `overloaded`. */
  readonly callsMax?: number;
}

const CALLS_MAX = 10_000;
const POLL_MS = 10;
/** So much longer than it may wait for other processes a look at accounts takes at most. */
const SILENT_MS = 3000;

/** A store whose database is spoken to in a thread of its own (`entry`), so that no request waits for its work. */
export async function openThreadStore(
  entry: URL,
  data: unknown,
  { callsMax = CALLS_MAX, clock = createClock() }: ThreadStoreOptions,
): Promise<Store> {
  return new ThreadStore(await ThreadClient.open(entry, data, callsMax), clock);
}

class ThreadStore implements Store {
  readonly #thread: ThreadClient;
  readonly #clock: Clock;

  constructor(thread: ThreadClient, clock: Clock) {
    this.#thread = thread;
    this.#clock = clock;
  }

  openOwner(owner: string, now: number, machine?: string): Promise<void> {
    return this.#thread.call('openOwner', owner, now, machine);
  }
  acquire(
    owner: string,
    requests: readonly AcquireRequest[],
    now: number,
  ): Promise<readonly AcquireResult[]> {
    return this.#thread.call('acquire', owner, requests, now);
  }
  sync(batch: SyncBatch): Promise<SyncResult> {
    return this.#thread.call('sync', batch);
  }
  lastSettled(owner: string): Promise<number | undefined> {
    return this.#thread.call('lastSettled', owner);
  }
  reclaim(owner: string, records: ReclaimRecords, now: number): Promise<ReclaimResult> {
    return this.#thread.call('reclaim', owner, records, now);
  }
  liveOwners(): Promise<readonly string[]> {
    return this.#thread.call('liveOwners');
  }
  owners(heardBefore: number): Promise<readonly OwnerReport[]> {
    return this.#thread.call('owners', heardBefore);
  }
  ownerLeases(owner: string): Promise<readonly OwnerLease[]> {
    return this.#thread.call('ownerLeases', owner);
  }
  writeOff(owner: string, order: WriteOffOrder): Promise<WriteOffResult> {
    return this.#thread.call('writeOff', owner, order);
  }
  closeOwner(batch: SyncBatch): Promise<void> {
    return this.#thread.call('closeOwner', batch);
  }
  takeRate(requests: readonly RateRequest[], now: number): Promise<readonly RateResult[]> {
    return this.#thread.call('takeRate', requests, now);
  }

  addGrant(grant: NewGrant, now: number): Promise<Grant> {
    return this.#thread.call('addGrant', grant, now);
  }
  grants(tenantId: string): Promise<readonly Grant[]> {
    return this.#thread.call('grants', tenantId);
  }
  /** Somebody waits for these in front of a page: of a store that is silent they are told in time, and nothing is lost. */
  async accounts(
    tenantId: string,
    now: number,
    waitMs: number,
  ): Promise<readonly AccountBalance[]> {
    const answer = this.#exactAccounts(tenantId, now, waitMs);
    try {
      return await waitAtMost(answer, waitMs + SILENT_MS, 'the look at accounts');
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error;
      throw new StoreError('unavailable', `the store is silent: ${error.message}`);
    }
  }
  audit(): Promise<readonly Violation[]> {
    return this.#thread.call('audit');
  }
  async pruneWindows(before: number): Promise<number> {
    let pruned = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- small batches one by one leave room for other writers
      const batch = await this.#thread.call('prune', before);
      if (batch === 0) return pruned;
      pruned += batch;
    }
  }

  takeJob(claim: JobClaim, now: number): Promise<JobAnswer> {
    return this.#thread.call('takeJob', claim, now);
  }
  renewJob(name: string, fence: number): Promise<boolean> {
    return this.#thread.call('renewJob', name, fence);
  }
  finishJob(name: string, fence: number, run: JobRun): Promise<boolean> {
    return this.#thread.call('finishJob', name, fence, run);
  }
  jobs(): Promise<readonly JobState[]> {
    return this.#thread.call('jobs');
  }

  createTenant(tenant: Tenant): Promise<void> {
    return this.#thread.call('createTenant', tenant);
  }
  changeTenant(id: string, change: TenantChange): Promise<Tenant | undefined> {
    return this.#thread.call('changeTenant', id, change);
  }
  tenant(id: string): Promise<Tenant | undefined> {
    return this.#thread.call('tenant', id);
  }
  tenants(cursor: string, limit: number, parentId?: string): Promise<readonly Tenant[]> {
    return this.#thread.call('tenants', cursor, limit, parentId);
  }
  createKey(key: ApiKey): Promise<void> {
    return this.#thread.call('createKey', key);
  }
  findKey(hash: string): Promise<KeyWithTenant | undefined> {
    return this.#thread.call('findKey', hash);
  }
  key(id: string): Promise<ApiKey | undefined> {
    return this.#thread.call('key', id);
  }
  changeKey(id: string, change: KeyChange): Promise<ApiKey | undefined> {
    return this.#thread.call('changeKey', id, change);
  }
  revokeKey(id: string, now: number): Promise<ApiKey | undefined> {
    return this.#thread.call('revokeKey', id, now);
  }
  keys(tenantId: string | undefined, cursor: string, limit: number): Promise<readonly ApiKey[]> {
    return this.#thread.call('keys', tenantId, cursor, limit);
  }
  async allSeen(waitMs: number): Promise<boolean> {
    const newest = await this.#thread.call('newestChange');
    return this.#waitUntil(waitMs, async () => {
      return (await this.#thread.call('countBehind', newest, this.#clock.now())) === 0;
    });
  }
  secret(name: string, candidate: string): Promise<string> {
    return this.#thread.call('secret', name, candidate);
  }
  remember(key: string, fingerprint: string, answer: string): Promise<Remembered> {
    return this.#thread.call('remember', key, fingerprint, answer);
  }
  recall(key: string): Promise<RememberedAnswer | undefined> {
    return this.#thread.call('recall', key);
  }

  async appendRequests(rows: readonly RequestRow[]): Promise<void> {
    for (const batch of encodeRows(rows)) {
      // oxlint-disable-next-line no-await-in-loop -- calls about money come between two batches
      await this.appendEncodedRequests(batch);
    }
  }

  appendEncodedRequests(batch: Uint8Array): Promise<void> {
    return this.#thread.give('appendRequests', batch);
  }

  request(requestId: string): Promise<RequestRow | undefined> {
    return this.#thread.call('request', requestId);
  }
  searchRequests(search: RequestSearch): Promise<RequestPage> {
    return this.#thread.call('searchRequests', search);
  }
  pruneLog(before: number): Promise<number> {
    return this.#thread.call('pruneLog', before);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #exactAccounts(
    tenantId: string,
    now: number,
    waitMs: number,
  ): Promise<readonly AccountBalance[]> {
    const asked = await this.#thread.call('askForSettlement', tenantId, now);
    if (asked > 0) {
      await this.#waitUntil(waitMs, async (elapsedMs) => {
        return (await this.#thread.call('countUnanswered', tenantId, now + elapsedMs)) === 0;
      });
    }
    return this.#thread.call('accounts', tenantId, now);
  }

  /** Asks every few milliseconds, without holding up the thread in between. False = not within `waitMs`. */
  async #waitUntil(
    waitMs: number,
    isDone: (elapsedMs: number) => Promise<boolean>,
  ): Promise<boolean> {
    const startedMs = this.#clock.monotonicMs();
    for (;;) {
      const elapsedMs = Math.floor(this.#clock.monotonicMs() - startedMs);
      // oxlint-disable-next-line no-await-in-loop -- this is the polling
      if (await isDone(elapsedMs)) return true;
      if (elapsedMs >= waitMs) return false;
      // oxlint-disable-next-line no-await-in-loop -- this is the pause of the polling
      await sleep(Math.min(POLL_MS, waitMs - elapsedMs));
    }
  }
}
