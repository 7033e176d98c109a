import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type AdminCall, callAdmin, makeTenant } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { windowOf } from '../../domain/window.ts';
import { quotaOf } from '../../stores/store-fixture.conformance.ts';

const NOW = Date.UTC(2026, 10, 21);
let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ now: () => NOW });
});
afterAll(() => api.close());

const call = (path: string, options: AdminCall = {}) => callAdmin(api, path, options);
const change = (id: string, body: unknown) =>
  call(`/admin/tenants/${id}`, { method: 'PATCH', body });

const PLAIN = {
  parent_id: null,
  pooled: false,
  time_zone: 'UTC',
  billing_anchor: null,
  subscription: { state: 'active', ends_at: null },
  payment: {
    method: 'not_required',
    failed_at: null,
    overdue_invoices: [],
    disputed: false,
    reauthorization_required: false,
  },
  account_state: 'active',
  overrides: [],
  purchases: [],
  overage_authorized_until: null,
  budget: null,
  budget_per: null,
  enforcement: null,
};
/** Everything that can be agreed, as it is given and as it is shown. */
const AGREED = {
  pooled: false,
  time_zone: 'Europe/Berlin',
  billing_anchor: '2026-11-05T00:00:00.000Z',
  subscription: { state: 'canceled', ends_at: '2026-12-01T00:00:00.000Z' },
  payment: {
    method: 'valid',
    failed_at: '2026-11-20T00:00:00.000Z',
    overdue_invoices: ['inv-1', 'inv-2'],
    disputed: true,
    reauthorization_required: true,
  },
  account_state: 'unverified',
  overrides: [
    { limit_id: 'requests_per_month', amount: 5000, expires_at: '2027-01-01T00:00:00.000Z' },
    { limit_id: 'spend_per_day', amount: '7.50 USD', expires_at: null },
  ],
  overage_authorized_until: '2026-12-31T00:00:00.000Z',
  budget: '50.00 USD',
  budget_per: 'month',
  enforcement: 'observe',
};

it('creates, shows and changes a tenant', async () => {
  const created = await call('/admin/tenants', { body: { name: ' Bürk & Söhne ', plan: 'free' } });
  expect(created.status).toBe(201);
  expect(created.headers['x-tollkeeper-in-force']).toBe('all');
  expect(created.json).toEqual({
    id: expect.stringMatching(/^ten_[0-9a-f]{32}$/),
    name: 'Bürk & Söhne',
    plan: 'free',
    ...PLAIN,
    created_at: '2026-11-21T00:00:00.000Z',
  });
  const id = String(created.json['id']);
  expect((await change(id, { plan: 'business', name: 'Bürk' })).json).toEqual({
    ...created.json,
    plan: 'business',
    name: 'Bürk',
  });
  expect((await call(`/admin/tenants/${id}`)).json).toMatchObject({
    plan: 'business',
    plan_version: 'business-v1',
    paid_by: id,
    balance: { asset: 'USD', settled: '0.00', held: '0.00', available: '0.00' },
    standing: { subscription: 'active', payments: 'good', code: null },
    limits: [
      {
        id: 'requests_per_month',
        unit: 'requests',
        limit: 1000,
        used: 0,
        held: 0,
        remaining: 1000,
      },
      { id: 'spend_per_day', unit: 'spend', limit: '2.50', used: '0.00', remaining: '2.50' },
    ].toSorted((left, right) => (left.id < right.id ? -1 : 1)),
  });
});

