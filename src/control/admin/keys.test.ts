import { afterAll, beforeAll, expect, it } from 'vitest';

import { type AdminCall, callAdmin, makeTenant } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { parseApiKey } from '../../domain/api-key.ts';
import { sha256Hex } from '../../platform/sha256.ts';

const NOW = Date.UTC(2026, 10, 21);
let api: AdminApi;
let tenant: string;
beforeAll(async () => {
  api = await startAdminApi({ now: () => NOW });
  tenant = await makeTenant(api);
});
afterAll(() => api.close());

const call = (path: string, options: AdminCall = {}) => callAdmin(api, path, options);
const change = (id: string, body: unknown) => call(`/admin/keys/${id}`, { method: 'PATCH', body });
async function makeKey(members: object = {}) {
  const { status, json } = await call('/admin/keys', { body: { tenant_id: tenant, ...members } });
  expect(status).toBe(201);
  return { id: String(json['id']), key: String(json['key']), json };
}

/** Everything a key may be narrowed by, as it is given and as it is shown. */
const NARROW = {
  name: 'ci',
  budget: '1.50 USD',
  budget_per: 'month',
  expires_at: '2026-12-01T00:00:00.000Z',
  apis: ['weather'],
  models: ['small'],
  operations: ['weather'],
  addresses: ['203.0.113.7', '10.0.0.0/8', 'fd00::/8'],
  roles: ['reader', 'team:ops'],
  context_tokens_max: 9000,
};

it('KEY-02, KEY-05: what a key may do is shown as it was given, at creation and by every change', async () => {
  const made = await makeKey({ ...NARROW, environment: 'test' });
  expect(made.json).toMatchObject({ ...NARROW, environment: 'test' });
  const plain = await makeKey();
  expect(plain.json).toMatchObject({
    name: 'default',
    budget: null,
    budget_per: null,
    apis: [],
    roles: [],
    context_tokens_max: null,
    limits: [],
  });
  expect((await change(plain.id, NARROW)).json).toMatchObject(NARROW);
  expect((await call(`/admin/keys/${plain.id}`)).json).toMatchObject(NARROW);
  const opened = {
    budget: null,
    budget_per: null,
    expires_at: null,
    context_tokens_max: null,
    apis: [],
  };
  expect((await change(plain.id, opened)).json).toMatchObject({ ...NARROW, ...opened });
  const found = await api.store.findKey(sha256Hex(made.key));
  expect(found?.key).toMatchObject({
    budgetNano: 1_500_000_000,
    terms: {
      budgetWindow: 'month',
      apis: ['weather'],
      contextTokensMax: 9000,
      roles: ['reader', 'team:ops'],
    },
  });
});

it('KEY-02: limits of a key have names of their own, so that none is an account of its plan', async () => {
  const limits = [
    { unit: 'requests', window: 'day', amount: 100 },
    { unit: 'spend', window: 'month', amount: '5.00', class: 'protective' },
    { unit: 'concurrent_requests', amount: '2' },
    { id: 'large_ones', unit: 'tokens', window: 'hour', amount: 5, models: ['large'], soft: true },
    { unit: 'requests', window: 'sliding_hour', amount: 10 },
  ];
  const { id, json } = await makeKey({ limits });
  const common = { class: 'commercial', soft: false, models: [], routes: [], operations: [] };
  const shown = [
    { ...common, ...limits[0], id: 'own_requests_per_day' },
    { ...common, ...limits[1], id: 'own_spend_per_month', amount: '5.00 USD' },
    { ...common, ...limits[2], id: 'own_concurrent_requests', amount: 2, window: null },
    { ...common, ...limits[3], id: 'own_large_ones' },
    { ...common, ...limits[4], id: 'own_requests_per_sliding_hour' },
  ];
  expect(json['limits']).toEqual(shown);
  expect((await change(id, { limits: shown })).json['limits']).toEqual(shown);
  const kept = (await api.store.key(id))?.terms.limits ?? [];
  expect(kept.map(({ scope, overage }) => [scope, overage.kind])).toEqual(
    Array.from({ length: 5 }, () => ['key', 'block']),
  );
  expect(kept[1]?.amount).toBe(5_000_000_000);
});

it('KEY-01: a regenerated key is the same key with another secret; the old one is unknown', async () => {
  const made = await makeKey({ ...NARROW, environment: 'test' });
  const again = await call(`/admin/keys/${made.id}/regenerate`, { method: 'POST' });
  expect(again.status).toBe(200);
  const { key: _old, hint: _hint, ...rest } = made.json;
  expect(again.json).toMatchObject(rest);
  const secret = String(again.json['key']);
  expect(secret).not.toBe(made.key);
  expect(parseApiKey(secret)).toEqual({ environment: 'test' });
  expect(again.json['hint']).toBe(`tk_test_...${secret.slice(-4)}`);
  expect(await api.store.findKey(sha256Hex(made.key))).toBeUndefined();
  expect((await api.store.findKey(sha256Hex(secret)))?.key.id).toBe(made.id);
  expect((await call(`/admin/keys/${made.id}`)).text).not.toContain(secret);
  expect(api.logLines.join('')).not.toContain(secret);
});

