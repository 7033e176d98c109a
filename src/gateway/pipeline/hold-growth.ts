import { amountFor, type Take } from '../../domain/take.ts';
import type { ExtendOutcome } from '../../engine/engine.ts';
import { amountsOf, type Held } from './charging.ts';
import type { GatewayContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import type { OverageShare } from './overage-share.ts';

type Context = Pick<GatewayContext, 'engine'>;
const NOTHING: readonly number[] = [];

/** What an answer has come to, and how much further it is good to hold at once. */
export interface Growth {
  readonly take: Take;
  readonly ahead: Take;
}

/** Why a hold could not grow. */
export type NoGrowth = Exclude<ExtendOutcome, 'grown'>;

/** Whether everything that `take` comes to is set aside. Without a hold nobody asks. */
export function isCovered(held: Held, take: Take): boolean {
  return held.hold === undefined || lackingOf(held, take) === NOTHING;
}

/** Grows the hold out of what is here, ahead where there is enough. False = more has to be fetched. */
export function growHold(context: Context, held: Held, { take, ahead }: Growth): boolean {
  const { hold } = held;
  if (hold === undefined) return true;
  const least = lackingOf(held, take, allowancesFirst(held, take));
  if (least === NOTHING) return true;
  const more = lackingOf(held, ahead, allowancesFirst(held, ahead));
  return context.engine.extend(hold, more, least);
}

/**
 * The awaited way, at most a second for each of its steps: other slices are asked for, and what an allowance does
 * not cover any more is billed where the plan says so (PLAN-11): not while nobody can say what it covers.
 */
export async function growHoldSlowly(
  context: Context,
  held: Held,
  { take, ahead }: Growth,
  signal: AbortSignal,
): Promise<ExtendOutcome> {
  const { hold } = held;
  if (hold === undefined) return 'grown';
  for (const covered of coverings(context, held, take)) {
    const lacking = lackingOf(held, take, covered);
    const outcome =
      lacking === NOTHING
        ? 'grown'
        : // oxlint-disable-next-line no-await-in-loop -- the next way is tried when this one fails
          await context.engine.extendSlowly(hold, lacking, signal);
    if (outcome === 'gone') continue;
    if (outcome === 'grown') takeAll(context, held, ahead);
    return outcome;
  }
  return 'gone';
}

/** Notes which account does not reach for `take`, and why, with its numbers: that is what the refusal names. */
export function noteShort(context: Context, exchange: Exchange, take: Take, cause: NoGrowth): void {
  const { needs, hold } = exchange;
  const amounts = amountsOf(exchange, take);
  const lacking = amounts.findIndex((amount, i) => amount > (hold?.amounts[i] ?? 0));
  const index = lacking < 0 ? needs.length - 1 : lacking;
  const need = needs[index];
  exchange.shortNumbers =
    cause === 'gone' && need !== undefined ? context.engine.peek(need.account) : undefined;
  exchange.shortNeed = amounts[index];
  exchange.reservation = {
    kind: 'short',
    index,
    cause,
    held: 0,
    affordableOutputTokens: undefined,
  };
}

/** Sets aside of `take` whatever is here, and no less than that. */
export function takeAll(context: Context, held: Held, take: Take): void {
  const { hold } = held;
  if (hold === undefined) return;
  const more = lackingOf(held, take);
  if (more !== NOTHING)
    context.engine.extend(
      hold,
      more,
      more.map(() => 0),
    );
}

/** What has to be set aside beyond what is, by need; `NOTHING` when all of it is. */
function lackingOf(held: Held, take: Take, covered = held.hold?.amounts): readonly number[] {
  const amounts = amountsOf(held, take, covered);
  let isAny = false;
  for (let i = 0; i < amounts.length; i += 1) {
    const lacking = Math.max(0, (amounts[i] ?? 0) - (held.hold?.amounts[i] ?? 0));
    if (lacking > 0) isAny = true;
    amounts[i] = lacking;
  }
  return isAny ? amounts : NOTHING;
}

/** The ways to cover a call whose allowances may not reach: whole, as far as they do, not any further. */
function* coverings(context: Context, held: Held, take: Take): Generator<readonly number[]> {
  const amounts = held.hold?.amounts ?? NOTHING;
  yield allowancesFirst(held, take);
  if (held.shares.length === 0) return;
  yield withShares(
    held,
    amounts,
    (share) => (amounts[share.within] ?? 0) + freeIn(context, held, share),
  );
  yield amounts;
}

/** Units within each allowance, when it covers all that is not held beyond it already. */
function allowancesFirst(held: Held, take: Take): readonly number[] {
  const amounts = held.hold?.amounts ?? NOTHING;
  if (held.shares.length === 0) return amounts;
  return withShares(held, amounts, ({ within, beyond }) => {
    const units = amountFor(held.needs[within]?.account.unit ?? '', take);
    return Math.max(amounts[within] ?? 0, units - (amounts[beyond] ?? 0));
  });
}

function withShares(
  { shares }: Held,
  amounts: readonly number[],
  coveredBy: (share: OverageShare) => number,
): readonly number[] {
  const covered = [...amounts];
  for (const share of shares) covered[share.within] = coveredBy(share);
  return covered;
}

/** Units that nobody holds, of an allowance that was just found not to reach. */
function freeIn({ engine }: Context, { needs }: Held, { within }: OverageShare): number {
  const account = needs[within]?.account;
  const numbers = account && engine.peek(account);
  if (account === undefined || numbers === undefined) return 0;
  const unheld = numbers.allowance - numbers.spent - numbers.reserved;
  return Math.max(0, unheld) + engine.spare(account);
}
