/** Processes that hold slices, and what becomes of the slices of one that never comes back (DESIGN 5). */
export interface OwnerStore {
  /**
   * Live owners last heard of before `heardBefore`, and those written off whose journal nobody has read: longest silent
   * first, at most OWNERS_LISTED_MAX.
   */
  owners(heardBefore: number): Promise<readonly OwnerReport[]>;
  /** By tenant, most first, at most OWNER_LEASES_LISTED_MAX: what of an owner's slices is or was not settled. */
  ownerLeases(owner: string): Promise<readonly OwnerLease[]>;
  /**
   * What an administrator decides without proof: the slices of a silent owner go back to their accounts, the owner is
   * fenced, and what it served and had not settled is the house's. Doing it again changes nothing and answers the same.
   */
  writeOff(owner: string, order: WriteOffOrder): Promise<WriteOffResult>;
}

export interface OwnerReport {
  readonly id: string;
  /** Name of the machine it ran on, as that machine calls itself; undefined = an earlier version, which did not say. */
  readonly machine: string | undefined;
  readonly seenAt: number;
  /** Undefined = it counts as live. */
  readonly writtenOffAt: number | undefined;
  readonly held: readonly HeldTotal[];
}
/** Of slices and not settled, by unit. */
export interface HeldTotal {
  readonly kind: 'balance' | 'quota';
  /** Asset of balances, in nano; or the unit of a quota. */
  readonly unit: string;
  readonly amount: bigint;
  readonly tenants: number;
}
export interface OwnerLease extends Omit<HeldTotal, 'tenants'> {
  readonly tenantId: string;
}

export interface WriteOffOrder {
  /** An owner heard of at this time or later is alive, and refused. */
  readonly heardBefore: number;
  readonly now: number;
}
export type WriteOffResult =
  | { readonly kind: 'written_off'; readonly at: number; readonly held: readonly HeldTotal[] }
  | { readonly kind: 'heard'; readonly seenAt: number }
  /** It has settled, or its journal was read: it holds nothing. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown' };

export const OWNERS_LISTED_MAX = 200;
export const OWNER_LEASES_LISTED_MAX = 200;
