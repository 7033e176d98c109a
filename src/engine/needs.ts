import type { Need } from './engine.ts';
import type { LeaseAccount } from './lease-account.ts';
import type { LeaseBook } from './lease-book.ts';

/** The accounts of these needs, when each can cover its own here and now. `queued`: the one who asks has waited its turn. */
export function findReady(
  book: LeaseBook,
  needs: readonly Need[],
  nowMs: number,
  queued: boolean,
): LeaseAccount[] | undefined {
  const accounts: LeaseAccount[] = [];
  for (let i = 0; i < needs.length; i += 1) {
    const need = needs[i];
    if (need === undefined) return undefined;
    const account = book.find(need.account);
    if (account.lacks(need, nowMs, queued)) return undefined;
    accounts.push(account);
  }
  return accounts;
}

/** Index of the first account that cannot cover its need here and now; -1 = all can. */
export function firstLacking(
  book: LeaseBook,
  needs: readonly Need[],
  nowMs: number,
  queued: boolean,
): number {
  return needs.findIndex((need) => book.find(need.account).lacks(need, nowMs, queued));
}

/** Asks for the first slices of all of them in one message. */
export function prefetch(book: LeaseBook, needs: readonly Need[]): void {
  for (const { account, amount } of needs) {
    if (amount > 0) book.prefetch(book.find(account), amount);
  }
}

/** Usage belongs to the window in which its hold began: a new hold does not begin in one that has ended. */
export function hasEnded(needs: readonly Need[], nowMs: number): boolean {
  return needs.some(({ account }) => nowMs >= (account.windowEndsAt ?? Number.POSITIVE_INFINITY));
}
