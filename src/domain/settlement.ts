import type { Code } from '../contract/codes.ts';
import type { StandingFact } from './standing.ts';
import type { PaymentTerms, SubscriptionTerms, TenantTerms } from './tenant-terms.ts';

/** What of the terms a payment of all that is due sets right (DEG-06). */
export interface Settled {
  readonly subscription: SubscriptionTerms;
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

/** The terms after everything that is due was paid and the subscription renewed. */
export function settleTerms(
  { subscription, payment }: TenantTerms,
  standing: StandingFact,
): Settled {
  const { method } = payment;
  return {
    subscription: isEnded(standing) ? { state: 'active', endsAt: undefined } : subscription,
    payment: {
      method: method === 'not_required' ? method : 'valid',
      failedAt: undefined,
      overdueInvoices: [],
      disputed: false,
      reauthorizationRequired: false,
    },
  };
}

/** What the button that pays it is called, and what it does, by what stands against the account. */
export function describeDue(fact: StandingFact): { readonly label: string; readonly text: string } {
  const { code, invoices, standing } = fact;
  if (isEnded(fact)) {
    return { label: 'Renew the subscription', text: 'The subscription runs again at once.' };
  }
  if (invoices.length > 0) {
    const what = invoices.length === 1 ? 'the overdue invoice' : 'the overdue invoices';
    return { label: `Pay ${what}`, text: `Pays ${invoices.join(', ')}.` };
  }
  if (standing === 'disputed') {
    return { label: 'Settle the disputed payment', text: 'The dispute is over.' };
  }
  return code === undefined || code === 'PAYMENT_METHOD_INVALID'
    ? { label: 'Pay what is open', text: 'The failed payment is made, with a method that works.' }
    : { label: 'Confirm a payment method', text: 'A test card is stored and confirmed.' };
}
