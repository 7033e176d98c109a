import type { Need } from '../../engine/engine.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { amountFor, isSlot, type Take } from '../../domain/take.ts';

/** What `take` is in each account of the hold. */
export function amountsOf(needs: readonly Need[], take: Take): number[] {
  const amounts: number[] = [];
  // A slot goes back when the call ends: nothing of it is spent (QUOTA-11).
  for (const { account } of needs)
    amounts.push(isSlot(account.unit) ? 0 : amountFor(account.unit, take));
  return amounts;
}

/** Charges a whole answer in the section that will write it. False = the books could not take it: do not serve. */
export function captureWhole(
  context: Pick<GatewayContext, 'engine'>,
  exchange: Exchange,
  take: Take,
): boolean {
  return settle(context, exchange, take, 'capture');
}

/** Charges the end of a stream. False = the journal failed; what PROGRESS said stands. */
export function finishStream(
  context: Pick<GatewayContext, 'engine'>,
  exchange: Exchange,
  take: Take,
): boolean {
  return settle(context, exchange, take, 'finish');
}

/** Journals how far a stream has come, ahead of the bytes that take it there. */
export function noteProgress(
  context: Pick<GatewayContext, 'engine'>,
  exchange: Exchange,
  take: Take,
): boolean {
  const { hold } = exchange;
  return hold === undefined || context.engine.progress(hold, amountsOf(exchange.needs, take));
}

function settle(
  context: Pick<GatewayContext, 'engine'>,
  exchange: Exchange,
  take: Take,
  how: 'capture' | 'finish',
): boolean {
  // What was only observed took nothing of any account (EVID-01).
  exchange.costNano = exchange.wouldRefuse === undefined ? take.nano : 0;
  const { hold } = exchange;
  if (hold === undefined) return true;
  exchange.hold = undefined;
  const amounts = amountsOf(exchange.needs, take);
  const taken =
    how === 'capture'
      ? context.engine.capture(hold, amounts)
      : context.engine.finish(hold, amounts);
  if (taken === undefined) return false;
  exchange.overrunNano = overrunOf(exchange.needs, amounts, taken);
  return true;
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
