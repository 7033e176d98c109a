import { CODES } from '../contract/codes.ts';
import { formatCount } from './explain-words.ts';
import { isEnded } from './settlement.ts';
import type { StandingFact } from './standing.ts';

/** Subscription and payments in one or two sentences, with the times that count. */
export function describeStanding(
  standing: StandingFact | undefined,
  formatTime: (at: number) => string,
): string {
  if (standing === undefined) return 'The subscription runs and nothing is owed.';
  const { code, stillServed } = standing;
  const known = `The subscription is ${lifecycleOf(standing, formatTime)}; ${paymentsOf(standing, formatTime)}`;
  if (code === undefined) return `${known}${levelOf(standing)}.`;
  const served = stillServed ? ' A reduced service goes on, and this call is part of it.' : '';
  return `${known} (${code}).${served}`;
}

/** As a clause after "Refused:". */
export function describeStandingRefusal(
  standing: StandingFact,
  formatTime: (at: number) => string,
): string {
  const title = standing.code === undefined ? 'not in good standing' : CODES[standing.code].title;
  const { invoices, since } = standing;
  if (invoices.length > 0) {
    return `${formatCount(invoices.length, 'invoice')} (${invoices.join(', ')}) ${invoices.length === 1 ? 'is' : 'are'} past due`;
  }
  const when = since === undefined ? '' : ` since ${formatTime(since)}`;
  return lowerFirst(title) + when;
}

const LIFECYCLES: Readonly<Record<StandingFact['lifecycle'], string>> = {
  trialing: 'a trial',
  trial_expired: 'a trial that is over',
  active: 'active',
  paused: 'paused',
  canceled: 'canceled and runs to the end of what was paid',
  expired: 'over',
};

function lifecycleOf(
  { lifecycle, since }: StandingFact,
  formatTime: (at: number) => string,
): string {
  const ended = lifecycle === 'trial_expired' || lifecycle === 'expired';
  const when = ended && since !== undefined ? ` since ${formatTime(since)}` : '';
  return LIFECYCLES[lifecycle] + when;
}

function paymentsOf(fact: StandingFact, formatTime: (at: number) => string): string {
  const { standing, graceEndsAt, invoices } = fact;
  switch (standing) {
    case 'good':
      return 'nothing is owed';
    case 'grace':
      return graceEndsAt === undefined
        ? 'a failed payment is forgiven for now'
        : `a payment failed and is forgiven until ${formatTime(graceEndsAt)}`;
    case 'disputed':
      return 'a payment is disputed';
    case 'delinquent':
      if (invoices.length === 0) return missingOf(fact);
      return `${formatCount(invoices.length, 'invoice')} past due: ${invoices.join(', ')}`;
  }
}

/** The code says what it is, unless it is about the subscription. */
function missingOf(fact: StandingFact): string {
  const isPayment = fact.code !== undefined && !isEnded(fact);
  return isPayment ? lowerFirst(CODES[fact.code].title) : 'a payment is missing';
}

function levelOf({ level }: StandingFact): string {
  return level === 'degraded' ? ', and the service is reduced meanwhile' : '';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
