import { newOwner, usedBefore } from '../ledger/owners.ts';
import {
  type HeldRow,
  heldSql,
  type OwnerLeaseRow,
  ownerLeasesSql,
  type OwnerReportRow,
  ownersSql,
  toOwnerLease,
  toOwnerReports,
} from '../ledger/owner-reports.ts';
import type { OwnerRow, OwnerTable } from '../ledger/tables.ts';
import type { OwnerLease, OwnerReport } from '../owner-store.ts';
import { lockNews } from './changes.ts';
import type { Database, Transaction } from './database.ts';
import { Statement } from './statement.ts';

const COLUMNS = 'id, state, last_seq, settlements, seen_at, seen_change, machine';
const SELECT = new Statement<OwnerRow>(`SELECT ${COLUMNS} FROM owners WHERE id = $1`);
const LOCK = new Statement<OwnerRow>(`SELECT ${COLUMNS} FROM owners WHERE id = $1 FOR UPDATE`);
const LIVE = new Statement<{ readonly id: string }>(
  "SELECT id FROM owners WHERE state = 'live' ORDER BY id",
);
const COUNT_HEARD = new Statement<{ readonly owners: number }>(
  "SELECT COUNT(*) AS owners FROM owners WHERE state = 'live' AND seen_at >= $1::bigint",
);
const COUNT_BEHIND = new Statement<{ readonly owners: number }>(
  `SELECT COUNT(*) AS owners FROM owners
   WHERE state = 'live' AND seen_at >= $1::bigint AND seen_change < $2::bigint`,
);
const ADD = new Statement<{ readonly id: string }>(
  `INSERT INTO owners (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`,
);
const SAVE = new Statement<never>(
  'UPDATE owners SET state = $2, last_seq = $3, settlements = $4, seen_at = $5, seen_change = $6 WHERE id = $1',
);
const REPORTS = new Statement<OwnerReportRow>(ownersSql('$1::bigint'));
const HELD = new Statement<HeldRow>(heldSql('$1::bigint'));
const OWNER_LEASES = new Statement<OwnerLeaseRow>(ownerLeasesSql('$1::text'));

/** The one owner a transaction is about. With its lock nobody else opens, settles or closes its leases. */
export class PostgresOwners implements OwnerTable {
  readonly #serverAheadMs: number;
  #owner: OwnerRow | undefined;
  #isChanged = false;
  #heard = 0;

  constructor(serverAheadMs: number) {
    this.#serverAheadMs = serverAheadMs;
  }

  async read(transaction: Transaction, id: string): Promise<void> {
    this.#keep(await transaction.query(SELECT, id));
  }

  async lock(transaction: Transaction, id: string): Promise<void> {
    this.#keep(await transaction.query(LOCK, id));
  }

  /** Live owners heard of since. */
  async loadHeard(transaction: Transaction, since: number): Promise<void> {
    const [count] = await transaction.query(COUNT_HEARD, since + this.#serverAheadMs);
    this.#heard = count?.owners ?? 0;
  }

  find(id: string): OwnerRow | undefined {
    return this.#owner?.id === id ? this.#owner : undefined;
  }

  countHeard(): number {
    return this.#heard;
  }

  save(owner: OwnerRow): void {
    this.#owner = owner;
    this.#isChanged = true;
  }

  flush(transaction: Transaction): void {
    if (this.#owner !== undefined && this.#isChanged) {
      const { id, state, last_seq, settlements, seen_at, seen_change } = this.#owner;
      const heardAt = seen_at + this.#serverAheadMs;
      transaction.send(SAVE, id, state, last_seq, settlements, heardAt, seen_change);
    }
  }

  #keep([owner]: readonly OwnerRow[]): void {
    this.#owner = owner && { ...owner, seen_at: owner.seen_at - this.#serverAheadMs };
  }
}

/** `now` is the server's. With the lock of the news: what is new is told to this owner, or had happened before it. */
export function openOwner(
  database: Database,
  who: { readonly id: string; readonly machine: string | undefined },
  now: number,
): Promise<void> {
  return database.write(async (transaction) => {
    const owner = newOwner(who, now, await lockNews(transaction));
    const { id, state, last_seq, settlements, seen_at, seen_change, machine } = owner;
    const values = [id, state, last_seq, settlements, seen_at, seen_change, machine];
    const added = await transaction.query(ADD, ...values);
    if (added.length === 0) throw usedBefore(id);
  });
}

/** `heardBefore` and what it returns are in the caller's time. */
export function listOwners(
  database: Database,
  heardBefore: number,
  serverAheadMs: number,
): Promise<readonly OwnerReport[]> {
  return database.read(async (transaction) => {
    const before = heardBefore + serverAheadMs;
    const [owners, held] = await Promise.all([
      transaction.query(REPORTS, before),
      transaction.query(HELD, before),
    ]);
    const reports = toOwnerReports(owners, held);
    return reports.map((report) => ({ ...report, seenAt: report.seenAt - serverAheadMs }));
  });
}

export async function listOwnerLeases(
  database: Database,
  owner: string,
): Promise<readonly OwnerLease[]> {
  return (await database.query(OWNER_LEASES, owner)).map(toOwnerLease);
}

/**
 * With its lock: a settlement that was on its way when its connection broke has ended by then, one way or the other,
 * because it had this lock before it was told to commit.
 */
export async function findOwner(database: Database, id: string): Promise<OwnerRow | undefined> {
  const [owner] = await database.query(LOCK, id);
  return owner;
}

export async function liveOwners(database: Database): Promise<readonly string[]> {
  const owners = await database.query(LIVE);
  return owners.map(({ id }) => id);
}

/** Live owners heard of since that have not seen change number `seq`. */
export async function countBehind(database: Database, seq: number, since: number): Promise<number> {
  const [count] = await database.query(COUNT_BEHIND, since, seq);
  return count?.owners ?? 0;
}
