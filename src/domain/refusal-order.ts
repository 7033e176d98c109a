import type { AccountSpec } from './accounts.ts';
import type { LimitScope } from './catalog.ts';
import { isSlot } from './take.ts';

/** From the narrowest. */
const SCOPE_ORDER: readonly LimitScope[] = [
  'end_user',
  'operation',
  'route',
  'model',
  'key',
  'app',
  'tenant',
  'global',
];

/**
 * Limits in the order they refuse in at epoch ms `at`: commercial before protective, the one that opens again last
 * before the others, a narrow scope before a wide one, and then as they are written. A window opens again when it
 * ends, by the calendar and zone of whose it is. How much of a limit that slides is free and when, only the store
 * knows: it is taken to be spent just now, as in `slidingResetsAt`, and so to be full for a whole period.
 */
export function inRefusalOrder(specs: readonly AccountSpec[], at: number): AccountSpec[] {
  return specs.toSorted((left, right) => {
    const byClass = protectiveRank(left) - protectiveRank(right);
    if (byClass !== 0) return byClass;
    const [one, other] = [opensAgainAt(left, at), opensAgainAt(right, at)];
    // Not by their difference: of two that never open again it is no number.
    if (one !== other) return one < other ? 1 : -1;
    return scopeRank(left) - scopeRank(right);
  });
}

/**
 * Until when accounts that were put in order at `at` are what a call touches, and in order: the end of the first
 * window, or the moment from which what slides may be full for longer than a window lasts. Epoch ms, exclusive.
 */
export function standUntil(specs: readonly AccountSpec[], at: number): number {
  let until = Number.POSITIVE_INFINITY;
  for (const { windowEndsAt } of specs) {
    if (windowEndsAt === undefined) continue;
    until = Math.min(until, windowEndsAt);
    for (const { slidingMs } of specs) {
      const passesAt = windowEndsAt - (slidingMs ?? 0);
      if (slidingMs !== undefined && passesAt > at) until = Math.min(until, passesAt);
    }
  }
  return until;
}

function protectiveRank({ limit }: AccountSpec): number {
  return limit?.class === 'protective' ? 1 : 0;
}

function opensAgainAt({ unit, windowEndsAt, slidingMs }: AccountSpec, at: number): number {
  // A slot is free again soonest of all.
  if (isSlot(unit)) return at;
  // What is spent now comes free after a whole period, never before.
  if (slidingMs !== undefined) return at + slidingMs + 1;
  return windowEndsAt ?? Number.POSITIVE_INFINITY;
}

function scopeRank({ limit }: AccountSpec): number {
  return limit === undefined ? 0 : SCOPE_ORDER.indexOf(limit.scope);
}
