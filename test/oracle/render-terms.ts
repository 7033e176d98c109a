import { money } from './render-shop.ts';
import type { Customer, Key } from './shop.ts';

const DAY_MS = 86_400_000;

/** The members of a tenant that say what is agreed with `customer` and how it pays. `now`: epoch ms. */
export function renderTerms(customer: Customer, now: number) {
  const at = (days: number): string => new Date(now + days * DAY_MS).toISOString();
  const { payment, overage, budget, watch } = customer;
  const until = { 'never agreed': null, agreed: at(9), ended: at(-9) };
  return {
    subscription: renderSubscription(customer, at),
    payment: {
      method: methodOf(payment),
      failed_at: typeof payment === 'string' ? null : at(-payment.failedDaysAgo),
      overdue_invoices: payment === 'invoice overdue' ? ['inv_1'] : [],
      disputed: payment === 'disputed',
      reauthorization_required: payment === 'to be confirmed',
    },
    account_state: customer.account,
    overage_authorized_until: until[overage],
    budget: budget === undefined ? null : money(budget),
    enforcement: watch ?? null,
    overrides: customer.agreed.map(({ allowance, amount, ended }) => ({
      limit_id: allowance,
      amount,
      expires_at: at(ended ? -1 : 9),
    })),
  };
}

function methodOf(payment: Customer['payment']): string {
  if (payment === 'no method') return 'missing';
  return payment === 'unverified method' ? 'unverified' : 'valid';
}

function renderSubscription({ subscription }: Customer, at: (days: number) => string) {
  switch (subscription) {
    case 'active':
      return { state: 'active', ends_at: null };
    case 'trial':
      return { state: 'trialing', ends_at: at(9) };
    case 'trial over':
      return { state: 'trialing', ends_at: at(-9) };
    case 'ended':
      return { state: 'active', ends_at: at(-9) };
    case 'canceled, still running':
      return { state: 'canceled', ends_at: at(9) };
    case 'canceled':
      return { state: 'canceled', ends_at: at(-9) };
    case 'paused':
      return { state: 'paused', ends_at: null };
  }
}

/** What narrows a key. */
export function renderKey(key: Key) {
  const { apis, models, operations, roles, elsewhere, contextMax, budget, calls } = key;
  return {
    apis,
    models,
    operations,
    roles,
    addresses: elsewhere ? ['198.51.100.0/24'] : [],
    ...(contextMax === undefined ? {} : { context_tokens_max: contextMax }),
    ...(budget === undefined ? {} : { budget: money(budget) }),
    ...(calls === undefined
      ? {}
      : { limits: [{ id: 'calls', unit: 'requests', window: 'month', amount: calls }] }),
  };
}
