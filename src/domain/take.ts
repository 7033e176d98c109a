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

/** How much of `take` an account in this unit counts (QUOTA-01). A unit that is no limit's is an asset: money. */
export function amountFor(unit: LimitUnit | (string & {}), take: Take): number {
  switch (unit) {
    case 'requests':
    case 'operations':
    case 'concurrent_requests':
      return 1;
    case 'tokens':
      return take.inputTokens + take.outputTokens;
    case 'input_tokens':
      return take.inputTokens;
    case 'output_tokens':
      return take.outputTokens;
    case 'bytes':
      return take.bytesIn + take.bytesOut;
    case 'bytes_in':
    case 'storage_bytes':
      return take.bytesIn;
    case 'bytes_out':
      return take.bytesOut;
    case 'compute_units':
      return take.computeUnits;
    case 'compute_ms':
      return take.computeMs;
    default:
      return take.nano;
  }
}

/** A slot is given back when the call ends: it is held and never charged (QUOTA-11). */
export function isSlot(unit: string): boolean {
  return unit === 'concurrent_requests';
}
