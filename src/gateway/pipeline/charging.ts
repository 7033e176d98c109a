import type { Fault } from '../../domain/facts.ts';
import { overageNano } from '../../domain/overage.ts';
import { amountFor, isSlot, type Take } from '../../domain/take.ts';
import type { Hold, Need } from '../../engine/engine.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { SecuredAnswer } from './secured-answer.ts';

type Context = Pick<GatewayContext, 'engine'>;
/** What of an exchange says what is set aside for it. */
export type Held = Pick<Exchange, 'needs' | 'shares' | 'hold'>;
const NOTHING: readonly number[] = [];

/** Why an answer ends that the journal, the disk or the store did not take. */
export const UNWRITTEN: Fault = {
  code: 'BILLING_UNAVAILABLE',
  problem: 'the charge could not be written down',
  pointer: undefined,
};

/**
 * What `take` is in each account of the hold. `covered`, by need: units of a split need that are within its
 * allowance; by default those that are held there.
 */
export function amountsOf(held: Held, take: Take, covered = held.hold?.amounts): number[] {
  if (held.shares.length > 0) return sharedAmountsOf(held, take, covered ?? NOTHING);
  const amounts: number[] = [];
  for (const { account } of held.needs) amounts.push(chargeFor(account.unit, take));
  return amounts;
}

/** What `take` costs in all: its own price, and that of the units beyond what an allowance still covered. */
export function costOfTake(
  { needs, shares, hold }: Held,
  take: Take,
  covered = hold?.amounts,
): number {
  let { nano } = take;
  for (const { within, unitPico } of shares) {
    const units = amountFor(needs[within]?.account.unit ?? '', take);
    nano += overageNano(unitPico, Math.max(0, units - (covered?.[within] ?? 0)));
  }
  return Math.min(nano, Number.MAX_SAFE_INTEGER);
}

function sharedAmountsOf(held: Held, take: Take, covered: readonly number[]): number[] {
  const whole = { ...take, nano: costOfTake(held, take, covered) };
  const amounts = held.needs.map(({ account }) => chargeFor(account.unit, whole));
  for (const { within, beyond } of held.shares) {
    const units = amounts[within] ?? 0;
    amounts[within] = Math.min(units, covered[within] ?? 0);
    amounts[beyond] = units - (amounts[within] ?? 0);
  }
  return amounts;
}

/** A slot goes back when the call ends: nothing of it is spent (QUOTA-11). */
function chargeFor(unit: string, take: Take): number {
  return isSlot(unit) ? 0 : amountFor(unit, take);
}

/** Charges a whole answer in the section that will write it. False = the books could not take it: do not serve. */
export function captureWhole(context: Context, exchange: Exchange, take: Take): boolean {
  return settle(context, exchange, take, 'capture');
}

/** Charges the end of a stream. False = the journal failed; what PROGRESS said stands. */
export function finishStream(context: Context, exchange: Exchange, take: Take): boolean {
  return settle(context, exchange, take, 'finish');
}

/**
 * Journals how far a stream has come, ahead of the bytes that take it there. `isExact`: it costs no more than this, and
 * only its slots are held to its end.
 */
export function noteProgress(
  context: Context,
  exchange: Exchange,
  take: Take,
  isExact = false,
): boolean {
  const { hold, secured } = exchange;
  if (hold === undefined) return true;
  const amounts = chargedOf(exchange, hold, take);
  if (secured === undefined) return context.engine.progress(hold, amounts);
  const durability = isExact ? secured.durability : 'journal-fsync';
  const outcome = context.engine.secureProgress(hold, amounts, durability);
  secured.waitFor(outcome, { amounts, costNano: costOfCall(exchange, take, amounts) });
  return true;
}

/** What is charged: all of it, or, where the rest is only observed, no more than is held (EVID-01). */
function chargedOf(exchange: Exchange, hold: Hold, take: Take): number[] {
  const amounts = amountsOf(exchange, take);
  if (!exchange.restIsFree) return amounts;
  return amounts.map((amount, i) => Math.min(amount, hold.amounts[i] ?? 0));
}

function costOfCall(exchange: Exchange, take: Take, amounts: readonly number[]): number {
  if (exchange.wouldRefuse === undefined) return costOfTake(exchange, take);
  const balance = exchange.needs.findIndex(({ account }) => account.kind === 'balance');
  return amounts[balance] ?? 0;
}

function settle(
  context: Context,
  exchange: Exchange,
  take: Take,
  how: 'capture' | 'finish',
): boolean {
  const { hold } = exchange;
  const amounts = hold === undefined ? NOTHING : chargedOf(exchange, hold, take);
  exchange.costNano = costOfCall(exchange, take, amounts);
  if (hold === undefined) return true;
  exchange.hold = undefined;
  exchange.heldAmounts = hold.amounts;
  if (exchange.secured !== undefined) {
    chargeSecurely(context, exchange, exchange.secured, { hold, amounts });
    return true;
  }
  const taken =
    how === 'capture'
      ? context.engine.capture(hold, amounts)
      : context.engine.finish(hold, amounts);
  if (taken === undefined) return false;
  exchange.overrunNano = overrunOf(exchange.needs, amounts, taken);
  return true;
}

function chargeSecurely(
  context: Context,
  exchange: Exchange,
  secured: SecuredAnswer,
  { hold, amounts }: { readonly hold: Hold; readonly amounts: readonly number[] },
): void {
  const { costNano } = exchange;
  const outcome = context.engine.secureCharge(hold, amounts, secured.durability).then((taken) => {
    if (taken === undefined) return false;
    exchange.overrunNano = overrunOf(exchange.needs, amounts, taken);
    return true;
  });
  secured.waitFor(outcome, { amounts, costNano });
}

/** The house's part of the cost, in nano. */
function overrunOf(
  needs: readonly Need[],
  amounts: readonly number[],
  taken: readonly number[],
): number {
  for (let i = 0; i < needs.length; i += 1) {
    if (needs[i]?.account.kind === 'balance') return (amounts[i] ?? 0) - (taken[i] ?? 0);
  }
  return 0;
}
