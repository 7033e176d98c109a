import type { LeaseRow, LeaseTable, OwnerTable, RivalRow } from '../ledger/tables.ts';
import { StoreError } from '../store-error.ts';
import type { Transaction } from './database.ts';
import { Statement } from './statement.ts';

/** `seen_at`: when its owner was heard of last. */
interface KnownLease extends LeaseRow {
  readonly recalled: number;
  readonly seen_at: number;
}

const SELECT = `SELECT l.owner, l.idx, l.account_id, l.granted, l.settled, l.recalled, o.seen_at
   FROM leases l JOIN owners o ON o.id = l.owner`;
const OF_ACCOUNTS = new Statement<KnownLease>(
  `${SELECT} WHERE (l.account_id = ANY($1::text[]) AND l.granted > l.settled)
     OR (l.owner = $2 AND l.idx = ANY($3::bigint[]))`,
);
const OF_OWNER = new Statement<KnownLease>(
  `${SELECT} WHERE l.owner = $1
     AND ($2::bigint[] IS NULL OR l.idx = ANY($2::bigint[]) OR l.recalled = 1)`,
);
const SAVE = new Statement<never>(
  `INSERT INTO leases (owner, idx, account_id, granted, settled, recalled)
   SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[])
   ON CONFLICT (owner, idx) DO UPDATE SET
     granted = excluded.granted, settled = excluded.settled, recalled = excluded.recalled`,
);
const REMOVE = new Statement<never>(
  'DELETE FROM leases WHERE owner = $1 AND idx = ANY($2::bigint[])',
);

/**
 * Leases that a transaction knows. It writes those whose account it has locked, and opens or removes those of the owner it
 * has locked.
 */
export class PostgresLeases implements LeaseTable {
  readonly #owners: OwnerTable;
  readonly #leases = new Map<string, KnownLease>();
  readonly #changed = new Set<string>();
  readonly #removed: LeaseRow[] = [];
  readonly #serverAheadMs: number;

  constructor(owners: OwnerTable, serverAheadMs: number) {
    this.#owners = owners;
    this.#serverAheadMs = serverAheadMs;
  }

  /** Those of accounts that have something unsettled, and those of the owner, by their numbers. */
  async loadOfAccounts(
    transaction: Transaction,
    accountIds: readonly string[],
    { owner, indexes }: { readonly owner: string; readonly indexes: readonly number[] },
  ): Promise<void> {
    this.#keep(await transaction.query(OF_ACCOUNTS, accountIds, owner, indexes));
  }

  /** Those of the owner by their numbers, and those it owes an answer of; or all it has. */
  async loadOwned(
    transaction: Transaction,
    owner: string,
    indexes: readonly number[] | null,
  ): Promise<void> {
    this.#keep(await transaction.query(OF_OWNER, owner, indexes));
  }

  find(owner: string, idx: number): LeaseRow | undefined {
    return this.#leases.get(nameOf(owner, idx));
  }

  findAll(owner: string, indexes: readonly number[]): readonly LeaseRow[] {
    return indexes.flatMap((idx) => this.find(owner, idx) ?? []);
  }

  owned(owner: string): readonly LeaseRow[] {
    return [...this.#leases.values()]
      .filter((lease) => lease.owner === owner)
      .toSorted((one, other) => one.idx - other.idx);
  }

  rivals(accountId: string): readonly RivalRow[] {
    return [...this.#leases.values()]
      .filter((lease) => lease.account_id === accountId && lease.granted > lease.settled)
      .map(({ owner, idx, granted, settled, recalled, seen_at }) => ({
        owner,
        idx,
        unsettled: granted - settled,
        recalled,
        seen_at: this.#owners.find(owner)?.seen_at ?? seen_at,
      }));
  }

  recalled(owner: string): readonly number[] {
    return [...this.#leases.values()]
      .filter((lease) => lease.owner === owner && lease.recalled === 1)
      .map(({ idx }) => idx)
      .toSorted((one, other) => one - other);
  }

  /** Of the owner that the transaction has locked. */
  add(lease: Pick<LeaseRow, 'owner' | 'idx' | 'account_id'>): void {
    const seen_at = this.#owners.find(lease.owner)?.seen_at ?? 0;
    this.#write({ ...lease, granted: 0, settled: 0, recalled: 0, seen_at });
  }

  save({ owner, idx, granted, settled }: LeaseRow): void {
    this.#write({ ...this.#get(owner, idx), granted, settled });
  }

  setRecalled(owner: string, idx: number, recalled: 0 | 1): void {
    this.#write({ ...this.#get(owner, idx), recalled });
  }

  remove(owner: string, idx: number): void {
    const name = nameOf(owner, idx);
    this.#removed.push(this.#get(owner, idx));
    this.#leases.delete(name);
    this.#changed.delete(name);
  }

  flush(transaction: Transaction): void {
    const changed = [...this.#leases].flatMap(([name, lease]) =>
      this.#changed.has(name) ? [lease] : [],
    );
    if (changed.length > 0) transaction.send(SAVE, ...columnsOf(changed));
    const [first] = this.#removed;
    if (first === undefined) return;
    transaction.send(
      REMOVE,
      first.owner,
      this.#removed.map(({ idx }) => idx),
    );
  }

  #keep(leases: readonly KnownLease[]): void {
    for (const lease of leases) {
      const seen_at = lease.seen_at - this.#serverAheadMs;
      this.#leases.set(nameOf(lease.owner, lease.idx), { ...lease, seen_at });
    }
  }

  #get(owner: string, idx: number): KnownLease {
    const lease = this.#leases.get(nameOf(owner, idx));
    if (lease !== undefined) return lease;
    throw new StoreError('invariant', `lease ${owner}/${idx} is not known to this transaction`);
  }

  #write(lease: KnownLease): void {
    const name = nameOf(lease.owner, lease.idx);
    this.#leases.set(name, lease);
    this.#changed.add(name);
  }
}

function nameOf(owner: string, idx: number): string {
  return `${idx}/${owner}`;
}

function columnsOf(leases: readonly KnownLease[]) {
  return [
    leases.map(({ owner }) => owner),
    leases.map(({ idx }) => idx),
    leases.map(({ account_id }) => account_id),
    leases.map(({ granted }) => granted),
    leases.map(({ settled }) => settled),
    leases.map(({ recalled }) => recalled),
  ];
}
