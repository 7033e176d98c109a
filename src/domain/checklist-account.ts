import type { AccountNow, CheckItem, CheckSource } from './checklist.ts';
import { describeMissing } from './explain-entitlements.ts';
import { describeStanding } from './explain-standing.ts';
import { isReached } from './explain-trace.ts';
import { formatCount } from './explain-words.ts';
import { formatMoney } from './money.ts';
import type { AccountState, PaymentMethodState } from './tenant-terms.ts';

/** Step 4: subscription, tier, payment method and invoices, green or red (DIAG-04). */
export function checkAccount(source: CheckSource): readonly CheckItem[] {
  const { now } = source;
  const { account } = now;
  const items = [...checkThen(source), ...checkTier(source)];
  if (account !== undefined) return [...items, ...checkNow(account, source)];
  return [...items, { verdict: 'unknown', text: whyUnknown(source) }];
}

/** Why there is no account to look at. */
function whyUnknown({ facts: { identity }, view }: CheckSource): string {
  if (!isReached(view, 'identify')) {
    return 'An earlier check decided: nobody has looked whose account it is.';
  }
  const hasKey = identity.kind === 'refused' && identity.code !== 'KEY_MISSING';
  return hasKey
    ? 'The key was not accepted, so it is not known whose account it is.'
    : 'The call was made without a key, so there is no account to look at.';
}

/** As it stood when the request came; nothing where nothing was known against it. */
function checkThen({ facts: { standing }, formatTime }: CheckSource): readonly CheckItem[] {
  if (standing === undefined) return [];
  const verdict = standing.code === undefined ? 'note' : 'problem';
  return [
    { verdict, text: `At that moment: ${lowerFirst(describeStanding(standing, formatTime))}` },
  ];
}

function checkTier({ facts }: CheckSource): readonly CheckItem[] {
  const missing = facts.entitlements.filter(({ granted }) => !granted);
  if (missing.length > 0) {
    return missing.map((entitlement) => ({
      verdict: 'problem',
      text: `Plan: ${describeMissing(entitlement, facts)}.`,
    }));
  }
  if (facts.identity.kind !== 'key') return [];
  return [
    { verdict: 'ok', text: `Plan: ${facts.identity.planTitle} covers what the call asked for.` },
  ];
}

function checkNow(account: AccountNow, source: CheckSource): readonly CheckItem[] {
  const { formatTime, catalog } = source;
  const { standing, payment, availableNano } = account;
  const balance: readonly CheckItem[] =
    availableNano === undefined
      ? []
      : [
          {
            verdict: availableNano > 0n ? 'ok' : 'problem',
            text: `Credit now: ${formatMoney({ asset: catalog.asset, units: availableNano })} available.`,
          },
        ];
  return [
    {
      verdict: standing.code === undefined ? 'ok' : 'problem',
      text: `Now: ${lowerFirst(describeStanding(standing, formatTime))}`,
    },
    METHODS[payment.method],
    checkInvoices(payment.overdueInvoices),
    ...(payment.disputed ? [DISPUTED] : []),
    ...(payment.reauthorizationRequired ? [UNCONFIRMED] : []),
    checkState(account),
    ...balance,
  ];
}

const METHODS: Readonly<Record<PaymentMethodState, CheckItem>> = {
  not_required: { verdict: 'ok', text: 'Payment method: none is needed.' },
  valid: { verdict: 'ok', text: 'Payment method: there is a valid one.' },
  missing: { verdict: 'problem', text: 'Payment method: there is none.' },
  unverified: { verdict: 'problem', text: 'Payment method: it has not been confirmed yet.' },
  invalid: { verdict: 'problem', text: 'Payment method: it does not work any more.' },
};

const DISPUTED: CheckItem = { verdict: 'problem', text: 'A payment is disputed.' };
const UNCONFIRMED: CheckItem = {
  verdict: 'problem',
  text: 'A payment has to be confirmed again by its owner.',
};

const STATES: Readonly<Record<AccountState, CheckItem>> = {
  active: { verdict: 'ok', text: 'active.' },
  unverified: { verdict: 'problem', text: 'not verified yet. Paying does not change that.' },
  suspended: { verdict: 'problem', text: 'suspended. Paying does not change that.' },
  pending_approval: { verdict: 'problem', text: 'access waits for approval.' },
};

function checkState({ state, stateFrom }: AccountNow): CheckItem {
  const whose = stateFrom === 'tenant' ? 'Account' : 'The organisation above this account';
  return { ...STATES[state], text: `${whose}: ${STATES[state].text}` };
}

function checkInvoices(overdue: readonly string[]): CheckItem {
  if (overdue.length === 0) return { verdict: 'ok', text: 'Invoices: none is overdue.' };
  const count = formatCount(overdue.length, 'invoice');
  return { verdict: 'problem', text: `Invoices: ${count} overdue (${overdue.join(', ')}).` };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
