import type { Refusal } from './decide.ts';
import { describeMissing } from './explain-entitlements.ts';
import { describeStandingRefusal } from './explain-standing.ts';
import { titleOf } from './explain-trace.ts';
import {
  formatBareUnits,
  formatCount,
  formatNano,
  formatNumber,
  formatUnits,
  ownerOf,
  periodOf,
  unitsFree,
} from './explain-words.ts';
import type { Facts, LimitFact, OutcomeFact } from './facts.ts';
import { isSlot } from './take.ts';

interface Words {
  /** Ledger asset of every amount: `USD`. */
  readonly asset: string;
  /** Epoch ms in words. */
  readonly formatTime: (at: number) => string;
}

/** What became of a request that nothing refused. */
export function describeServed(facts: Facts, { asset }: Words): string {
  const { outcome } = facts;
  if (outcome === undefined) return 'Admitted: the request is still running.';
  if (outcome.wouldRefuse !== undefined) return 'Nothing was charged or counted.';
  const used = describeUsage(outcome);
  const chargedNano = outcome.costNano - outcome.overrunNano;
  if (chargedNano > 0) return `Charged ${formatNano(chargedNano, asset)} for ${used}.`;
  if (outcome.status >= 400) {
    return `Nothing was charged: the upstream answered ${outcome.status}.`;
  }
  return `Served without a charge: ${used}.`;
}

/** What refused it, or would have, as a clause. */
export function describeRefusal(facts: Facts, refusal: Refusal, words: Words): string {
  const { entitlement, limit, step } = refusal;
  if (refusal.code === 'BILLING_UNAVAILABLE') {
    return 'the gateway could not check the money at that moment, which is not your fault';
  }
  if (entitlement !== undefined) return describeMissing(entitlement, facts);
  if (limit !== undefined) return describeShortage(limit, refusal, facts, words.asset);
  if (step === 'stand' && facts.standing !== undefined) {
    return describeStandingRefusal(facts.standing, words.formatTime);
  }
  const fault = {
    route: facts.routing,
    authorize: facts.authorization,
    understand: facts.understanding,
  };
  const problem = step in fault ? fault[step as keyof typeof fault]?.problem : undefined;
  return lowerFirst(problem === undefined ? titleOf(refusal.code) : withoutStop(problem));
}

function describeShortage(limit: LimitFact, refusal: Refusal, facts: Facts, asset: string): string {
  const needed = formatUnits(limit, limit.need, asset);
  const heldUnits = facts.reservation?.kind === 'short' ? facts.reservation.held : 0;
  const held = refusal.transient
    ? `, because calls that still run hold ${formatUnits(limit, heldUnits, asset)}`
    : '';
  const { label } = limit;
  if (label === undefined) {
    const free = formatUnits(limit, unitsFree(limit, heldUnits), asset);
    return `this call could cost up to ${needed} and the available balance is ${free}${held}`;
  }
  const allowance = `${formatUnits(limit, limit.allowance, asset)} ${periodOf(label)}`;
  if (isSlot(limit.unit))
    return `${ownerOf(label)} may run ${allowance} and all of them are running`;
  const used = `${ownerOf(label)} used ${formatBareUnits(limit, limit.spent, asset)} of ${allowance}`;
  const authorize =
    refusal.code === 'OVERAGE_AUTHORIZATION_REQUIRED' ? ', and more has not been authorised' : '';
  return CALLS.has(limit.unit)
    ? `${used}${held}${authorize}`
    : `${used} and this call could take up to ${needed}${held}${authorize}`;
}

/** Units of which every call takes one: that it needs one goes without saying. */
const CALLS: ReadonlySet<string> = new Set(['requests', 'operations']);

function describeUsage({ inputTokens, outputTokens }: OutcomeFact): string {
  if (inputTokens + outputTokens === 0) return 'one request';
  if (outputTokens === 0) return formatCount(inputTokens, 'input token');
  return `${formatNumber(inputTokens)} input and ${formatCount(outputTokens, 'output token')}`;
}

function lowerFirst(text: string): string {
  // Leaves acronyms and codes alone: `HTTP`, `KEY`.
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function withoutStop(text: string): string {
  return text.replace(/[.\s]+$/, '');
}
