import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { callForm, callJson, callPage, HTML } from '../../../test/support/call-pages.ts';
import {
  startPublicPages,
  type PublicPages,
  type TenantMembers,
} from '../../../test/support/start-public-pages.ts';
import {
  buildCatalog,
  buildLimit,
  buildPlan,
  NO_GRANTS,
  READ_ONLY,
} from '../../../test/support/build-catalog.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import { PURCHASES_MAX } from '../../stores/store.ts';
import { signPayLink } from './signed-links.ts';

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
        degraded: READ_ONLY,
      }),
      buildPlan('team', {
        title: 'Team',
        priceNano: 0n,
        limits: [
          buildLimit(5e9, { id: 'spend_per_month', unit: 'spend' }),
          buildLimit(5e9, { id: 'volume', unit: 'bytes', window: 'day' }),
        ],
        rateLimits: [
          {
            id: 'rate_per_minute',
            scope: 'tenant',
            count: 600,
            periodMs: 60_000,
            burst: 100,
            class: 'protective',
          },
        ],
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
        {
          id: 'wider',
          title: 'Wider',
          priceNano: 2_000_000_000n,
          interval: 'month',
          grants: {
            ...NO_GRANTS,
            limits: [
              { id: 'spend_per_month', amount: 10e9 },
              { id: 'volume', amount: 10e6 },
              { id: 'of_another_plan', amount: 7 },
            ],
            rateLimits: [{ id: 'rate_per_minute', count: 500, burst: 50 }],
          },
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

  it('an add-on says what it adds in units of the limit, and nothing of limits the plan has not', async () => {
    const { page } = await visitor({ planId: 'team' });
    const { text } = await page();
    expect(text).toContain(
      '2.00 USD for a month, spend of 10.00 USD a month more, 10 MB of data a day more, 500 calls per 60 s more<',
    );
  });

  it('C402-04: what can lift the refusal comes first, what has nothing to do with it after the plans', async () => {
    const orderFor = async (cause: string) => {
      const { page } = await visitor({ planId: 'team' }, cause);
      const headings = (await page()).text.matchAll(/<h2>(Buy|Change|Other|Add)[^<]*<\/h2>/g);
      return Array.from(headings, ([, word]) => word);
    };
    expect(await orderFor('REQUEST_QUOTA_EXCEEDED')).toEqual(['Buy', 'Change', 'Other', 'Add']);
    expect(await orderFor('PURCHASE_REQUIRED')).toEqual(['Buy', 'Change', 'Other', 'Add']);
    expect(await orderFor('SUBSCRIPTION_EXPIRED')).toEqual(['Change', 'Other', 'Add']);
    expect(await orderFor('INSUFFICIENT_CREDITS')).toEqual(['Add', 'Change', 'Other']);
  });

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
        { what: 'limit volume', before: 'none', after: '5 GB of data a day' },
        { what: 'models', before: 'small', after: 'all' },
        { what: 'features', before: 'none', after: 'search' },
        { what: 'context of a call', before: "the model's own", after: '100,000 tokens' },
      ],
      pay_with: { plan: 'pro' },
    });
    const { text } = await page('?plan=pro');
    expect(text).toContain('Your choice: <bdi>Pro</bdi>, 9.00 USD a month');
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

  it('bound: of several bought at once where there is room for one, one is sold and the others are told why not', async () => {
    const purchases = Array.from({ length: PURCHASES_MAX - 1 }, (_, index) => ({
      id: `pur_${index}`,
      addOnId: 'course-7',
      at: 1,
      expiresAt: undefined,
    }));
    const { buy, now } = await visitor({ terms: { purchases } });
    const answers = await Promise.all([1, 2, 3, 4].map((key) => buy({ add_on: 'more' }, `${key}`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 400);
    expect(refused).toHaveLength(3);
    expect(String(refused[0]?.json['message'])).toContain('at most 200 purchases');
    expect((await now()).purchases).toHaveLength(PURCHASES_MAX);
    expect(shop.errors).toEqual([]);
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