describe('what is agreed', () => {
  it('is shown as it was given, at creation and by every change', async () => {
    const created = await call('/admin/tenants', { body: { name: 'A', plan: 'free', ...AGREED } });
    expect(created.json).toMatchObject(AGREED);
    const id = await makeTenant(api);
    expect((await change(id, AGREED)).json).toMatchObject({ ...PLAIN, ...AGREED });
    // What is shown can be given back.
    const { id: _id, created_at: _at, purchases: _bought, ...shown } = created.json;
    expect((await change(id, shown)).json).toMatchObject(shown);
  });

  it.each([
    ['America/New_York', '2026-11-05T17:00:00.000Z', '2026-12-05T05:00:00.000Z'],
    ['Asia/Tokyo', '2026-11-05T03:00:00.000Z', '2026-12-04T15:00:00.000Z'],
    ['UTC', '2026-11-05T12:00:00.000Z', '2026-12-05T00:00:00.000Z'],
  ])('QUOTA-02: a billing anchor that is a date is that day in %s', async (zone, noon, endsAt) => {
    const anchor = { billing_anchor: '2026-11-05' };
    const ids = [await makeTenant(api, { time_zone: zone, ...anchor }), await makeTenant(api)];
    await change(ids[1] ?? '', { time_zone: zone });
    await change(ids[1] ?? '', anchor);
    for (const id of ids) {
      const { terms } = (await api.store.tenant(id)) ?? {};
      if (terms === undefined) throw new Error('no tenant');
      expect(new Date(terms.billingAnchorAt ?? 0).toISOString()).toBe(noon);
      expect(windowOf('billing_cycle', NOW, terms).endsAt).toBe(Date.parse(endsAt));
      // In a zone further west the cycle keeps its day and its name.
      const west = { ...terms, timeZone: 'Atlantic/Azores' };
      expect(windowOf('billing_cycle', NOW, west).id).toBe(
        windowOf('billing_cycle', NOW, terms).id,
      );
      expect(windowOf('billing_cycle', NOW, west).endsAt).toBe(Date.parse('2026-12-05T01:00:00Z'));
    }
  });

  it('a change touches what it names; null takes away', async () => {
    const id = await makeTenant(api, AGREED);
    const { json } = await change(id, {
      billing_anchor: null,
      enforcement: null,
      overage_authorized_until: null,
      overrides: [],
      subscription: { ends_at: null },
      payment: { failed_at: null, disputed: false, overdue_invoices: [] },
    });
    expect(json).toMatchObject({
      ...AGREED,
      billing_anchor: null,
      enforcement: null,
      overage_authorized_until: null,
      overrides: [],
      subscription: { state: 'canceled', ends_at: null },
      payment: {
        method: 'valid',
        failed_at: null,
        disputed: false,
        overdue_invoices: [],
        reauthorization_required: true,
      },
    });
  });

  it('PLAN-13: an override shows in the limits until it ends', async () => {
    const overrides = [{ limit_id: 'requests_per_month', amount: '5000', expires_at: '1h' }];
    const id = await makeTenant(api, { overrides });
    const limits = async () => (await call(`/admin/tenants/${id}`)).json['limits'];
    expect(await limits()).toContainEqual(expect.objectContaining({ limit: 5000 }));
    const over = [{ ...overrides[0], expires_at: '2026-11-20' }];
    await change(id, { overrides: over });
    expect(await limits()).toContainEqual(expect.objectContaining({ limit: 1000 }));
  });

  it('PLAN-13: on a plan that has left the configuration an override is not taken for another amount', async () => {
    const id = await makeTenant(api, {
      overrides: [{ limit_id: 'spend_per_day', amount: '7.50' }],
    });
    const left = { limitId: 'left_with_the_plan', amount: 7_500_000_000, expiresAt: undefined };
    const kept = (await api.store.tenant(id))?.terms.overrides ?? [];
    const terms = { overrides: [...kept, left] };
    await api.store.changeTenant(id, { planId: 'gone', terms });
    expect((await call(`/admin/tenants/${id}`)).json['overrides']).toEqual([
      { limit_id: 'spend_per_day', amount: '7.50 USD', expires_at: null },
      { limit_id: 'left_with_the_plan', amount: null, expires_at: null },
    ]);
    for (const amount of ['7.50', 8, '8']) {
      const overrides = [{ limit_id: 'spend_per_day', amount }];
      expect(await change(id, { overrides })).toMatchObject({
        status: 404,
        json: { code: 'PLAN_NOT_FOUND', details: { id: 'gone' } },
      });
    }
    const overrides = [{ limit_id: 'spend_per_day', amount: '8.00' }];
    expect((await change(id, { overrides: [], name: 'Ada' })).status).toBe(200);
    expect((await change(id, { overrides, plan: 'free' })).json['overrides']).toMatchObject([
      { amount: '8.00 USD' },
    ]);
  });

  it('how the tenant stands is worked out from it', async () => {
    const id = await makeTenant(api, { payment: { failed_at: '2026-11-20' } });
    const standing = async () => (await call(`/admin/tenants/${id}`)).json['standing'];
    expect(await standing()).toMatchObject({
      payments: 'grace',
      code: null,
      grace_ends_at: '2026-11-27T00:00:00.000Z',
    });
    await change(id, { payment: { overdue_invoices: ['inv-7'] } });
    expect(await standing()).toMatchObject({ payments: 'delinquent', code: 'INVOICE_OVERDUE' });
  });

  it('SUB-07: a clock that is a little ahead makes no grace longer', async () => {
    const payment = { failed_at: new Date(NOW + 60_000).toISOString() };
    expect((await change(await makeTenant(api), { payment })).json['payment']).toMatchObject({
      failed_at: new Date(NOW).toISOString(),
    });
  });

  it.each(['on its own', 'a part of a pool'])(
    'limits of single keys of a tenant %s are listed once they are used',
    async (how) => {
      const pool = { parent_id: await makeTenant(api), pooled: true };
      const id = await makeTenant(api, how === 'on its own' ? {} : pool);
      const owner = `worker of ${id}`;
      const spec = {
        ...quotaOf(id, 5000),
        limit: {
          id: 'own_calls',
          unit: 'requests',
          window: 'lifetime',
          scope: 'key',
          keyId: 'key_1',
        },
      } as const;
      await api.store.openOwner(owner, NOW);
      const wish = { index: 1, account: spec, grantedBefore: 0, need: 5, want: 5, ask: true };
      await api.store.acquire(owner, [wish], NOW);
      await api.store.closeOwner({
        owner,
        now: NOW,
        seq: 1,
        leases: [{ index: 1, charged: 3, granted: 3, close: true, answersRecall: false }],
        overruns: [],
        changesAfter: 0,
      });
      expect((await call(`/admin/tenants/${id}`)).json['limits']).toContainEqual(
        expect.objectContaining({ id: 'own_calls', key_id: 'key_1', limit: 5000, used: 3 }),
      );
    },
  );
});

