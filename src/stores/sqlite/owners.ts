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
import type { SqliteChanges } from './changes.ts';
import type { Database, Statement } from './database.ts';

/** The owners table. Runs inside its caller's transaction. */
export class SqliteOwners implements OwnerTable {
  readonly #changes: SqliteChanges;
  readonly #select: Statement<OwnerRow>;
  readonly #selectLive: Statement<{ readonly id: string }>;
  readonly #countHeard: Statement<{ readonly owners: number }>;
  readonly #countBehind: Statement<{ readonly owners: number }>;
  readonly #insert: Statement<never>;
  readonly #update: Statement<never>;
  readonly #selectReports: Statement<OwnerReportRow>;
  readonly #selectHeld: Statement<HeldRow>;
  readonly #selectOwnerLeases: Statement<OwnerLeaseRow>;

  constructor(database: Database, changes: SqliteChanges) {
    this.#changes = changes;
    this.#select = database.prepare(
      'SELECT id, state, last_seq, settlements, seen_at, seen_change, machine FROM owners WHERE id = ?',
    );
    this.#selectLive = database.prepare("SELECT id FROM owners WHERE state = 'live' ORDER BY id");
    this.#countHeard = database.prepare(
      "SELECT COUNT(*) AS owners FROM owners WHERE state = 'live' AND seen_at >= ?",
    );
    this.#countBehind = database.prepare(
      "SELECT COUNT(*) AS owners FROM owners WHERE state = 'live' AND seen_at >= ? AND seen_change < ?",
    );
    this.#insert = database.prepare(
      'INSERT INTO owners (id, state, last_seq, settlements, seen_at, seen_change, machine) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#update = database.prepare(
      'UPDATE owners SET state = ?, last_seq = ?, settlements = ?, seen_at = ?, seen_change = ? WHERE id = ?',
    );
    this.#selectReports = database.prepare(ownersSql('?1'));
    this.#selectHeld = database.prepare(heldSql('?1'));
    this.#selectOwnerLeases = database.prepare(ownerLeasesSql('?1'));
  }

  open(ownerId: string, now: number, machine: string | undefined): void {
    const owner = newOwner({ id: ownerId, machine }, now, this.#changes.newest());
    const { id, state, last_seq, settlements, seen_at, seen_change } = owner;
    const values = [id, state, last_seq, settlements, seen_at, seen_change, owner.machine];
    if (this.#insert.run(...values) === 0) throw usedBefore(id);
  }

  find(id: string): OwnerRow | undefined {
    return this.#select.get(id);
  }

  live(): readonly string[] {
    return this.#selectLive.all().map((row) => row.id);
  }

  /** Of one snapshot: within the transaction of its caller. */
  reports(heardBefore: number): readonly OwnerReport[] {
    return toOwnerReports(this.#selectReports.all(heardBefore), this.#selectHeld.all(heardBefore));
  }

  ownerLeases(owner: string): readonly OwnerLease[] {
    return this.#selectOwnerLeases.all(owner).map(toOwnerLease);
  }

  countHeard(since: number): number {
    return this.#countHeard.get(since)?.owners ?? 0;
  }

  /** Live owners heard of since that have not seen change number `seq`. */
  countBehind(seq: number, since: number): number {
    return this.#countBehind.get(since, seq)?.owners ?? 0;
  }

  save({ state, last_seq, settlements, seen_at, seen_change, id }: OwnerRow): void {
    this.#update.run(state, last_seq, settlements, seen_at, seen_change, id);
  }
}
