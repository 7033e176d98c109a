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
import { buildCatalog, buildLimit, buildPlan } from '../../../test/support/build-catalog.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import { PURCHASES_MAX } from '../../stores/store.ts';
import { NANO_MAX } from '../admin/input-values.ts';
import { signPayLink } from './signed-links.ts';

const NO_GRANTS = {
  features: [],
  models: [],
  purchases: [],
  limits: [],
  rateLimits: [],
  contextTokensMax: undefined,
  fileBytesMax: undefined,
} as const;

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());
const call = (path: string, options: PageCall = {}) => callPage(pages, path, options);

async function payPath(members: { planId?: string; name?: string; cause?: string } = {}) {
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

describe('C402-04: a link that names what to buy shows exactly what it changes', () => {
  const catalog = buildCatalog(
    [
      buildPlan('free', {
        title: 'Free',
        models: ['small'],
        limits: [
          buildLimit(100),
          buildLimit(10, {
            id: 'images',
            unit: 'operations',
            overage: { kind: 'authorize', unitPico: 20_000_000_000n },
          }),
        ],
        degraded: {
          readOnly: true,
          duringGrace: false,
          contextTokensMax: undefined,
          rate: undefined,
          substitutes: new Map(),
          withheldFeatures: [],
        },
      }),
      buildPlan('pro', {
        title: 'Pro',
        priceNano: 9_000_000_000n,
        models: ['*'],
        features: ['search'],
        limits: [
          buildLimit(10_000),
          buildLimit(5e9, { id: 'volume', unit: 'bytes', window: 'day' }),
        ],
        contextTiers: [{ tokensMax: 100_000, priceMultiplierPermille: 1000 }],
      }),
    ],
    {
      packs: [
        { id: 'small', title: 'Small', priceNano: 5_000_000_000n, creditNano: 5_000_000_000n },
      ],
      addOns: [
        {
          id: 'course-7',
          title: 'Course 7',
          priceNano: 9_000_000_000n,
          interval: 'once',
          grants: { ...NO_GRANTS, purchases: ['course-7'] },
        },
        {
          id: 'more',
          title: 'More requests',
          priceNano: 1_000_000_000n,
          interval: 'month',
          grants: { ...NO_GRANTS, limits: [{ id: 'requests_per_month', amount: 50 }] },
        },
      ],
    },
  );
  let shop: PublicPages;
  beforeAll(async () => {
    shop = await startPublicPages({ catalog: () => catalog });
  });
  afterAll(() => shop.close());

  async function visitor(members: TenantMembers = {}, cause = 'REQUEST_QUOTA_EXCEEDED') {
    const owner = await shop.addTenant(members);
    const token = signPayLink({ tenantId: owner.tenant.id, cause }, shop.deps.signingSecret);
    const path = `/pay/${token}`;
    return {
      ...owner,
      path,
      page: (query = '') => callPage(shop, path + query, { accept: HTML }),
      view: async (query = '') => (await callPage(shop, path + query)).json,
      buy: (body: object, key?: string) => callJson(shop, path, body, key),
      now: async () => (await shop.store.tenant(owner.tenant.id))?.terms ?? PLAIN_TERMS,
    };
  }

  it('a plan: limits, models, features and sizes, before and after', async () => {
    const { view, page } = await visitor();
    expect((await view('?plan=pro'))['chosen']).toEqual({
      kind: 'plan',
      id: 'pro',
      title: 'Pro',
      price: '9.00 USD a month',
      changes: [
        { what: 'plan', before: 'Free', after: 'Pro' },
        {
          what: 'limit requests_per_month',
          before: '100 requests a month',
          after: '10,000 requests a month',
        },
        { what: 'limit images', before: '10 operations a month, more is billed', after: 'none' },
        { what: 'limit volume', before: 'none', after: '5 GB of bytes a day' },
        { what: 'models', before: 'small', after: 'all' },
        { what: 'features', before: 'none', after: 'search' },
        { what: 'context of a call', before: "the model's own", after: '100,000 tokens' },
      ],
      pay_with: { plan: 'pro' },
    });
    const { text } = await page('?plan=pro');
    expect(text).toContain('Your choice: Pro, 9.00 USD a month');
    expect(text).toContain('<strong>10,000 requests a month</strong>');
  });

  it('a pack and an add-on', async () => {
    const { view } = await visitor();
    expect((await view('?pack=small'))['chosen']).toMatchObject({
      changes: [{ what: 'available balance', before: '0.0000 USD', after: '5.00 USD' }],
    });
    expect((await view('?add_on=course-7'))['chosen']).toMatchObject({
      price: '9.00 USD once',
      changes: [{ what: 'bought items', before: 'none', after: 'course-7' }],
    });
    expect((await view('?add_on=more'))['chosen']).toMatchObject({
      price: '1.00 USD for a month',
      changes: [{ before: '100 requests a month', after: '150 requests a month' }],
    });
  });

  it.each(['?plan=gone', '?plan=free', '?pack=huge', '?add_on=x'])(
    '%s: says that it cannot be bought, and offers the rest',
    async (query) => {
      const { page, view } = await visitor();
      const { status, text } = await page(query);
      expect(status).toBe(200);
      expect(text).toContain('on sale for this account.');
      expect(text).toContain('Switch to Pro');
      expect((await view(query))['chosen']).toBeUndefined();
    },
  );

  it('PLAN-05: an add-on is bought once, is on record, and ends with its month', async () => {
    const { buy, now } = await visitor();
    const answers = await Promise.all([1, 2, 3].map(() => buy({ add_on: 'course-7' }, 'once')));
    expect(answers.map(({ json }) => json['add_on'])).toEqual(Array(3).fill('course-7'));
    expect((await now()).purchases).toMatchObject([{ addOnId: 'course-7', expiresAt: undefined }]);
    await buy({ add_on: 'more' });
    const [, more] = (await now()).purchases;
    expect(more?.addOnId).toBe('more');
    const days = ((more?.expiresAt ?? 0) - (more?.at ?? 0)) / 86_400_000;
    expect(days).toBeGreaterThanOrEqual(28);
    expect(days).toBeLessThanOrEqual(31);
  });

  it('bounds what is in force at a time', async () => {
    const purchases = Array.from({ length: PURCHASES_MAX }, (_, index) => ({
      id: `pur_${index}`,
      addOnId: 'course-7',
      at: 1,
      expiresAt: undefined,
    }));
    const { buy } = await visitor({ terms: { purchases } });
    const { status, json } = await buy({ add_on: 'course-7' });
    expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(String(json['message'])).toContain('at most 200 purchases');
  });

  it.each<[string, Partial<TenantTerms>, string]>([
    [
      'a lapsed subscription',
      { subscription: { state: 'active', endsAt: 1 } },
      'Renew the subscription',
    ],
    [
      'a paused one',
      { subscription: { state: 'paused', endsAt: undefined } },
      'Renew the subscription',
    ],
    [
      'an overdue invoice',
      { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } },
      'Pay the overdue invoice',
    ],
    [
      'a failed renewal',
      { payment: { ...PLAIN_TERMS.payment, method: 'valid', failedAt: 1 } },
      'Pay what is open',
    ],
    [
      'a missing card',
      { payment: { ...PLAIN_TERMS.payment, method: 'missing' } },
      'Confirm a payment method',
    ],
    [
      'a dispute',
      { payment: { ...PLAIN_TERMS.payment, disputed: true } },
      'Settle the disputed payment',
    ],
    ['grace', { payment: { ...PLAIN_TERMS.payment, failedAt: Date.now() } }, 'Pay what is open'],
  ])(
    'DEG-06: %s is settled with one click, and nothing stands against the account',
    async (_title, terms, label) => {
      const { page, path, view, now, buy } = await visitor({ terms });
      const before = await page();
      expect(before.text).toContain('What is due');
      expect(before.text).toContain(`<button type="submit">${label}</button>`);
      const posted = await callForm(shop, path, { pay: 'due', nonce: 'n' });
      const after = await callPage(shop, String(posted.headers['location']), { accept: HTML });
      expect(after.text).toContain('Everything that was due is paid');
      expect(await view()).toMatchObject({ standing: { code: null, payments: 'good' } });
      expect((await now()).payment).toMatchObject({ failedAt: undefined, overdueInvoices: [] });
      expect((await buy({ pay: 'due' })).json['code']).toBe('INVALID_REQUEST');
    },
  );

  it('DEG-05: shows a reduced service, and a plan bought again renews what ended', async () => {
    const { page, buy, view } = await visitor({
      terms: { subscription: { state: 'active', endsAt: 1 } },
    });
    const { text } = await page('?plan=pro');
    expect(text).toContain('reduced until what is due is paid');
    expect(text).toContain('does not run');
    const bought = await buy({ plan: 'free' });
    expect(bought.json).toMatchObject({ plan: 'free', standing_code: null });
    expect(await view()).toMatchObject({ standing: { code: null, service_level: 'full' } });
  });

  it('says so when a purchase leaves something due', async () => {
    const { buy } = await visitor({
      terms: { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } },
    });
    const { json } = await buy({ pack: 'small' });
    expect(json).toMatchObject({
      standing_code: 'INVOICE_OVERDUE',
      message: 'Paid. Something else is still due on this account: Invoice overdue.',
    });
  });

  it('PLAN-11: use beyond the plan is allowed to the end of the billing cycle', async () => {
    const { page, buy, now, view } = await visitor({}, 'OVERAGE_AUTHORIZATION_REQUIRED');
    expect((await page()).text).toContain('Use beyond the plan');
    const { json } = await buy({ allow: 'overage' });
    const until = (await now()).overageAuthorizedUntil ?? 0;
    expect(json['overage_authorized_until']).toBe(new Date(until).toISOString());
    expect(until).toBeGreaterThan(Date.now());
    expect(await view()).toMatchObject({
      overage: {
        allowed_until: json['overage_authorized_until'],
        limits: [{ id: 'images', unit_price: '0.0200 USD' }],
      },
    });
    expect((await page()).text).toContain('It is allowed until');
  });

  it('PLAN-16: a member of a pool pays into the pool', async () => {
    const pool = await shop.addTenant({ name: 'The pool' });
    const { buy, page, view } = await visitor({
      terms: { parentId: pool.tenant.id, pooled: true },
    });
    await buy({ pack: 'small' });
    expect(await shop.store.grants(pool.tenant.id)).toHaveLength(1);
    expect(await view()).toMatchObject({ paid_by: pool.tenant.id, balance: { available: '5.00' } });
    expect((await page()).text).toContain('The pool');
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
