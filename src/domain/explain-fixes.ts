import type { Action, CodeRow } from '../contract/code-row.ts';
import { isRetryable } from '../contract/code-row.ts';
import type { Catalog } from './catalog.ts';
import type { Refusal } from './decide.ts';
import { formatNumber } from './explain-words.ts';
import type { Facts } from './facts.ts';
import { formatMoney } from './money.ts';
import { findOffers, type Offer } from './offers.ts';

/** One way out. `offer` names what to buy on the pay page. */
export interface Fix {
  readonly action: Action | 'lower_max_tokens' | 'use_another_model';
  readonly text: string;
  readonly offer: { readonly kind: 'plan' | 'pack' | 'add_on'; readonly id: string } | undefined;
}

/** Will repeating the same call help, without anybody doing anything? */
export interface RetryView {
  readonly helps: boolean;
  /** Epoch ms from which it does, when that is known. */
  readonly from: number | undefined;
  readonly text: string;
}

export interface Refused {
  readonly facts: Facts;
  readonly refusal: Refusal;
  readonly row: CodeRow;
  readonly catalog: Catalog;
  readonly formatTime: (at: number) => string;
}

const MODELS_NAMED_MAX = 3;

/** Everything that lifts a refusal, least effort first: wait, ask for less, pay, change the plan, ask somebody. */
export function explainFixes(refused: Refused): readonly Fix[] {
  const offers = findOffers(refused.facts, refused.refusal, refused.catalog);
  return [
    ...waitingFixes(refused),
    ...smallerCallFixes(refused),
    ...requestFixes(refused),
    ...offers
      .filter(({ kind }) => kind === 'pack')
      .map((offer) => offerFix(offer, refused.catalog)),
    ...budgetFixes(refused),
    ...offers
      .filter(({ kind }) => kind === 'plan')
      .map((offer) => offerFix(offer, refused.catalog)),
    ...contactFixes(refused),
  ];
}

export function explainRetry(refused: Refused): RetryView {
  const { refusal, row, facts, formatTime } = refused;
  if (refusal.transient || isRetryable(row.retryKind)) {
    const seconds = waitSeconds(refusal);
    const when = seconds === undefined ? 'shortly' : `in ${seconds} s`;
    const from = refusal.retryAfterMs === undefined ? undefined : facts.at + refusal.retryAfterMs;
    return { helps: true, from, text: `Yes, ${when}: the same call may pass then.` };
  }
  const resetsAt = refusal.limit?.resetsAt;
  if (row.retryKind === 'after_reset' && resetsAt !== undefined) {
    return {
      helps: true,
      from: resetsAt,
      text: `Not before ${formatTime(resetsAt)}, when the limit is full again.`,
    };
  }
  return {
    helps: false,
    from: undefined,
    text: 'No: the same call gets the same answer until something changes.',
  };
}

function waitingFixes({ refusal, row, formatTime }: Refused): readonly Fix[] {
  const seconds = waitSeconds(refusal);
  if (refusal.transient) {
    return [
      fix(
        'wait_for_reset',
        `Retry in ${seconds ?? 1} s: calls that still run hold what is missing.`,
      ),
    ];
  }
  const resetsAt = refusal.limit?.resetsAt;
  if (resetsAt !== undefined) return [fix('wait_for_reset', `Wait until ${formatTime(resetsAt)}.`)];
  if (row.status !== 429 && !isRetryable(row.retryKind)) return [];
  const action = row.status === 429 ? 'wait_for_reset' : 'retry_later';
  return [
    fix(action, seconds === undefined ? 'Retry shortly.' : `Retry in ${seconds} s, not sooner.`),
  ];
}

function smallerCallFixes({ facts, refusal, catalog }: Refused): readonly Fix[] {
  const { reservation } = facts;
  const tokens = reservation?.kind === 'short' ? reservation.affordableOutputTokens : undefined;
  if (tokens !== undefined && tokens > 0) {
    return [fix('lower_max_tokens', `Lower max_tokens to ${formatNumber(tokens)} or less.`)];
  }
  if (refusal.entitlement?.kind !== 'model' || facts.identity.kind !== 'key') return [];
  const plan = catalog.plans.get(facts.identity.planId);
  const included = [...catalog.models.keys()].filter(
    (id) => plan !== undefined && (plan.models.includes('*') || plan.models.includes(id)),
  );
  if (included.length === 0) return [];
  const named = included.slice(0, MODELS_NAMED_MAX).join(', ');
  return [fix('use_another_model', `Use a model of your plan: ${named}.`)];
}

function requestFixes({ refusal, row, facts }: Refused): readonly Fix[] {
  if (row.actions.includes('authenticate')) {
    return [fix('authenticate', 'Send a valid API key as Authorization: Bearer <key>.')];
  }
  if (!row.actions.includes('fix_request')) return [];
  const pointer = (facts.routing ?? facts.understanding)?.pointer;
  const where = pointer === undefined ? '' : ` (${pointer})`;
  const what =
    refusal.step === 'route' ? 'Correct the address or the method' : 'Correct the request';
  return [fix('fix_request', `${what}${where} and send it again.`)];
}

function offerFix(offer: Offer, catalog: Catalog): Fix {
  const { asset } = catalog;
  if (offer.kind === 'pack') {
    const { id, title, priceNano, creditNano } = offer.pack;
    const text = `Add credit: ${title}, ${formatMoney({ asset, units: creditNano })} for ${formatMoney({ asset, units: priceNano })}.`;
    return { action: 'buy_credits', text, offer: { kind: 'pack', id } };
  }
  if (offer.kind === 'add_on') {
    const { id, title, priceNano } = offer.addOn;
    const text = `Buy ${title}, ${formatMoney({ asset, units: priceNano })}.`;
    return { action: 'upgrade_plan', text, offer: { kind: 'add_on', id } };
  }
  const { id, title, priceNano } = offer.plan;
  const text = `Change to the plan ${title}, ${formatMoney({ asset, units: priceNano })} a month.`;
  return { action: 'upgrade_plan', text, offer: { kind: 'plan', id } };
}

function budgetFixes({ refusal }: Refused): readonly Fix[] {
  if (refusal.limit?.label?.id !== 'key_budget') return [];
  return [
    fix(
      'raise_spending_limit',
      'Ask the owner of the key to raise its budget, or use another key.',
    ),
  ];
}

function contactFixes({ row }: Refused): readonly Fix[] {
  if (row.actions.includes('contact_admin')) {
    return [
      fix('contact_admin', 'Ask the owner of the account or the provider, with the request id.'),
    ];
  }
  if (!row.actions.includes('contact_support')) return [];
  return [fix('contact_support', 'If it stays, tell the provider the request id.')];
}

function waitSeconds(refusal: Refusal): number | undefined {
  if (refusal.retryAfterMs === undefined) return undefined;
  return Math.max(1, Math.ceil(refusal.retryAfterMs / 1000));
}

function fix(action: Fix['action'], text: string): Fix {
  return { action, text, offer: undefined };
}
