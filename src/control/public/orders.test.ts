import { afterAll, beforeAll, expect, it } from 'vitest';

import { type PublicPages, startPublicPages } from '../../../test/support/start-public-pages.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import { formatOrder, fulfil, parseOrder, planOrder } from './orders.ts';
import { type Payer, payerOf } from './payer.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());

async function payerNow(tenantId: string): Promise<Payer> {
  const tenant = await pages.store.tenant(tenantId);
  if (tenant === undefined) throw new Error(`no tenant ${tenantId}`);
  return payerOf(pages.deps, tenant);
}

const { payment: nothingDue } = PLAIN_TERMS;
type Terms = Partial<Pick<TenantTerms, 'subscription' | 'payment'>>;

it.each<[string, Terms, Terms, Terms]>([
  [
    'another invoice',
    { payment: { ...nothingDue, overdueInvoices: ['inv_1'] } },
    { payment: { ...nothingDue, overdueInvoices: ['inv_1', 'inv_2'] } },
    { payment: { ...nothingDue, overdueInvoices: ['inv_2'] } },
  ],
  [
    'a dispute',
    { payment: { ...nothingDue, overdueInvoices: ['inv_1'] } },
    { payment: { ...nothingDue, overdueInvoices: ['inv_1'], disputed: true } },
    { payment: { ...nothingDue, disputed: true } },
  ],
  [
    'another failed charge',
    { payment: { ...nothingDue, method: 'valid', failedAt: 1 } },
    { payment: { ...nothingDue, method: 'valid', failedAt: 2 } },
    { payment: { ...nothingDue, method: 'valid', failedAt: 2 } },
  ],
  [
    'the end of the subscription',
    { payment: { ...nothingDue, method: 'missing' } },
    { subscription: { state: 'canceled', endsAt: 1 } },
    {
      subscription: { state: 'canceled', endsAt: 1 },
      payment: { ...nothingDue, method: 'valid' },
    },
  ],
])(
  'BILL-17: what is paid is what was due when it was ordered, not %s after it',
  async (_what, due, later, left) => {
    const { tenant } = await pages.addTenant({ terms: due });
    const planned = await planOrder(pages.deps, await payerNow(tenant.id), { kind: 'due' });
    if (planned.kind !== 'planned') throw new Error(planned.reason);
    // As it is remembered: whoever repeats the order after a crash does no more than it says.
    const order = parseOrder(formatOrder(planned.order));
    await pages.store.changeTenant(tenant.id, { terms: later });
    const carryOut = async (): Promise<void> => {
      await fulfil(pages.deps, await payerNow(tenant.id), order, 'key');
      expect((await payerNow(tenant.id)).tenant.terms).toMatchObject(left);
    };
    await carryOut();
    // The second time must change nothing.
    await carryOut();
  },
);
