import { balanceAccount } from '../../domain/accounts.ts';
import { formatDecimal } from '../../domain/money.ts';
import type { AccountBalance } from '../../stores/store.ts';

/** How long exact numbers may take: every gateway process is asked to settle first (DESIGN 12). */
export const ACCOUNTS_WAIT_MS = 1000;

/** Nano of `asset`. Settled and held are told apart, so that nobody wonders where money went while calls run. */
export interface Balance {
  readonly asset: string;
  readonly settled: bigint;
  readonly held: bigint;
  readonly available: bigint;
}

export function balanceOf(
  accounts: readonly AccountBalance[],
  tenantId: string,
  asset: string,
): Balance {
  const { id } = balanceAccount(tenantId, asset);
  const account = accounts.find(({ spec }) => spec.id === id);
  const settled = account === undefined ? 0n : account.allowance - account.spent;
  const held = account?.reserved ?? 0n;
  return { asset, settled, held, available: settled - held };
}

export function viewBalance({
  asset,
  settled,
  held,
  available,
}: Balance): Record<'asset' | 'settled' | 'held' | 'available', string> {
  return {
    asset,
    settled: formatDecimal(settled, 9),
    held: formatDecimal(held, 9),
    available: formatDecimal(available, 9),
  };
}
