import type { EntryTable, LedgerTransaction } from '../ledger/tables.ts';
import type { Transaction } from './database.ts';
import { Statement } from './statement.ts';

// The legs of a transaction that was there before are not written either.
const ADD = new Statement<never>(
  `WITH added AS (
     INSERT INTO transactions (id, kind, reference, at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS posted (id, kind, reference, at)
     ORDER BY id ON CONFLICT DO NOTHING RETURNING id)
   INSERT INTO entries (transaction_id, leg, ledger_account, asset, amount, grant_id)
   SELECT legs.* FROM unnest($5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::text[])
     AS legs (transaction_id, leg, ledger_account, asset, amount, grant_id)
   JOIN added ON added.id = legs.transaction_id`,
);

/** What a transaction of the database adds to the ledger. */
export class PostgresEntries implements EntryTable {
  readonly #posted: LedgerTransaction[] = [];

  add(transaction: LedgerTransaction): void {
    this.#posted.push(transaction);
  }

  flush(transaction: Transaction): void {
    const posted = this.#posted;
    if (posted.length === 0) return;
    const legs = posted.flatMap(({ id, legs: all }) =>
      all.map((leg, index) => ({ id, index, leg })),
    );
    transaction.send(
      ADD,
      posted.map(({ id }) => id),
      posted.map(({ kind }) => kind),
      posted.map(({ reference }) => reference),
      posted.map(({ at }) => at),
      legs.map(({ id }) => id),
      legs.map(({ index }) => index),
      legs.map(({ leg }) => leg.ledgerAccount),
      legs.map(({ leg }) => leg.asset),
      legs.map(({ leg }) => leg.amount),
      legs.map(({ leg }) => leg.grantId ?? null),
    );
  }
}
