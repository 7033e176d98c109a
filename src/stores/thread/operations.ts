import type { AccountBalance, Store } from '../store.ts';

type Now<Value> = Value | Promise<Value>;

/** A method of the port as a thread answers it: at once, or when it knows. */
type Asked<Name extends keyof Store> = (
  ...values: Parameters<Store[Name]>
) => Now<Awaited<ReturnType<Store[Name]>>>;

/** What is passed on as it is. */
type PassedOn = {
  readonly [
    Name in
      | 'openOwner'
      | 'acquire'
      | 'sync'
      | 'lastSettled'
      | 'reclaim'
      | 'liveOwners'
      | 'owners'
      | 'ownerLeases'
      | 'writeOff'
      | 'takeJob'
      | 'renewJob'
      | 'finishJob'
      | 'jobs'
      | 'closeOwner'
      | 'takeRate'
      | 'addGrant'
      | 'grants'
      | 'audit'
      | 'createTenant'
      | 'changeTenant'
      | 'tenant'
      | 'tenants'
      | 'createKey'
      | 'findKey'
      | 'key'
      | 'changeKey'
      | 'revokeKey'
      | 'keys'
      | 'secret'
      | 'remember'
      | 'recall'
      | 'request'
      | 'searchRequests'
      | 'pruneLog'
  ]: Asked<Name>;
};

/**
 * What a store thread can be asked: functions of values that can be copied between threads. They are what the port
 * promises (`Store`), but for those that wait for other processes: these are asked again and again from outside.
 */
export interface Operations extends PassedOn {
  /** Recalls every lease of the tenant. Returns how many owe an answer. */
  askForSettlement(tenantId: string, now: number): Now<number>;
  countUnanswered(tenantId: string, now: number): Now<number>;
  accounts(tenantId: string, now: number): Now<readonly AccountBalance[]>;
  /** One bounded batch of accounts that count nothing any more; returns how many went. */
  prune(before: number): Now<number>;
  newestChange(): Now<number>;
  /** Live owners heard of lately that have not seen this change. */
  countBehind(change: number, now: number): Now<number>;
  /** A batch of encoded rows. */
  appendRequests(batch: Uint8Array): Now<void>;
  /** Called once, when everything else has been answered. */
  close(): Now<void>;
}