describe('BILL-05: the budget of a tenant', () => {
  it('another amount keeps what it is for; without one there is nothing it is for', async () => {
    const id = await makeTenant(api, { budget: '50.00', budget_per: 'month' });
    expect((await change(id, { budget: '60.00' })).json).toMatchObject({
      budget: '60.00 USD',
      budget_per: 'month',
    });
    expect((await change(id, { budget: '70.00', budget_per: null })).json).toMatchObject({
      budget_per: 'lifetime',
    });
    const none = { budget: null, budget_per: null };
    expect((await change(id, none)).json).toMatchObject(none);
    expect((await change(id, { budget: '5.00' })).json).toMatchObject({ budget_per: 'lifetime' });
  });

  it('is listed with the budgets above it, a part of a pool having its own', async () => {
    const org = await makeTenant(api, { budget: '50.00', budget_per: 'month' });
    const part = await makeTenant(api, { parent_id: org, pooled: true, budget: '30.00' });
    const { json } = await call(`/admin/tenants/${part}`);
    const budgets = (json['limits'] as { id: string }[]).filter(({ id }) => id === 'tenant_budget');
    expect(budgets).toMatchObject([
      { from: 'tenant', window: 'lifetime', limit: '30.00', used: '0.00', scope: 'tenant' },
      { from: 'ancestor', window: 'month', limit: '50.00', used: '0.00', scope: 'tenant' },
    ]);
  });
});

