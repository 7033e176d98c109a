import { afterAll, beforeAll, expect, it } from 'vitest';

import { type AdminCall, callAdmin, makeTenant } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { PURCHASES_MAX } from '../../stores/store.ts';

let now = Date.UTC(2026, 10, 21);
let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ now: () => now });
});
afterAll(() => api.close());

const call = (path: string, options: AdminCall = {}) => callAdmin(api, path, options);
function buy(tenant: string, body: unknown, key: string) {
  const headers = { 'idempotency-key': key };
  return call(`/admin/tenants/${tenant}/purchases`, { body, headers });
}
async function purchasesOf(tenant: string): Promise<unknown> {
  return (await call(`/admin/tenants/${tenant}/purchases`)).json['data'];
}
async function allowedRequests(tenant: string): Promise<unknown> {
  const { json } = await call(`/admin/tenants/${tenant}`);
  const limits = json['limits'] as { id: string; limit: number }[];
  return limits.find(({ id }) => id === 'requests_per_month')?.limit;
}

it('PLAN-10: an add-on counts from its purchase to its end, and stays on record', async () => {
  const tenant = await makeTenant(api);
  const bought = await buy(tenant, { add_on: 'thousand', expires_at: '30d' }, 'first');
  expect(bought.status).toBe(201);
  expect(bought.headers['x-tollkeeper-in-force']).toBe('all');
  expect(bought.json).toEqual({
    id: expect.stringMatching(/^pur_[0-9a-f]{32}$/),
    add_on: 'thousand',
    bought_at: '2026-11-21T00:00:00.000Z',
    expires_at: '2026-12-21T00:00:00.000Z',
    in_force: true,
  });
  await buy(tenant, { add_on: 'thousand' }, 'second');
  expect(await allowedRequests(tenant)).toBe(3000);
  expect((await call(`/admin/tenants/${tenant}`)).json['purchases']).toHaveLength(2);
  const path = `/admin/tenants/${tenant}/purchases/${String(bought.json['id'])}`;
  const ended = await call(path, { method: 'DELETE' });
  const over = { ...bought.json, expires_at: '2026-11-21T00:00:00.000Z', in_force: false };
  expect([ended.status, ended.json]).toEqual([200, over]);
  expect(await allowedRequests(tenant)).toBe(2000);
  expect(await purchasesOf(tenant)).toContainEqual(over);
});

it('BILL-13: ten parallel orders with one key are one purchase and one answer, also after it was ended', async () => {
  const tenant = await makeTenant(api);
  const body = { add_on: 'course', expires_at: '2026-12-01' };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => buy(tenant, body, 'parallel')),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(await purchasesOf(tenant)).toEqual([answers[0]?.json]);
  const path = `/admin/tenants/${tenant}/purchases/${String(answers[0]?.json['id'])}`;
  await call(path, { method: 'DELETE' });
  const replayed = await buy(tenant, body, 'parallel');
  expect(replayed.headers['idempotent-replayed']).toBe('true');
  expect(replayed.text).toBe(answers[0]?.text);
  expect(await purchasesOf(tenant)).toMatchObject([{ in_force: false }]);
  expect((await buy(tenant, { add_on: 'course' }, 'parallel')).status).toBe(409);
});

it.each([
  ['an unknown add-on', { add_on: 'thousnd' }, 'did you mean "thousand"?'],
  ['no add-on', {}, 'add_on'],
  ['an expiry that is over', { add_on: 'course', expires_at: '2026-11-20' }, 'in the future'],
  ['an unknown member', { add_on: 'course', expires: '1d' }, 'did you mean expires_at?'],
])('400 for %s', async (title, body, fix) => {
  const tenant = await makeTenant(api);
  const answer = await buy(tenant, body, title.replaceAll(' ', '-'));
  expect([answer.status, answer.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  expect(answer.json['message']).toContain(fix);
  expect(await purchasesOf(tenant)).toEqual([]);
});

it('a purchase needs an Idempotency-Key, a tenant, and one that pays for itself', async () => {
  const tenant = await makeTenant(api);
  const path = `/admin/tenants/${tenant}/purchases`;
  const keyless = await call(path, { body: { add_on: 'course' } });
  expect(keyless.status).toBe(400);
  expect(keyless.json['message']).toContain('Idempotency-Key');
  expect((await buy('ten_none', { add_on: 'course' }, 'nobody')).status).toBe(404);
  expect((await call('/admin/tenants/ten_none/purchases')).status).toBe(404);
  const remove = { method: 'DELETE' };
  expect((await call('/admin/tenants/ten_none/purchases/pur_1', remove)).status).toBe(404);
  expect((await call(`${path}/pur_1`, remove)).json['code']).toBe('NOT_FOUND');
  const pooled = await makeTenant(api, { parent_id: tenant, pooled: true });
  const answer = await buy(pooled, { add_on: 'course' }, 'pooled');
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain(`add the purchase to tenant ${tenant}`);
});

it('PLAN-16: who has an add-on in force joins a pool once it has ended, for there it would count for nothing', async () => {
  const org = await makeTenant(api);
  const own = await makeTenant(api);
  const bought = await buy(own, { add_on: 'course' }, 'before-the-pool');
  const join = () =>
    call(`/admin/tenants/${own}`, { method: 'PATCH', body: { parent_id: org, pooled: true } });
  const refused = await join();
  expect([refused.status, refused.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  const id = String(bought.json['id']);
  expect(refused.json['message']).toContain(`purchase ${id} of add-on course`);
  await call(`/admin/tenants/${own}/purchases/${id}`, { method: 'DELETE' });
  expect((await join()).status).toBe(200);
});

it('bound: the 201st purchase in force is refused, and taken once one has ended', async () => {
  const tenant = await makeTenant(api);
  for (let index = 0; index < PURCHASES_MAX; index += 1) {
    const addPurchase = { id: `pur-${index}`, addOnId: 'course', at: now, expiresAt: undefined };
    await api.store.changeTenant(tenant, { addPurchase });
  }
  const answer = await buy(tenant, { add_on: 'course' }, 'one-more');
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('end one first');
  await call(`/admin/tenants/${tenant}/purchases/pur-3`, { method: 'DELETE' });
  now += 1000;
  expect((await buy(tenant, { add_on: 'course' }, 'one-more-later')).status).toBe(201);
  expect(await purchasesOf(tenant)).toHaveLength(PURCHASES_MAX);
});

it('BILL-13: an order that is repeated once its purchase has made room for others changes nothing', async () => {
  const tenant = await makeTenant(api);
  const first = await buy(tenant, { add_on: 'thousand' }, 'long-ago');
  const path = `/admin/tenants/${tenant}/purchases/${String(first.json['id'])}`;
  await call(path, { method: 'DELETE' });
  now += 1000;
  for (let index = 0; index < PURCHASES_MAX; index += 1) {
    const expiresAt = index === 0 ? now + 1 : undefined;
    const addPurchase = { id: `pur-${index}`, addOnId: 'course', at: now, expiresAt };
    await api.store.changeTenant(tenant, { addPurchase });
  }
  // Full, then with room: refused or brought back, if it were looked for among what is kept.
  for (const passed of [0, 1000]) {
    now += passed;
    const repeated = await buy(tenant, { add_on: 'thousand' }, 'long-ago');
    expect([repeated.status, repeated.text]).toEqual([201, first.text]);
    expect(repeated.headers['idempotent-replayed']).toBe('true');
    expect(await purchasesOf(tenant)).toHaveLength(PURCHASES_MAX);
    expect(await allowedRequests(tenant)).toBe(1000);
  }
});
