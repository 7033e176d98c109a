import { StoreError } from '../store-error.ts';
import type { Overrun } from '../store.ts';
import type { Database, Statement } from './database.ts';

/** One side of a ledger transaction. Ledger accounts: `tenant:<id>`, `house:funding|revenue|breakage|overrun`. */
export interface Leg {
  readonly ledgerAccount: string;
  readonly asset: string;
  readonly amount: number;
  readonly grantId: string | undefined;
}
export interface LedgerTransaction {
  /** Says what it is of, so that posting it again is noticed. */
  readonly id: string;
  readonly kind: 'funding' | 'usage' | 'expiry' | 'overrun';
  readonly reference: string;
  readonly at: number;
  readonly legs: readonly Leg[];
}

/** The double-entry ledger: append only. Runs inside its caller's transaction. */
export class Entries {
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

  /** False = this transaction was posted before, and nothing has changed. */
  post(transaction: LedgerTransaction): boolean {
    assertBalanced(transaction);
    const { id, kind, reference, at } = transaction;
    if (this.#insertTransaction.run(id, kind, reference, at) === 0) return false;
    for (const [index, leg] of transaction.legs.entries()) {
      this.#insertEntry.run(
        id,
        index,
        leg.ledgerAccount,
        leg.asset,
        leg.amount,
        leg.grantId ?? null,
      );
    }
    return true;
  }

  /** The house pays what a request cost above its hold (DESIGN 5). Once per request and unit. */
  postOverruns(overruns: readonly Overrun[], at: number): void {
    const sums = new Map<string, Overrun>();
    for (const overrun of overruns) {
      const id = `overrun:${overrun.requestId}:${overrun.unit}`;
      sums.set(id, { ...overrun, amount: overrun.amount + (sums.get(id)?.amount ?? 0) });
    }
    for (const [id, { requestId, unit, amount }] of sums) {
      this.post({
        id,
        kind: 'overrun',
        reference: requestId,
        at,
        legs: transfer('house:overrun', 'house:revenue', { asset: unit, amount }),
      });
    }
  }
}

/** The two legs that move an amount of one asset. */
export function transfer(
  from: string,
  to: string,
  what: { readonly asset: string; readonly amount: number; readonly grantId?: string },
): readonly Leg[] {
  const { asset, amount, grantId } = what;
  return [
    { ledgerAccount: from, asset, amount: -amount, grantId },
    { ledgerAccount: to, asset, amount, grantId },
  ];
}

function assertBalanced(transaction: LedgerTransaction): void {
  const sums = new Map<string, bigint>();
  for (const { asset, amount } of transaction.legs) {
    if (!Number.isSafeInteger(amount) || amount === 0) {
      throw new StoreError(
        'unsafe_amount',
        `ledger transaction ${transaction.id} has a leg of ${amount}`,
      );
    }
    sums.set(asset, (sums.get(asset) ?? 0n) + BigInt(amount));
  }
  for (const [asset, sum] of sums) {
    if (sum === 0n) continue;
    throw new StoreError(
      'invariant',
      `ledger transaction ${transaction.id} is off by ${sum} ${asset}`,
    );
  }
}
