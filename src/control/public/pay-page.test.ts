import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  bearer,
  callForm,
  callJson,
  callPage,
  HTML,
  type PageCall,
} from '../../../test/support/call-pages.ts';
import {
  startPublicPages,
  type PublicPages,
  type TenantMembers,
} from '../../../test/support/start-public-pages.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { NANO_MAX } from '../admin/input-values.ts';
import { signPayLink } from './signed-links.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());
const call = (path: string, options: PageCall = {}) => callPage(pages, path, options);

async function payPath(members: TenantMembers & { readonly cause?: string } = {}) {
  const { tenant, secret } = await pages.addTenant(members);
  const cause = members.cause ?? 'INSUFFICIENT_CREDITS';
  const token = signPayLink({ tenantId: tenant.id, cause }, pages.deps.signingSecret);
  return { tenant, secret, path: `/pay/${token}` };
}
const buyJson = (path: string, body: object, key?: string) => callJson(pages, path, body, key);
const buyForm = (path: string, fields: Record<string, string>, headers = {}) =>
  callForm(pages, path, fields, headers);

describe('BILL-02, C402-04: /pay', () => {
  it('shows cause, balance and what is on sale, and changes nothing', async () => {
    const { path, tenant } = await payPath();
    const { status, text } = await call(path, { accept: HTML });
    expect(status).toBe(200);
    for (const part of [
      'Not enough credit',
      'If you have paid since then, repeat the call before you pay again.',
      'Play money',
      'Add 5.00 USD of test credit',
      'Switch to Business',
      'Acme',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('Switch to Free');
    expect(text).not.toContain('Switch to Secret');
    const { json } = await call(path);
    expect(json).toMatchObject({
      tenant_id: tenant.id,
      cause: 'INSUFFICIENT_CREDITS',
      message: 'Your balance does not cover this call.',
      balance: { available: '0.00' },
      packs: [{ id: 'small', pay_with: { pack: 'small' } }, { id: 'large' }],
      plans: [{ id: 'business', price: '49.00 USD/month' }, { id: 'flat' }],
    });
    expect(await pages.store.grants(tenant.id)).toEqual([]);
  });

  it('an agent pays with one call and the balance is there', async () => {
    const { path, tenant, secret } = await payPath();
    const { status, json } = await buyJson(path, { pack: 'small' });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      paid: true,
      message: 'Paid. Retry your request: nothing else to do.',
      pack: 'small',
      grant: { amount: '5.00 USD' },
      in_force: true,
      balance: { available: '5.00' },
    });
    const usage = await call('/v1/usage', { headers: bearer(secret) });
    expect(usage.json['balance']).toMatchObject({ available: '5.00' });
    expect(await pages.store.grants(tenant.id)).toMatchObject([
      { amount: 5_000_000_000n, source: 'pack:small', category: 'paid' },
    ]);
  });

  it('a person pays with one button and is told so, also after a reload', async () => {
    const { path, tenant } = await payPath();
    const page = await call(path, { accept: HTML });
    const nonce = /name="nonce" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const posted = await buyForm(path, { pack: 'small', nonce }, { origin: pages.origin });
    expect(posted.status).toBe(303);
    const location = String(posted.headers['location']);
    for (const _again of [1, 2]) {
      const { text } = await call(location, { accept: HTML });
      expect(text).toMatch(/<strong>Paid\.<\/strong>\s+Retry your request: nothing else to do\./);
      expect(text).toContain('5.00 USD of credit was added.');
    }
    expect(await pages.store.grants(tenant.id)).toHaveLength(1);
  });

  it('a change of plan is one click too', async () => {
    const { path, tenant } = await payPath({ cause: 'REQUEST_QUOTA_EXCEEDED' });
    const posted = await buyForm(path, { plan: 'business', nonce: 'n1' });
    const done = await call(String(posted.headers['location']), { accept: HTML });
    expect(done.text).toContain('You are on the plan Business now.');
    expect((await pages.store.tenant(tenant.id))?.planId).toBe('business');
  });

  it('thanks only for what the books confirm', async () => {
    const { path } = await payPath();
    const { text } = await call(`${path}?receipt=made-up`, { accept: HTML });
    expect(text).not.toContain('Paid.');
  });

  it('BILL-13: ten clicks at once are one grant and one answer; another body is a conflict', async () => {
    const { path, tenant } = await payPath();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => buyJson(path, { pack: 'small' }, 'click-1')),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    expect(await pages.store.grants(tenant.id)).toHaveLength(1);
    const other = await buyJson(path, { pack: 'large' }, 'click-1');
    expect([other.status, other.json['code']]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    // The first answer stands although the balance has changed since.
    await buyJson(path, { pack: 'large' }, 'click-2');
    expect((await buyJson(path, { pack: 'small' }, 'click-1')).text).toBe(answers[0]?.text);
    expect(await pages.store.grants(tenant.id)).toHaveLength(2);
  });

  it('a repeated change of plan does not undo a later one', async () => {
    const { path, tenant } = await payPath();
    await buyJson(path, { plan: 'business' }, 'plan-1');
    await pages.store.changeTenant(tenant.id, { planId: 'flat' });
    expect((await buyJson(path, { plan: 'business' }, 'plan-1')).json).toMatchObject({
      paid: true,
    });
    expect((await pages.store.tenant(tenant.id))?.planId).toBe('flat');
  });

  it('one tenant cannot use up the idempotency key of another', async () => {
    const [one, two] = [await payPath(), await payPath()];
    await buyJson(one.path, { pack: 'small' }, 'same');
    await buyJson(two.path, { pack: 'small' }, 'same');
    expect(await pages.store.grants(two.tenant.id)).toHaveLength(1);
  });

  it.each<[string, object, string, RegExp]>([
    ['an unknown pack', { pack: 'huge' }, '/pack', /no pack huge is on sale .* small, large/],
    ['a plan not on sale', { plan: 'secret' }, '/plan', /no plan secret is on sale/],
    ['the plan they have', { plan: 'free' }, '/plan', /no plan free is on sale/],
    ['nothing', {}, '', /exactly one of/],
    ['both', { pack: 'small', plan: 'business' }, '', /exactly one of/],
    ['an add-on nobody sells', { add_on: 'gold' }, '/add_on', /no add-on gold is on sale/],
    ['what is not due', { pay: 'due' }, '/pay', /nothing is due/],
    ['another payment', { pay: 'all' }, '/pay', /exactly one of/],
    ['overage the plan does not have', { allow: 'overage' }, '/allow', /bills nothing beyond/],
    ['a wrong type', { pack: 3 }, '/pack', /must be an id/],
    ['an unknown member', { pack: 'small', amount: 5 }, '', /unknown member "amount"/],
    ['an array', [], '', /must be an object/],
  ])('400 for %s, with the fix', async (_title, body, pointer, reason) => {
    const { path, tenant } = await payPath();
    const { status, json } = await buyJson(path, body);
    expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
    const details = json['details'] as Record<string, string>;
    expect(details['reason']).toMatch(reason);
    expect(details['pointer'] ?? '').toBe(pointer);
    expect(await pages.store.grants(tenant.id)).toEqual([]);
  });

  it('DEG-06: one button for a subscription that rests and for invoices says that it pays both', async () => {
    const payment = { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_7', 'inv_8'] };
    const subscription = { state: 'paused', endsAt: undefined } as const;
    const { path, tenant } = await payPath({ terms: { payment, subscription } });
    expect((await call(path)).json['due']).toMatchObject({
      label: 'Renew the subscription and pay the overdue invoices',
      text: 'The subscription runs again at once. Pays inv_7, inv_8.',
    });
    await buyJson(path, { pay: 'due' });
    const { terms } = (await pages.store.tenant(tenant.id)) ?? tenant;
    expect([terms.subscription.state, terms.payment.overdueInvoices]).toEqual(['active', []]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['what was paid in another tab', { pay: 'due' }, 'nothing is due on this account'],
    ['what is sold no more', { pack: '<b>old</b>' }, 'no pack &lt;b&gt;old&lt;/b&gt; is on sale'],
  ])('who sends a form for %s stays on the page', async (_title, fields, reason) => {
    const { path, tenant } = await payPath();
    const { status, text, headers } = await buyForm(path, { ...fields, nonce: 'n' });
    expect([status, headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(text).toMatch(/role="alert">\s*<strong>Nothing was bought:/);
    expect(text).toContain(reason);
    // What is on sale is still there to be bought, and with a nonce of its own.
    expect(text).toContain('Add 5.00 USD of test credit');
    expect(await pages.store.grants(tenant.id)).toEqual([]);
  });

  it.each([
    ['broken JSON', '{', 'application/json', 400],
    ['no type', 'pack=small', 'text/plain', 400],
    ['a body beyond 4 KiB', JSON.stringify({ pack: 'x'.repeat(5000) }), 'application/json', 413],
  ])('refuses %s', async (_title, body, type, status) => {
    const { path } = await payPath();
    expect((await call(path, { body, headers: { 'content-type': type } })).status).toBe(status);
  });

  it('refuses an idempotency key that is none', async () => {
    const { path } = await payPath();
    const { json } = await buyJson(path, { pack: 'small', nonce: 'two words' });
    expect(json['details']).toMatchObject({ reason: expect.stringContaining('Idempotency-Key') });
  });

  it.each([
    ['another site', 'https://evil.example', 400],
    ['a sandboxed page', 'null', 400],
    ['our own page', 'own', 303],
  ])('DESIGN 10: a form sent by %s', async (_title, origin, status) => {
    const { path, tenant } = await payPath();
    const from = origin === 'own' ? pages.origin : origin;
    const answer = await buyForm(path, { pack: 'small', nonce: 'n' }, { origin: from });
    expect(answer.status).toBe(status);
    expect(await pages.store.grants(tenant.id)).toHaveLength(status === 303 ? 1 : 0);
  });

  it('refuses forged links and links to nobody', async () => {
    const { path } = await payPath();
    const nobody = signPayLink({ tenantId: 'ten_nobody', cause: 'X' }, pages.deps.signingSecret);
    const forged = path.slice(0, -1) + (path.endsWith('A') ? 'B' : 'A');
    for (const each of [forged, '/pay/pl_', '/pay/x', `/pay/${nobody}`]) {
      expect((await call(each)).status).toBe(404);
      expect((await buyJson(each, { pack: 'small' })).status).toBe(404);
    }
  });

  it('shows hostile names as text', async () => {
    const { path } = await payPath({ name: `<script>alert('x')</script>"&` });
    const { text } = await call(path, { accept: HTML });
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;');
  });

  it('offers no credit to a plan that does not use any, and tells what a call needed', async () => {
    const flat = await payPath({ planId: 'flat', cause: 'MODEL_NOT_IN_PLAN' });
    expect((await call(flat.path)).json).toMatchObject({
      packs: [],
      message: 'This model is not part of your plan.',
    });
    const chosen = await call(`${flat.path}?pack=small`);
    expect(chosen.json['chosen']).toBeUndefined();
    const bought = await buyJson(flat.path, { pack: 'small' });
    expect([bought.status, bought.json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(String(bought.json['message'])).toContain('no pack small is on sale for this account');
    expect(await pages.store.grants(flat.tenant.id)).toEqual([]);
    const token = signPayLink(
      { tenantId: flat.tenant.id, cause: 'INSUFFICIENT_CREDITS', amountNano: 42_000_000n },
      pages.deps.signingSecret,
    );
    expect((await call(`/pay/${token}`)).json['needed']).toBe('0.0420 USD');
    expect((await call(`/pay/${token}`, { accept: HTML })).text).toContain(
      '<strong>0.0420 USD</strong>',
    );
  });

  it('bounds what one tenant can be given', async () => {
    const { path, tenant } = await payPath();
    await pages.store.addGrant(grantOf(tenant.id, NANO_MAX - 1n), Date.now());
    const { status, json } = await buyJson(path, { pack: 'large' });
    expect(status).toBe(400);
    expect(String(json['message'])).toContain('all credit of an account together');
  });

  it('outside development it says honestly that nothing can be paid here yet, and pretends nothing', async () => {
    const live = await startPublicPages({ devMoney: false });
    const { tenant } = await live.addTenant();
    const path = `/pay/${signPayLink({ tenantId: tenant.id, cause: 'INSUFFICIENT_CREDITS' }, live.deps.signingSecret)}`;
    const page = await callPage(live, path, { accept: HTML });
    expect(page.text).toContain('No payment method is set up on this gateway yet.');
    expect(page.text).not.toMatch(/<form|<button|Play money/);
    expect((await callPage(live, path)).json).toMatchObject({
      payable: false,
      test_money: false,
    });
    const { status, json, headers } = await callJson(live, path, { pack: 'small' }, 'k');
    expect([status, json['code']]).toEqual([503, 'BILLING_UNAVAILABLE']);
    expect(String(json['message'])).toContain('no payment method is set up');
    expect(json['retryable']).toBe(false);
    expect(headers['x-should-retry']).toBe('false');
    expect(await live.store.grants(tenant.id)).toEqual([]);
    await live.close();
  });
});

function grantOf(tenantId: string, amount: bigint) {
  return {
    tenantId,
    asset: 'USD',
    amount,
    category: 'paid' as const,
    priority: 50,
    effectiveAt: Date.now(),
    expiresAt: undefined,
    source: 'test',
    idempotencyKey: `test-${tenantId}`,
  };
}
