import { overageAccount } from '../../domain/accounts.ts';
import { overageNano } from '../../domain/overage.ts';
import { amountFor, isMoney, type Take } from '../../domain/take.ts';
import type { Need } from '../../engine/engine.ts';
import { type CallerAccounts, type CallShape, needsOf } from './caller-accounts.ts';

/** A need of which only a part, or nothing, is left of the allowance: each unit more is billed (PLAN-11). */
export interface OverageShare {
  /** Where in the needs: the allowance, and the account that counts what is beyond it. */
  readonly within: number;
  readonly beyond: number;
  /** Price of one unit beyond, in pico. */
  readonly unitPico: bigint;
}

/** What a call sets aside when some of its allowances do not reach. */
export interface SharedNeeds {
  readonly needs: readonly Need[];
  readonly shares: readonly OverageShare[];
  /** What the call costs at most, with the units that are billed. */
  readonly nano: number;
}

/** By account: the units of this call that its allowance still covers. `ALL` = so far, all of them. */
export type Splits = ReadonlyMap<string, number>;
export const ALL = Number.POSITIVE_INFINITY;

/** Splits the needs of a call: what is billed is counted apart, and is money like any other price. */
export function shareNeeds(
  accounts: Pick<CallerAccounts, 'balance'>,
  shape: CallShape,
  asked: { readonly take: Take; readonly least: Take },
  splits: Splits,
): SharedNeeds {
  const nano = asked.take.nano + billedNano(shape, asked.take, splits);
  const leastNano = asked.least.nano + billedNano(shape, asked.least, splits);
  const needs = needsOf(shape, { ...asked.take, nano }, { ...asked.least, nano: leastNano });
  const shares: OverageShare[] = [];
  for (let within = 0, count = needs.length; within < count; within += 1) {
    const need = needs[within];
    const overage = need?.account.overage;
    const covered = need && splits.get(need.account.id);
    if (need === undefined || overage === undefined || covered === undefined) continue;
    shares.push({ within, beyond: needs.length, unitPico: overage.unitPico });
    const { account, amount, least = amount } = need;
    const beyond = Math.max(0, amount - covered);
    if (covered !== ALL) needs[within] = { account, amount: amount - beyond };
    const leastBeyond = Math.max(0, least - covered);
    needs.push({ account: overageAccount(account), amount: beyond, least: leastBeyond });
  }
  if (shares.length > 0) addMoney(needs, accounts, shape, nano);
  return { needs, shares, nano };
}

/** Where the price of what is beyond is counted, though nothing of it is needed yet. */
function addMoney(
  needs: Need[],
  { balance }: Pick<CallerAccounts, 'balance'>,
  { views }: CallShape,
  nano: number,
): void {
  for (const { spec } of views) {
    if (isMoney(spec) && nano === 0) needs.push({ account: spec, amount: 0 });
  }
  // A plan whose price covers the calls does not cover what is beyond it.
  if (needs.some(({ account }) => account.kind === 'balance')) return;
  needs.push({ account: balance, amount: nano });
}

function billedNano({ views }: CallShape, take: Take, splits: Splits): number {
  let nano = 0;
  for (const { spec } of views) {
    const covered = splits.get(spec.id);
    if (covered === undefined || spec.overage === undefined) continue;
    const beyond = Math.max(0, amountFor(spec.unit, take) - covered);
    nano += overageNano(spec.overage.unitPico, beyond);
  }
  return nano;
}