it('KEY-01: a revoked key stays revoked: no new secret for it', async () => {
  const { id } = await makeKey();
  await call(`/admin/keys/${id}/revoke`, { method: 'POST' });
  const answer = await call(`/admin/keys/${id}/regenerate`, { method: 'POST' });
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('create a new one');
});

it.each(['', '/regenerate', '/revoke'])('a key that is not there is 404: %s', async (action) => {
  const method = action === '' ? 'PATCH' : 'POST';
  const body = action === '' ? { name: 'x' } : undefined;
  const answer = await call(`/admin/keys/key_none${action}`, { method, body });
  expect([answer.status, answer.json['code']]).toEqual([404, 'KEY_NOT_FOUND']);
});

it.each([
  ['nothing', {}, undefined, 'give at least one member'],
  ['a tenant, which cannot change', { tenant_id: 'x' }, '/tenant_id', 'unknown'],
  ['an environment, which cannot change', { environment: 'live' }, '/environment', 'unknown'],
  ['an unknown member', { expires: '30d' }, '/expires', 'did you mean expires_at?'],
  ['an API', { apis: ['wether'] }, '/apis/0', 'did you mean "weather"?'],
  ['a model', { models: ['gpt'] }, '/models/0', 'there are: small, large'],
  ['an operation', { operations: ['x'] }, '/operations/0', 'there are: weather'],
  ['an address', { addresses: ['10.0.0.0/33'] }, '/addresses/0', '10.0.0.0/8'],
  ['half an address', { addresses: ['10.0.0'] }, '/addresses/0', '10.0.0.0/8'],
  ['two slashes', { addresses: ['10.0.0.0/8/8'] }, '/addresses/0', '10.0.0.0/8'],
  ['an empty prefix', { addresses: ['10.0.0.0/'] }, '/addresses/0', '10.0.0.0/8'],
  ['one thing twice', { models: ['small', 'small'] }, '/models', 'twice'],
  ['a role', { roles: ['a b'] }, '/roles/0', 'letters, digits'],
  ['a context', { context_tokens_max: 0 }, '/context_tokens_max', '1'],
  ['a budget', { budget: '5.00 EUR' }, '/budget', 'must be in USD'],
  ['a time without a budget', { budget_per: 'month' }, '/budget_per', 'give "budget" with it'],
  [
    'a day that there is not',
    { expires_at: '2027-02-31' },
    '/expires_at',
    'must be a time such as',
  ],
  ['a past expiry', { expires_at: '2026-11-20' }, '/expires_at', 'must be in the future'],
  [
    'a limit without a window',
    { limits: [{ unit: 'requests', amount: 1 }] },
    '/limits/0/window',
    'one of second',
  ],
  [
    'a month that slides',
    { limits: [{ unit: 'requests', window: 'sliding_month', amount: 1 }] },
    '/limits/0/window',
    'sliding_week',
  ],
  [
    'a slot with a window',
    { limits: [{ unit: 'concurrent_requests', window: 'day', amount: 1 }] },
    '/limits/0/window',
    'leave it out',
  ],
  [
    'a limit of money as a number',
    { limits: [{ unit: 'spend', window: 'day', amount: 1 }] },
    '/limits/0/amount',
    '"5.00 USD"',
  ],
  [
    'a misspelt member of a limit',
    { limits: [{ unit: 'requests', windwo: 'day', amount: 1 }] },
    '/limits/0/windwo',
    'did you mean window?',
  ],
  [
    'two limits with one name',
    {
      limits: [
        { unit: 'requests', window: 'day', amount: 1 },
        { id: 'own_requests_per_day', unit: 'tokens', window: 'day', amount: 1 },
      ],
    },
    '/limits',
    'another "id"',
  ],
  [
    'more limits than 32',
    {
      limits: Array.from({ length: 33 }, (_, index) => ({
        ...{ id: `l${index}`, unit: 'requests', window: 'day', amount: 1 },
      })),
    },
    '/limits',
    '32',
  ],
  [
    'more names than 256',
    { addresses: Array.from({ length: 257 }, (_, index) => `10.0.${index % 250}.${index}`) },
    '/addresses',
    '256',
  ],
])('400 that names member and fix: %s', async (_title, body, pointer, fix) => {
  const { id } = await makeKey(NARROW);
  const answer = await change(id, body);
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    code: 'INVALID_REQUEST',
    details: pointer === undefined ? {} : { pointer },
  });
  expect(answer.json['message']).toContain(fix);
  expect((await call(`/admin/keys/${id}`)).json).toMatchObject(NARROW);
});
