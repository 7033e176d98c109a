import type { EntryTable, LedgerTransaction } from '../ledger/tables.ts';
import type { Database, Statement } from './database.ts';

/** The tables of ledger transactions and their legs. Runs inside its caller's transaction. */
export class SqliteEntries implements EntryTable {
  readonly #insertTransaction: Statement<never>;
  readonly #insertEntry: Statement<never>;

  constructor(database: Database) {
    this.#insertTransaction = database.prepare(
      'INSERT INTO transactions (id, kind, reference, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#insertEntry = database.prepare(
      'INSERT INTO entries (transaction_id, leg, ledger_account, asset, amount, grant_id) VALUES (?, ?, ?, ?, ?, ?)',
    );
  }

  add({ id, kind, reference, at, legs }: LedgerTransaction): void {
    if (this.#insertTransaction.run(id, kind, reference, at) === 0) return;
    for (const [index, { ledgerAccount, asset, amount, grantId }] of legs.entries()) {
      this.#insertEntry.run(id, index, ledgerAccount, asset, amount, grantId ?? null);
    }
  }
}
