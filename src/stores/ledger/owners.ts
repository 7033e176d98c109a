import type { ReclaimRecords } from '../store.ts';
import { StoreError } from '../store-error.ts';
import type { OwnerRow, OwnerTable, WriteOffRow } from './tables.ts';

/** An owner not heard of for this long is stranded: it neither answers recalls nor counts as a rival. */
export const OWNER_SILENT_MS = 2000;
/** A heartbeat that says nothing new is written down only this often, so that idle gateways only read. */
const SEEN_WRITTEN_EVERY_MS = 500;
const MACHINE_LENGTH_MAX = 255;

/** Process incarnations. */
export class Owners {
  readonly #table: OwnerTable;

  constructor(table: OwnerTable) {
    this.#table = table;
  }

  find(id: string): OwnerRow | undefined {
    return this.#table.find(id);
  }

  /** Live owners heard of lately. */
  countHeard(now: number): number {
    return this.#table.countHeard(now - OWNER_SILENT_MS);
  }

  /** The owner, if it is live; marks it as heard of. */
  hear(id: string, now: number): OwnerRow {
    const owner = this.#table.find(id);
    if (owner?.state !== 'live') {
      throw new StoreError(
        'fenced',
        `owner ${id} is ${owner?.state ?? 'unknown'}: it may not take leases`,
      );
    }
    if (isSeenStale(owner, now)) this.save({ ...owner, seen_at: now });
    return owner;
  }

  save(owner: OwnerRow): void {
    this.#table.save(owner);
  }
}

export function isSeenStale(owner: OwnerRow, now: number): boolean {
  // Either way: a clock that was set back must not leave a heartbeat of the future behind.
  return Math.abs(now - owner.seen_at) >= SEEN_WRITTEN_EVERY_MS;
}

/** It has cached nothing, so it has seen every change up to `newestChange`. */
export function newOwner(
  { id, machine }: { readonly id: string; readonly machine: string | undefined },
  now: number,
  newestChange: number,
): OwnerRow {
  return {
    id,
    state: 'live',
    last_seq: 0,
    settlements: 0,
    seen_at: now,
    seen_change: newestChange,
    machine: machine?.slice(0, MACHINE_LENGTH_MAX) ?? null,
  };
}

export function usedBefore(id: string): StoreError {
  return new StoreError(
    'already_exists',
    `owner ${id} was used before: give every process start an id of its own`,
  );
}

/** Undefined when its journal says nothing that is not known. */
export function lastSettledOf(
  owner: OwnerRow | undefined,
  writeOff: WriteOffRow | undefined,
): number | undefined {
  const isAwaited = owner?.state === 'live' || writeOff?.read_at === null;
  return isAwaited ? owner?.last_seq : undefined;
}

/** A journal is read from where the store has settled to: another point would charge twice, or not at all. */
export function assertReadFrom(owner: OwnerRow, { afterSeq }: { readonly afterSeq: number }): void {
  if (owner.last_seq === afterSeq) return;
  throw new StoreError(
    'invariant',
    `owner ${owner.id} has settled up to ${owner.last_seq}, its journal was read after ${afterSeq}: ask lastSettled and read again`,
  );
}

/** What a journal charges, a lease each. `rooms`: units that each open lease could still charge. */
export function chargesOf(
  { leases, unended = [] }: ReclaimRecords,
  rooms: ReadonlyMap<number, number>,
): ReclaimRecords['leases'] {
  const charges = new Map(leases.map(({ index, charged }) => [index, charged]));
  for (const { index, charged } of unended) {
    const certain = charges.get(index) ?? 0;
    const fits = Math.min(charged, (rooms.get(index) ?? 0) - certain);
    if (fits > 0) charges.set(index, certain + fits);
  }
  return [...charges].map(([index, charged]) => ({ index, charged }));
}
