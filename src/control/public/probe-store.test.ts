import { afterAll, beforeAll, expect, it } from 'vitest';

import { callJson, callPage, HTML } from '../../../test/support/call-pages.ts';
import { buildServedFacts, SERVED_OUTCOME } from '../../../test/support/served-facts.ts';
import { type PublicPages, startPublicPages } from '../../../test/support/start-public-pages.ts';
import { packFacts } from '../../domain/facts-record.ts';
import { standOf } from '../../domain/standing.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { requestId } from '../../platform/ids.ts';
import { signExplainLink } from './signed-links.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());

/** A call of an account that owed then and owes nothing now: it was turned away before its tokens were counted. */
async function logUncounted(): Promise<string> {
  const { tenant } = await pages.addTenant();
  const id = requestId(Date.now());
  const payment = { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] };
  const terms = { graceDays: 0, degraded: undefined };
  const facts = buildServedFacts(tenant.id, {
    requestId: id,
    limits: [],
    standing: standOf({ ...PLAIN_TERMS, payment }, terms, 'write', Date.now()),
    outcome: {
      ...SERVED_OUTCOME,
      status: 402,
      code: 'INVOICE_OVERDUE',
      ending: 'refused',
      inputTokens: 0,
      outputTokens: 0,
      costNano: 0,
      holdNano: 0,
    },
  });
  const row = { requestId: id, at: facts.at, tenantId: tenant.id, status: 402 };
  await pages.store.appendRequests([{ ...row, code: 'INVOICE_OVERDUE', facts: packFacts(facts) }]);
  return id;
}

it('DIAG-07: a dry run of a call that was never counted promises neither that it passes nor a price', async () => {
  const id = await logUncounted();
  const signature = `?s=${signExplainLink(id, pages.deps.signingSecret)}`;
  const { json } = await callJson(pages, `/r/${id}/probe${signature}`, { kind: 'same' });
  expect(json).toMatchObject({ passes: null, status: null, code: null, cost_max: null });
  expect(String(json['text'])).toContain('POST /v1/check says what it would get and cost');
  const page = await callPage(pages, `/r/${id}${signature}`, { accept: HTML });
  expect(page.text).toContain('not known:</strong>');
  expect(page.text).toContain('How much it takes was not counted then');
});

it('DIAG-07: a small call has its size, so that its price is known', async () => {
  const id = await logUncounted();
  const signature = `?s=${signExplainLink(id, pages.deps.signingSecret)}`;
  const { json } = await callJson(pages, `/r/${id}/probe${signature}`, { kind: 'reduced' });
  expect(json).toMatchObject({ passes: false, code: 'INSUFFICIENT_CREDITS' });
  expect(json['cost_max']).toBe('0.00004 USD');
});