describe('trees of tenants', () => {
  it('PLAN-16: a department below an organisation, listed below it; a pool draws on its parent', async () => {
    const org = await makeTenant(api, { name: 'Org', plan: 'business' });
    const pooled = await makeTenant(api, { parent_id: org, pooled: true });
    const other = await makeTenant(api, { parent_id: org });
    const { json } = await call(`/admin/tenants?parent_id=${org}`);
    const below = (json['data'] as { id: string; parent_id: string }[]).map(({ id }) => id);
    expect(below.toSorted()).toEqual([pooled, other].toSorted());
    expect((await call(`/admin/tenants/${pooled}`)).json).toMatchObject({
      plan_title: 'business',
      paid_by: org,
      parent_id: org,
    });
    expect((await call(`/admin/tenants/${other}`)).json).toMatchObject({
      paid_by: other,
      // Its own, and those of the tenant above.
      limits: expect.arrayContaining([
        expect.objectContaining({ id: 'requests_per_month', from: 'plan' }),
        expect.objectContaining({ id: 'requests_per_month', from: 'ancestor' }),
      ]),
    });
    expect((await change(other, { parent_id: null })).json['parent_id']).toBeNull();
  });

  it('a tenant above itself, a parent that does not exist, too many above: said before anything changes', async () => {
    const top = await makeTenant(api);
    let low = top;
    for (let depth = 0; depth < 8; depth += 1) low = await makeTenant(api, { parent_id: low });
    const circle = await change(top, { parent_id: low });
    expect(circle).toMatchObject({
      status: 400,
      json: { code: 'INVALID_REQUEST', details: { pointer: '/parent_id' } },
    });
    expect(circle.json['message']).toContain('cannot be above itself');
    const body = { name: 'A', plan: 'free', parent_id: low };
    const deep = await call('/admin/tenants', { body });
    expect(deep.status).toBe(400);
    expect(deep.json['message']).toContain('choose a parent nearer to the top');
    expect(await change(top, { parent_id: 'ten_none' })).toMatchObject({
      status: 404,
      json: { code: 'TENANT_NOT_FOUND', details: { pointer: '/parent_id' } },
    });
    expect((await call('/admin/tenants?parent_id=ten_none')).status).toBe(404);
  });

  it('a pool without a parent, and an agreement with a part of a pool, are mistakes', async () => {
    const id = await makeTenant(api);
    expect((await change(id, { pooled: true })).json).toMatchObject({
      code: 'INVALID_REQUEST',
      details: { pointer: '/pooled', reason: expect.stringContaining('set parent_id too') },
    });
    const pooled = await makeTenant(api, { parent_id: id, pooled: true });
    const overrides = [{ limit_id: 'requests_per_month', amount: 1 }];
    expect((await change(pooled, { overrides })).json).toMatchObject({
      details: { pointer: '/overrides', reason: expect.stringContaining(id) },
    });
    expect((await change(pooled, { parent_id: null })).status).toBe(400);
    expect((await change(pooled, { parent_id: null, pooled: false })).status).toBe(200);
  });

  it('two operators at once: who joins a pool keeps the parent, or does not join', async () => {
    const parent = await makeTenant(api);
    const id = await makeTenant(api, { parent_id: parent });
    const answers = await Promise.all([
      change(id, { pooled: true }),
      change(id, { parent_id: null }),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400]));
    const { json } = await call(`/admin/tenants/${id}`);
    expect(json['pooled']).toBe(json['parent_id'] !== null);
  });
});

