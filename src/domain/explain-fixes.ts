import type { Action, CodeRow } from '../contract/code-row.ts';
import { isRetryable } from '../contract/code-row.ts';
import { ACTION_WORDS } from './action-words.ts';
import type { Catalog } from './catalog.ts';
import type { Refusal } from './decide.ts';
import { explainSmaller } from './explain-smaller.ts';
import { againOf, fullMinuteFrom, isBudget } from './explain-words.ts';
import type { Facts } from './facts.ts';
import { formatMoney } from './money.ts';
import { findOffers, type Offer } from './offers.ts';

/** One way out. */
export interface Fix {
  readonly action: Action | 'smaller_request' | 'lower_max_tokens' | 'use_another_model';
  readonly text: string;
  /** What to buy on the pay page. */
  readonly offer: { readonly kind: 'plan' | 'pack' | 'add_on'; readonly id: string } | undefined;
  /** Whether the pay page is where it is done. */
  readonly payable: boolean;
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

/**
 * Everything that lifts a refusal, least effort first: wait, correct the request, ask for less, use another
 * model, settle what is owed, buy, change the plan, ask somebody.
 */
export function explainFixes(refused: Refused): readonly Fix[] {
  const { facts, refusal, catalog } = refused;
  const offers = findOffers(facts, refusal, catalog);
  return [
    ...waitingFixes(refused),
    ...requestFixes(refused),
    ...explainSmaller(refused),
    ...settlingFixes(refused),
    ...offers.filter(({ kind }) => kind !== 'plan').map((offer) => offerFix(offer, refused)),
    ...budgetFixes(refused),
    ...offers.filter(({ kind }) => kind === 'plan').map((offer) => offerFix(offer, refused)),
    ...askingFixes(refused),
  ];
}

export function explainRetry(refused: Refused): RetryView {
  const { refusal, row, facts, formatTime } = refused;
  if (refusal.neverFits) return NO_RETRY;
  if (row.retryKind === 'when_slot_free') {
    const text = 'Yes, when a running call has ended: try about once a second, not faster.';
    return { helps: true, from: facts.at + (refusal.retryAfterMs ?? 1000), text };
  }
  if (refusal.transient || isRetryable(row.retryKind)) {
    const seconds = waitSeconds(refusal);
    const when = seconds === undefined ? 'shortly' : `in ${seconds} s`;
    const from = refusal.retryAfterMs === undefined ? undefined : facts.at + refusal.retryAfterMs;
    return { helps: true, from, text: `Yes, ${when}: the same call may pass then.` };
  }
  const { resetsAt } = refusal;
  if (row.retryKind === 'after_reset' && resetsAt !== undefined) {
    return {
      helps: true,
      from: resetsAt,
      text: `Not before ${formatTime(fullMinuteFrom(resetsAt))}, when the limit is ${againOf(refusal.limit)}.`,
    };
  }
  return NO_RETRY;
}

const NO_RETRY: RetryView = {
  helps: false,
  from: undefined,
  text: 'No: the same call gets the same answer until something changes.',
};

function waitingFixes(refused: Refused): readonly Fix[] {
  const { refusal, row, formatTime } = refused;
  if (refusal.neverFits) return [];
  const seconds = waitSeconds(refusal);
  if (row.retryKind === 'when_slot_free') {
    return [fix('wait_for_slot', ACTION_WORDS.wait_for_slot)];
  }
  if (refusal.transient) {
    return [
      fix(
        'wait_for_reset',
        `Retry in ${seconds ?? 1} s: calls that still run hold what is missing.`,
      ),
    ];
  }
  const resetsAt = row.retryKind === 'transient' ? undefined : refusal.resetsAt;
  if (resetsAt !== undefined) {
    return [fix('wait_for_reset', `Wait until ${formatTime(fullMinuteFrom(resetsAt))}.`)];
  }
  if (row.status !== 429 && !isRetryable(row.retryKind)) return [];
  const action = row.status === 429 ? 'wait_for_reset' : 'retry_later';
  return [
    fix(action, seconds === undefined ? 'Retry shortly.' : `Retry in ${seconds} s, not sooner.`),
  ];
}

function requestFixes({ refusal, row, facts }: Refused): readonly Fix[] {
  if (row.actions.includes('authenticate')) {
    return [fix('authenticate', ACTION_WORDS.authenticate)];
  }
  if (!row.actions.includes('fix_request') || refusal.entitlement !== undefined) return [];
  const pointer = (facts.routing ?? facts.authorization ?? facts.understanding)?.pointer;
  const where = pointer === undefined ? '' : ` (${pointer})`;
  const what =
    refusal.step === 'route' ? 'Correct the address or the method' : 'Correct the request';
  return [fix('fix_request', `${what}${where} and send it again.`)];
}

/** What of the registry's actions is neither waiting, nor buying, nor asking somebody. */
const SETTLING: ReadonlySet<Action> = new Set([
  'renew_subscription',
  'pay_invoice',
  'update_payment_method',
  'add_payment_method',
  'verify_payment_method',
  'authorize_overage',
  'pay_challenge',
]);

function settlingFixes({ row, facts }: Refused): readonly Fix[] {
  const hasAccount = facts.identity.kind === 'key';
  // Who has an account pays there, and who has none pays for the call.
  const isOpen = (action: Action) => hasAccount === (action !== 'pay_challenge');
  return row.actions
    .filter((action) => SETTLING.has(action) && isOpen(action))
    .map((action) => ({ ...fix(action, ACTION_WORDS[action]), payable: hasAccount }));
}

function offerFix(offer: Offer, { catalog, facts }: Refused): Fix {
  const { asset } = catalog;
  const money = (units: bigint) => formatMoney({ asset, units });
  switch (offer.kind) {
    case 'pack': {
      const { id, title, priceNano, creditNano } = offer.pack;
      const text = `Add ${money(creditNano)} of credit for ${money(priceNano)}: ${title}.`;
      return { action: 'buy_credits', text, offer: { kind: 'pack', id }, payable: true };
    }
    case 'add_on': {
      const { id, title, priceNano, interval } = offer.addOn;
      const each = interval === 'month' ? ' a month' : '';
      const text = `Buy ${title} for ${money(priceNano)}${each}.`;
      return { action: 'buy_credits', text, offer: { kind: 'add_on', id }, payable: true };
    }
    case 'plan': {
      const { id, title, priceNano } = offer.plan;
      const price = `${money(priceNano)} a month`;
      const isOwn = facts.identity.kind === 'key' && facts.identity.planId === id;
      const text = isOwn
        ? `Renew the plan ${title} for ${price}.`
        : `Change to the plan ${title} for ${price}.`;
      const action = isOwn ? 'renew_subscription' : 'upgrade_plan';
      return { action, text, offer: { kind: 'plan', id }, payable: true };
    }
  }
}

function budgetFixes({ refusal }: Refused): readonly Fix[] {
  const { label } = refusal.limit ?? {};
  if (label === undefined) return [];
  const what = isBudget(label) ? 'its budget' : `its limit ${label.id}`;
  if (label.from === 'key') {
    const text = `Ask the owner of the key to raise ${what}, or use another key.`;
    return [fix('raise_spending_limit', text)];
  }
  if (label.from === 'tenant') {
    const text = `Ask who is responsible for this account to raise ${what}.`;
    return [fix('raise_spending_limit', text)];
  }
  if (label.from !== 'ancestor') return [];
  const text = `Ask the organisation above this account to raise ${what}.`;
  return [fix('contact_admin', text)];
}

const ASKING: ReadonlySet<Action> = new Set([
  'request_access',
  'verify_account',
  'contact_admin',
  'contact_support',
]);

function askingFixes({ row }: Refused): readonly Fix[] {
  return row.actions
    .filter((action) => ASKING.has(action))
    .map((action) => fix(action, ACTION_WORDS[action]));
}

function waitSeconds(refusal: Refusal): number | undefined {
  if (refusal.retryAfterMs === undefined) return undefined;
  return Math.max(1, Math.ceil(refusal.retryAfterMs / 1000));
}

function fix(action: Fix['action'], text: string): Fix {
  return { action, text, offer: undefined, payable: false };
}
