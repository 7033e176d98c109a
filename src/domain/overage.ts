import { divideCeil, PICO_PER_NANO, toSafeNumber } from './money.ts';

/** What units beyond an allowance cost, in nano, rounded up once (PLAN-11). */
export function overageNano(unitPico: bigint, units: number): number {
  return toSafeNumber(divideCeil(unitPico * BigInt(units), PICO_PER_NANO));
}