describe('PLAN-16: no money is stranded by a pool', () => {
  const grant = (id: string, body: object) =>
    call(`/admin/tenants/${id}/grants`, { body, headers: { 'idempotency-key': `pool-${id}` } });

  it('credit for a part of a pool is refused, and says who can have it', async () => {
    const org = await makeTenant(api);
    const part = await makeTenant(api, { parent_id: org, pooled: true });
    const answer = await grant(part, { amount: '5.00' });
    expect([answer.status, answer.json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(answer.json['message']).toContain(`add the credit to tenant ${org}`);
    expect((await grant(org, { amount: '5.00' })).status).toBe(201);
    expect((await call(`/admin/tenants/${part}`)).json['balance']).toMatchObject({
      available: '5.00',
    });
  });

  it('who has credit of its own left is no part of a pool yet', async () => {
    const org = await makeTenant(api);
    const own = await makeTenant(api);
    await grant(own, { amount: '4.90' });
    const answer = await change(own, { parent_id: org, pooled: true });
    expect([answer.status, answer.json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(answer.json['details']).toMatchObject({
      pointer: '/pooled',
      reason: expect.stringMatching(/has 4\.90 USD of its own.*once that is spent or has expired/),
    });
    expect((await change(own, { parent_id: org })).status).toBe(200);
    const spent = await makeTenant(api);
    const overrides = [{ limit_id: 'requests_per_month', amount: 5 }];
    const agreed = { parent_id: org, pooled: true };
    expect((await change(spent, { parent_id: org, overrides })).status).toBe(200);
    expect((await change(spent, agreed)).json['details']).toMatchObject({
      pointer: '/pooled',
      reason: expect.stringContaining('override of limit requests_per_month of its own'),
    });
    expect((await change(spent, { ...agreed, overrides: [] })).status).toBe(200);
    expect((await change(spent, { name: 'Part', pooled: true })).status).toBe(200);
  });
});

it.each([
  ['nothing', {}, undefined, 'give at least one member'],
  ['an unknown member', { time_zon: 'UTC' }, '/time_zon', 'did you mean time_zone?'],
  ['an unknown member inside', { payment: { methd: 1 } }, '/payment/methd', 'did you mean method?'],
  ['a time zone', { time_zone: 'Europe/Berln' }, '/time_zone', 'Did you mean "Europe/Berlin"?'],
  ['an offset', { time_zone: '+01:00' }, '/time_zone', 'is not a time zone'],
  ['a state', { subscription: { state: 'cancelled' } }, '/subscription/state', '"canceled"'],
  ['a method', { payment: { method: 'card' } }, '/payment/method', '"not_required"'],
  ['a time', { billing_anchor: 'monday' }, '/billing_anchor', 'such as 2026-12-31T00:00:00Z'],
  [
    'a failure to come',
    { payment: { failed_at: '365d' } },
    '/payment/failed_at',
    'must not be in the future',
  ],
  [
    'a failure more than a minute from now',
    { payment: { failed_at: new Date(NOW + 60_001).toISOString() } },
    '/payment/failed_at',
    'must not be in the future',
  ],
  ['an old time', { payment: { failed_at: '1999-01-01' } }, '/payment/failed_at', '20 years ago'],
  ['an account', { account_state: 'banned' }, '/account_state', '"suspended"'],
  ['enforcement', { enforcement: 'off' }, '/enforcement', '"observe"'],
  ['a budget', { budget: '5.00 EUR' }, '/budget', 'must be in USD'],
  ['a budget of nothing', { budget: '0' }, '/budget', 'more than 0'],
  ['the time of a budget', { budget: '5', budget_per: 'months' }, '/budget_per', '"month"'],
  ['a time without a budget', { budget_per: 'month' }, '/budget_per', 'give "budget" with it'],
  [
    'a time for no budget',
    { budget: null, budget_per: 'month' },
    '/budget_per',
    'give "budget" with it',
  ],
  ['null', { pooled: null }, '/pooled', 'boolean'],
  [
    'a limit',
    { overrides: [{ limit_id: 'request_per_month', amount: 1 }] },
    '/overrides/0/limit_id',
    'did you mean "requests_per_month"?',
  ],
  [
    'an amount',
    { overrides: [{ limit_id: 'requests_per_month', amount: 1.5 }] },
    '/overrides/0/amount',
    'whole number of requests',
  ],
  [
    'money without a unit',
    { overrides: [{ limit_id: 'spend_per_day', amount: 5 }] },
    '/overrides/0/amount',
    'such as "5.00 USD"',
  ],
  [
    'one limit twice',
    {
      overrides: [
        { limit_id: 'requests_per_month', amount: 1 },
        { limit_id: 'requests_per_month', amount: 2 },
      ],
    },
    '/overrides',
    'one override a limit',
  ],
  [
    'too many overrides',
    {
      overrides: Array.from({ length: 101 }, () => ({ limit_id: 'requests_per_month', amount: 1 })),
    },
    '/overrides',
    '100',
  ],
  [
    'too many invoices',
    { payment: { overdue_invoices: Array.from({ length: 101 }, (_, index) => `inv-${index}`) } },
    '/payment/overdue_invoices',
    '100',
  ],
])('400 that names member and fix: %s', async (_title, body, pointer, fix) => {
  const id = await makeTenant(api);
  const before = await call(`/admin/tenants/${id}`);
  const answer = await change(id, body);
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    code: 'INVALID_REQUEST',
    details: pointer === undefined ? {} : { pointer },
  });
  expect(answer.json['message']).toContain(fix);
  expect((await call(`/admin/tenants/${id}`)).json).toEqual(before.json);
});

it('the log line of a change says what was changed by ids alone', async () => {
  const id = await makeTenant(api);
  await change(id, { name: 'Secret Name', plan: 'business' });
  const lines = api.logLines.filter((line) => line.includes(id));
  expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({
    action: 'tenant-changed',
    tenant_id: id,
    plan: 'business',
  });
  expect(lines.join('')).not.toContain('Secret Name');
});
