import { StoreError } from '../store-error.ts';
import type { Overrun } from '../store.ts';
import type { EntryTable, LedgerTransaction, Leg } from './tables.ts';

/** The double-entry ledger. */
export class Entries {
  readonly #table: EntryTable;

  constructor(table: EntryTable) {
    this.#table = table;
  }

  /** A transaction that was posted before changes nothing. */
  post(transaction: LedgerTransaction): void {
    assertBalanced(transaction);
    this.#table.add(transaction);
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
