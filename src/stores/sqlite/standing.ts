import type { AccountBalance } from '../store.ts';
import { type AccountRow, type Accounts, balanceOf } from './accounts.ts';
import type { Changes } from './changes.ts';
import type { Database, Statement } from './database.ts';
import type { Grants } from './grants.ts';
import { OWNER_SILENT_MS, type Owners } from './owners.ts';
import type { Rates } from './rates.ts';

/** Exact numbers across processes: asking owners to settle, seeing whether they have, reading, cleaning up. */
export class Standing {
  readonly #database: Database;
  readonly #accounts: Accounts;
  readonly #grants: Grants;
  readonly #owners: Owners;
  readonly #changes: Changes;
  readonly #rates: Rates;
  readonly #recallTenant: Statement<never>;
  readonly #countUnanswered: Statement<{ readonly leases: number }>;

  constructor(
    database: Database,
    books: { accounts: Accounts; grants: Grants; owners: Owners; changes: Changes; rates: Rates },
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
      for (const account of this.#accounts.list(tenantId, now)) this.#mature(account, now);
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
    return this.#owners.countBehind(change, now);
  }

  /** One bounded batch of accounts that count nothing any more; returns how many went. */
  prune(before: number): number {
    return this.#database.write(() => {
      this.#rates.prune(before);
      return this.#accounts.prune(before);
    });
  }

  #mature(account: AccountRow, now: number): void {
    if (account.kind === 'balance') this.#grants.mature(account, now);
  }
}
