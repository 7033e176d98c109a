import type { AccountSpec } from '../../domain/accounts.ts';
import type { Facts, LimitFact } from '../../domain/facts.ts';
import { overageNano } from '../../domain/overage.ts';
import { isMoney } from '../../domain/take.ts';
import type { Need } from '../../engine/engine.ts';
import type { AccountNumbers } from '../../stores/store.ts';
import type { Exchange } from './exchange.ts';

/** The last known numbers of an account. */
export type Peek = (need: Need) => AccountNumbers | undefined;

/** What was to be set aside, in the order it was asked for, and which of it was short. */
export function limitFactsOf(
  exchange: Exchange,
  peek: Peek,
): Pick<Facts, 'limits' | 'reservation'> {
  const { needs, shares, reservation } = exchange;
  const limits: LimitFact[] = [];
  for (let index = 0; index < needs.length; index += 1) {
    const need = needs[index];
    if (need !== undefined) limits.push(limitFact(exchange, need, index, peek));
  }
  // What was set aside is told as it is; what was not, as one need that something may be billed of.
  if (shares.length === 0 || reservation?.kind === 'held') return { limits, reservation };
  return joinShares(exchange, limits);
}

function limitFact(exchange: Exchange, need: Need, index: number, peek: Peek): LimitFact {
  const { account } = need;
  const known = numbersOf(exchange, need, index, peek);
  const fact = {
    accountId: account.id,
    kind: account.kind,
    unit: account.unit,
    label: account.limit,
    need: neededOf(exchange, need, index),
    allowance: allowanceOf(account, known),
    spent: known?.spent ?? 0,
    reserved: known?.reserved ?? 0,
    resetsAt: account.windowEndsAt ?? known?.resetsAt,
  };
  if (account.overage === undefined) return fact;
  const kind = exchange.accounts?.mayBill(account, exchange.at) === true ? 'bill' : 'authorize';
  const nano = overageNano(account.overage.unitPico, fact.need);
  return { ...fact, overage: { kind, nano } };
}

/** Since the numbers came the terms may have changed: how much a quota allows is for them to say. */
function allowanceOf({ kind, allowance }: AccountSpec, known: AccountNumbers | undefined): number {
  return kind === 'balance' ? (known?.allowance ?? allowance) : allowance;
}

/** Of the account that refused the numbers it refused by; of any other the last known ones. */
function numbersOf(
  exchange: Exchange,
  need: Need,
  index: number,
  peek: Peek,
): AccountNumbers | undefined {
  return (isShort(exchange, index) ? exchange.shortNumbers : undefined) ?? peek(need);
}

function isShort({ reservation }: Exchange, index: number): boolean {
  return reservation?.kind === 'short' && reservation.index === index;
}

function neededOf(exchange: Exchange, need: Need, index: number): number {
  const { reservation, heldAmounts, shortNeed } = exchange;
  if (shortNeed !== undefined && isShort(exchange, index)) return shortNeed;
  const held = heldAmounts?.[index];
  if (held !== undefined) return held;
  return reservation?.kind === 'held' ? need.amount : leastOf(need);
}

/** What was too much: a call that could have begun with less needed no more than that. */
function leastOf({ amount, least }: Need): number {
  return least ?? amount;
}

/** The parts within and beyond an allowance as one again, and money without the price of what is beyond. */
function joinShares(
  exchange: Exchange,
  parts: readonly LimitFact[],
): Pick<Facts, 'limits' | 'reservation'> {
  const { shares, reservation } = exchange;
  const whole = [...parts];
  let billedNano = 0;
  for (const { within, beyond, unitPico } of shares) {
    const [part, rest] = [parts[within], parts[beyond]];
    if (part === undefined || rest === undefined) continue;
    const nano = overageNano(unitPico, rest.need);
    billedNano += nano;
    whole[within] = { ...part, need: part.need + rest.need, overage: { kind: 'bill', nano } };
  }
  const isBeyond = (index: number): boolean => shares.some(({ beyond }) => beyond === index);
  const limits = whole
    .filter((_, index) => !isBeyond(index))
    .map((limit) =>
      isMoney(limit) ? { ...limit, need: Math.max(0, limit.need - billedNano) } : limit,
    );
  if (reservation?.kind !== 'short') return { limits, reservation };
  const share = shares.find(({ beyond }) => beyond === reservation.index);
  const at = share?.within ?? reservation.index;
  const index = at - parts.slice(0, at).filter((_, before) => isBeyond(before)).length;
  return { limits, reservation: { ...reservation, index } };
}
