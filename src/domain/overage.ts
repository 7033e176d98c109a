import type { LimitFact } from './facts.ts';
import { divideCeil, PICO_PER_NANO, toSafeNumberAtMost } from './money.ts';

/** What is billed of a call, in nano, if every allowance that may be billed beyond is used up when it comes. */
export function billedAtMost(limits: readonly LimitFact[]): number {
  let nano = 0;
  for (const { overage } of limits) if (overage?.kind === 'bill') nano += overage.nano;
  return nano;
}

/** What units beyond an allowance cost, in nano, rounded up once (PLAN-11). */
export function overageNano(unitPico: bigint, units: number): number {
  return toSafeNumberAtMost(divideCeil(unitPico * BigInt(units), PICO_PER_NANO));
}
