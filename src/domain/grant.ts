/** Where credit came from: with the plan, as a gift, or bought. */
export type GrantCategory = 'included' | 'promotional' | 'paid';

/** What the burn order looks at. Times are epoch ms. */
export interface BurnCandidate {
  readonly id: string;
  readonly priority: number;
  readonly category: GrantCategory;
  readonly expiresAt: number | undefined;
  readonly createdAt: number;
}

/**
 * The published burn order (DESIGN 5, invariant I6): lower priority number, soonest expiry (never comes last),
 * included and promotional before paid, oldest, id. Negative = `left` burns first.
 */
export function compareBurnOrder(left: BurnCandidate, right: BurnCandidate): number {
  return (
    compare(left.priority, right.priority) ||
    compare(
      left.expiresAt ?? Number.POSITIVE_INFINITY,
      right.expiresAt ?? Number.POSITIVE_INFINITY,
    ) ||
    compare(categoryRank(left.category), categoryRank(right.category)) ||
    compare(left.createdAt, right.createdAt) ||
    compare(left.id, right.id)
  );
}

function categoryRank(category: GrantCategory): number {
  return category === 'paid' ? 1 : 0;
}

/** Code-unit order for texts, so that every machine and database agrees. */
function compare<T extends number | string>(left: T, right: T): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
