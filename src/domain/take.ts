import type { LimitUnit } from './catalog.ts';

/**
 * What one call takes at most (a hold) or took (a charge), in every unit that a limit may count. Whole
 * numbers; `nano` is its cost in the ledger's asset.
 */
export interface Take {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly computeUnits: number;
  readonly computeMs: number;
  readonly nano: number;
}

export const NO_TAKE: Take = {
  inputTokens: 0,
  outputTokens: 0,
  bytesIn: 0,
  bytesOut: 0,
  computeUnits: 0,
  computeMs: 0,
  nano: 0,
};

/** Of one call to a model, its bytes apart. Made member by member: it is made several times for each. */
export function tokensTake(inputTokens: number, outputTokens: number, nano: number): Take {
  return {
    inputTokens,
    outputTokens,
    bytesIn: 0,
    bytesOut: 0,
    computeUnits: 0,
    computeMs: 0,
    nano,
  };
}

/** The same with the bytes that passed. */
export function withBytes(take: Take, bytesIn: number, bytesOut: number): Take {
  const { inputTokens, outputTokens, computeUnits, computeMs, nano } = take;
  return { inputTokens, outputTokens, bytesIn, bytesOut, computeUnits, computeMs, nano };
}

const one = (): number => 1;
const AMOUNTS: Readonly<Record<Exclude<LimitUnit, 'spend'>, (take: Take) => number>> = {
  requests: one,
  operations: one,
  concurrent_requests: one,
  tokens: ({ inputTokens, outputTokens }) => inputTokens + outputTokens,
  input_tokens: ({ inputTokens }) => inputTokens,
  output_tokens: ({ outputTokens }) => outputTokens,
  bytes: ({ bytesIn, bytesOut }) => bytesIn + bytesOut,
  bytes_in: ({ bytesIn }) => bytesIn,
  bytes_out: ({ bytesOut }) => bytesOut,
  storage_bytes: ({ bytesIn }) => bytesIn,
  compute_units: ({ computeUnits }) => computeUnits,
  compute_ms: ({ computeMs }) => computeMs,
};
const BY_UNIT: ReadonlyMap<string, (take: Take) => number> = new Map(Object.entries(AMOUNTS));

/** How much of `take` an account in this unit counts (QUOTA-01). A unit that is no limit's is an asset: money. */
export function amountFor(unit: LimitUnit | (string & {}), take: Take): number {
  const count = BY_UNIT.get(unit);
  return count === undefined ? take.nano : count(take);
}

/** A slot is given back when the call ends: it is held and never charged (QUOTA-11). */
export function isSlot(unit: string): boolean {
  return unit === 'concurrent_requests';
}

/** Whether what is counted is money: a balance, or a limit of what is spent. */
export function isMoney({ kind, unit }: { readonly kind: string; readonly unit: string }): boolean {
  return kind === 'balance' || unit === 'spend';
}
