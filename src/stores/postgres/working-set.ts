import type { LedgerTables } from '../ledger/tables.ts';
import { PostgresAccounts } from './accounts.ts';
import { PostgresChanges } from './changes.ts';
import type { Transaction } from './database.ts';
import { PostgresEntries } from './entries.ts';
import { PostgresGrants } from './grants.ts';
import { PostgresLeases } from './leases.ts';
import { PostgresOwners } from './owners.ts';
import { PostgresWriteOffs } from './write-offs.ts';

/**
 * The rows one transaction is about, in memory: read and locked at once, changed by the rules of the ledger, and written
 * back at once. However many accounts a batch touches, it is a handful of statements.
 */
export class WorkingSet implements LedgerTables {
  readonly accounts = new PostgresAccounts();
  readonly owners: PostgresOwners;
  readonly leases: PostgresLeases;
  readonly grants = new PostgresGrants();
  readonly entries = new PostgresEntries();
  readonly changes = new PostgresChanges();
  readonly writeOffs = new PostgresWriteOffs();

  /** `serverAheadMs`: heartbeats are kept in the server's time, and seen here in that of whoever asks. */
  constructor(serverAheadMs: number) {
    this.owners = new PostgresOwners(serverAheadMs);
    this.leases = new PostgresLeases(this.owners, serverAheadMs);
  }

  /** What was changed goes out with the commit. News last: that is where everybody meets. */
  flush(transaction: Transaction): void {
    this.accounts.flush(transaction);
    this.leases.flush(transaction);
    this.grants.flush(transaction);
    this.entries.flush(transaction);
    this.owners.flush(transaction);
    this.writeOffs.flush(transaction);
    this.changes.flush(transaction);
  }
}
