import type { Code } from '../contract/codes.ts';
import type { StandingFact } from './standing.ts';
import type { PaymentTerms, SubscriptionTerms, TenantTerms } from './tenant-terms.ts';

/** What somebody pays who pays all that is due: what comes up after it is not part of it. */
export interface Owed extends PaymentTerms {
  /** The subscription had ended. */
  readonly renews: boolean;
}

/** What of the terms a payment of it sets right (DEG-06). */
export interface Settled {
  readonly subscription?: SubscriptionTerms;
  readonly payment: PaymentTerms;
}

/** Codes of a subscription that is over or rests: whoever pays has it running again. */
const RENEWED: ReadonlySet<Code | undefined> = new Set([
  'TRIAL_EXPIRED',
  'SUBSCRIPTION_EXPIRED',
  'SUBSCRIPTION_CANCELED',
  'SUBSCRIPTION_PAUSED',
]);

/** Whether buying the same plan again is what is missing. */
export function isEnded({ code }: StandingFact): boolean {
  return RENEWED.has(code);
}

/** Whether there is anything to pay: a standing that refuses, or a failure that is forgiven for now. */
export function isDue({ code, standing }: StandingFact): boolean {
  return code !== undefined || standing !== 'good';
}

export function owedOf({ payment }: TenantTerms, standing: StandingFact): Owed {
  return { ...payment, renews: isEnded(standing) };
}

/** The terms after all of `owed` was paid, and nothing else. */
export function settleTerms({ payment }: TenantTerms, owed: Owed): Settled {
  const { method, failedAt, overdueInvoices, disputed, reauthorizationRequired } = payment;
  const isFixed = method === owed.method && method !== 'not_required';
  return {
    ...(owed.renews ? { subscription: { state: 'active', endsAt: undefined } } : {}),
    payment: {
      method: isFixed ? 'valid' : method,
      failedAt: failedAt === owed.failedAt ? undefined : failedAt,
      overdueInvoices: overdueInvoices.filter((id) => !owed.overdueInvoices.includes(id)),
      disputed: disputed && !owed.disputed,
      reauthorizationRequired: reauthorizationRequired && !owed.reauthorizationRequired,
    },
  };
}

/** What the button that pays it is called, and what it does, by what stands against the account. */
export function describeDue(fact: StandingFact): { readonly label: string; readonly text: string } {
  const { code, invoices, standing } = fact;
  if (isEnded(fact)) {
    const renewed = 'The subscription runs again at once.';
    const label = 'Renew the subscription';
    // One button pays everything (DEG-06), so it has to say that there is more than its name.
    if (invoices.length === 0) return { label, text: renewed };
    return {
      label: `${label} and pay ${nameInvoices(invoices)}`,
      text: `${renewed} Pays ${invoices.join(', ')}.`,
    };
  }
  if (invoices.length > 0) {
    return { label: `Pay ${nameInvoices(invoices)}`, text: `Pays ${invoices.join(', ')}.` };
  }
  if (standing === 'disputed') {
    return { label: 'Settle the disputed payment', text: 'The dispute is over.' };
  }
  return code === undefined || code === 'PAYMENT_METHOD_INVALID'
    ? { label: 'Pay what is open', text: 'The failed payment is made, with a method that works.' }
    : { label: 'Confirm a payment method', text: 'A test card is stored and confirmed.' };
}

function nameInvoices({ length }: StandingFact['invoices']): string {
  return length === 1 ? 'the overdue invoice' : 'the overdue invoices';
}
