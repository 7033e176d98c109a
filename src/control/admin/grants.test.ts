import { afterAll, beforeAll, expect, it } from 'vitest';

import { makeTenant, openAdminCalls } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { StoreError } from '../../stores/store-error.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const call = openAdminCalls(() => api);
function grant(tenant: string, body: unknown, key: string, from = api) {
  return call(`/admin/tenants/${tenant}/grants`, {
    body,
    headers: { 'idempotency-key': key },
    from,
  });
}

it('lists in pages that neither skip nor repeat', async () => {
  const own = await startAdminApi();
  const created: string[] = [];
  for (let index = 0; index < 5; index += 1) created.push(await makeTenant(own));
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 3; page += 1) {
    const { json } = await call(`/admin/tenants?limit=2&cursor=${cursor}`, { from: own });
    for (const tenant of json['data'] as { id: string }[]) seen.push(tenant.id);
    expect(json['has_more']).toBe(page < 2);
    cursor = String(json['next_cursor']);
  }
  expect(cursor).toBe('null');
  expect(seen).toEqual(created.toSorted());
  await own.close();
});

it('the balance shows what was granted and what a running call holds', async () => {
  const tenant = await makeTenant(api);
  await grant(tenant, { amount: '5.00' }, 'balance-1');
  await grant(tenant, { amount: '0.000000001 USD', category: 'promotional' }, 'balance-2');
  expect((await call(`/admin/tenants/${tenant}`)).json['balance']).toEqual({
    asset: 'USD',
    settled: '5.000000001',
    held: '0.00',
    available: '5.000000001',
  });
});

it('BILL-13: ten parallel grants with one key are one grant and one answer', async () => {
  const tenant = await makeTenant(api);
  const body = { amount: '5.00 USD', expires_at: '30d', priority: 7 };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => grant(tenant, body, 'parallel')),
  );
  const again = await grant(
    tenant,
    { priority: 7, expires_at: '30d', amount: '5.00 USD' },
    'parallel',
  );
  expect(new Set([...answers, again].map((answer) => `${answer.status} ${answer.text}`)).size).toBe(
    1,
  );
  expect(again.status).toBe(201);
  expect(again.headers['idempotent-replayed']).toBe('true');
  expect(again.json).toMatchObject({
    tenant_id: tenant,
    amount: '5.00 USD',
    remaining: '5.00 USD',
    category: 'paid',
    priority: 7,
    source: 'admin',
  });
  const { json } = await call(`/admin/tenants/${tenant}/grants`);
  expect(json['data']).toEqual([again.json]);
});

it('BILL-13: the same key with another body is 409 IDEMPOTENCY_CONFLICT and changes nothing', async () => {
  const [tenant, other] = [await makeTenant(api), await makeTenant(api)];
  await grant(tenant, { amount: '5.00' }, 'conflict');
  for (const [id, body] of [
    [tenant, { amount: '6.00' }],
    [tenant, { amount: '5.00', category: 'promotional' }],
    [other, { amount: '5.00' }],
  ] as const) {
    const answer = await grant(id, body, 'conflict');
    expect(answer.status).toBe(409);
    expect(answer.json['code']).toBe('IDEMPOTENCY_CONFLICT');
  }
  expect((await call(`/admin/tenants/${other}/grants`)).json['data']).toEqual([]);
});

it('bound: a body nested deeper than the stack is told so, and is no failure of ours', async () => {
  const tenant = await makeTenant(api);
  const body = `{"amount":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  const { status, json } = await grant(tenant, body, 'deep');
  expect([status, json['code']]).toEqual([400, 'INVALID_REQUEST']);
  expect(String(json['message'])).toContain('nested deeper than 256 levels');
});

it('BILL-13: two different bodies racing for one key: one is a grant, the other 409', async () => {
  const tenant = await makeTenant(api);
  const answers = await Promise.all([
    grant(tenant, { amount: '1.00' }, 'race'),
    grant(tenant, { amount: '2.00' }, 'race'),
  ]);
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201, 409]));
  expect((await call(`/admin/tenants/${tenant}/grants`)).json['data']).toHaveLength(1);
});

it('BILL-13: a repeated grant keeps its first answer after its expiry has passed', async () => {
  let now = Date.UTC(2026, 10, 21);
  const own = await startAdminApi({ now: () => now });
  const tenant = await makeTenant(own);
  const body = { amount: '5.00', expires_at: '2026-11-22' };
  const first = await grant(tenant, body, 'expired', own);
  expect(first.json['expires_at']).toBe('2026-11-22T00:00:00.000Z');
  now += 7 * 86_400_000;
  const again = await grant(tenant, body, 'expired', own);
  expect([again.status, again.text]).toEqual([201, first.text]);
  await own.close();
});

it('a crash between remembering and granting is healed by the retry', async () => {
  let failures = 1;
  const own = await startAdminApi({
    wrapStore: (store) =>
      new Proxy(store, {
        get(target, name) {
          if (name === 'addGrant' && failures > 0) {
            failures -= 1;
            return () => Promise.reject(new StoreError('unavailable', 'the store thread ended'));
          }
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
  });
  const tenant = await makeTenant(own);
  const first = await grant(tenant, { amount: '5.00' }, 'crash', own);
  expect([first.status, first.json['code']]).toEqual([503, 'BILLING_UNAVAILABLE']);
  const second = await grant(tenant, { amount: '5.00' }, 'crash', own);
  expect(second.status).toBe(201);
  expect((await call(`/admin/tenants/${tenant}`, { from: own })).json).toMatchObject({
    balance: { available: '5.00' },
  });
  await own.close();
});

it('a tenant cannot be granted more than can be counted exactly', async () => {
  const tenant = await makeTenant(api);
  expect((await grant(tenant, { amount: '9000000.00' }, 'most')).status).toBe(201);
  const answer = await grant(tenant, { amount: '8000.00' }, 'more');
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('9007199.254740991 USD');
});

it('of two grants at once that are too much together one is refused, and so is its repetition', async () => {
  const tenant = await makeTenant(api);
  const both = () =>
    Promise.all(
      ['left', 'right'].map((side) => grant(tenant, { amount: '9000000.00' }, `together-${side}`)),
    );
  for (const answers of [await both(), await both()]) {
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 400]));
    expect(answers.find(({ status }) => status === 400)?.json).toMatchObject({
      code: 'INVALID_REQUEST',
      details: { pointer: '/amount', reason: expect.stringContaining('9000000.00 USD now') },
    });
  }
});
