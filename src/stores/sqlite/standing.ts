import type { AccountBalance } from '../store.ts';
import { balanceOf } from '../ledger/accounts.ts';
import type { Grants } from '../ledger/grants.ts';
import { OWNER_SILENT_MS } from '../ledger/owners.ts';
import type { SqliteAccounts } from './accounts.ts';
import type { SqliteChanges } from './changes.ts';
import type { Database, Statement } from './database.ts';
import type { SqliteOwners } from './owners.ts';
import type { Rates } from './rates.ts';

/** Exact numbers across processes: asking owners to settle, seeing whether they have, reading, cleaning up. */
export class Standing {
  readonly #database: Database;
  readonly #accounts: SqliteAccounts;
  readonly #grants: Grants;
  readonly #owners: SqliteOwners;
  readonly #changes: SqliteChanges;
  readonly #rates: Rates;
  readonly #recallTenant: Statement<never>;
  readonly #countUnanswered: Statement<{ readonly leases: number }>;

  constructor(
    database: Database,
    books: {
      accounts: SqliteAccounts;
      grants: Grants;
      owners: SqliteOwners;
      changes: SqliteChanges;
      rates: Rates;
    },
  ) {
    this.#database = database;
    this.#accounts = books.accounts;
    this.#grants = books.grants;
    this.#owners = books.owners;
    this.#changes = books.changes;
    this.#rates = books.rates;
    const heard = "owner IN (SELECT id FROM owners WHERE state = 'live' AND seen_at >= ?)";
    const ofTenant = 'account_id IN (SELECT id FROM accounts WHERE tenant_id = ?)';
    this.#recallTenant = database.prepare(
      `UPDATE leases SET recalled = 1 WHERE granted > settled AND ${ofTenant} AND ${heard}`,
    );
    this.#countUnanswered = database.prepare(
      `SELECT COUNT(*) AS leases FROM leases WHERE recalled = 1 AND ${ofTenant} AND ${heard}`,
    );
  }

  /** Recalls every lease of the tenant. Returns how many owe an answer. */
  askForSettlement(tenantId: string, now: number): number {
    return this.#database.write(() => {
      this.#grants.matureAll(this.#accounts.list(tenantId, now), now);
      return this.#recallTenant.run(tenantId, now - OWNER_SILENT_MS);
    });
  }

  countUnanswered(tenantId: string, now: number): number {
    return this.#countUnanswered.get(tenantId, now - OWNER_SILENT_MS)?.leases ?? 0;
  }

  list(tenantId: string, now: number): readonly AccountBalance[] {
    return this.#accounts.list(tenantId, now).map((row) => balanceOf(row, now));
  }

  newestChange(): number {
    return this.#changes.newest();
  }

  countBehind(change: number, now: number): number {
    return this.#owners.countBehind(change, now - OWNER_SILENT_MS);
  }

  /** One bounded batch of accounts that count nothing any more; returns how many went. */
  prune(before: number): number {
    return this.#database.write(() => {
      this.#rates.prune(before);
      return this.#accounts.prune(before);
    });
  }
}
