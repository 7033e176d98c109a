import { Readable } from 'node:stream';

import { afterAll, beforeAll, expect, it } from 'vitest';
import { request } from 'undici';

import { type AdminCall, callAdmin, makeTenant } from '../../../test/support/call-admin.ts';
import { refusedFacts, startAdminApi } from '../../../test/support/start-admin-api.ts';
import type { AdminApi } from '../../../test/support/start-admin-api.ts';
import { CODES } from '../../contract/codes.ts';
import { parseApiKey } from '../../domain/api-key.ts';
import { requestId } from '../../platform/ids.ts';
import { sha256Hex } from '../../platform/sha256.ts';
import { StoreError } from '../../stores/store-error.ts';
import { packFacts, unpackFacts } from '../../domain/facts-record.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ hostNames: ['admin.example', 'FD00::1'] });
});
afterAll(() => api.close());

type Call = AdminCall & { readonly from?: AdminApi };
function call(path: string, { from = api, ...rest }: Call = {}) {
  return callAdmin(from, path, rest);
}
function createTenant(from = api): Promise<string> {
  return makeTenant(from);
}
function grant(tenant: string, body: unknown, key: string, from = api) {
  return call(`/admin/tenants/${tenant}/grants`, {
    body,
    headers: { 'idempotency-key': key },
    from,
  });
}

// ---- who may talk to it ----------------------------------------------------------------------------

it.each([
  ['no token', {}],
  ['an empty token', { authorization: 'Bearer ' }],
  ['another token', { authorization: `Bearer tka_${'A'.repeat(43)}` }],
  ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
  ['a very long token', { authorization: `Bearer ${'a'.repeat(4000)}` }],
  ['a customer key', { authorization: 'Bearer tk_live_0123456789' }],
])('DESIGN 10: 401 ADMIN_TOKEN_INVALID with %s, on loopback too', async (_title, headers) => {
  for (const path of ['/admin/tenants', '/metrics', '/admin/nothing']) {
    const answer = await call(path, { headers: { authorization: '', ...headers } });
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({
      code: 'ADMIN_TOKEN_INVALID',
      status: 401,
      error: 'unauthorized',
    });
    expect(answer.headers['www-authenticate']).toContain('Bearer realm="tollkeeper"');
    expect(answer.headers['x-request-id']).toBe(answer.json['request_id']);
  }
});

it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '10.0.0.1'])(
  'DESIGN 10: 403 HOST_NOT_ALLOWED for Host %j (DNS rebinding), before the token is looked at',
  async (host) => {
    const answer = await call('/admin/tenants', { headers: { host, authorization: '' } });
    expect(answer.status).toBe(403);
    expect(answer.json['code']).toBe('HOST_NOT_ALLOWED');
  },
);

it.each(['a b', '', 'a@b', 'a/b'])('a Host that is none (%j) is 400', async (host) => {
  expect((await call('/admin/tenants', { headers: { host } })).status).toBe(400);
});

it.each([
  'localhost',
  'LOCALHOST:4021',
  '127.0.0.1',
  '[::1]:4021',
  'admin.example',
  'Admin.Example:443',
  '[fd00::1]:4021',
])('Host %s is allowed', async (host) => {
  expect((await call('/admin/tenants', { headers: { host } })).status).toBe(200);
});

it.each([
  [{ origin: 'https://evil.example' }, 403],
  [{ origin: 'null' }, 403],
  [{ origin: 'http://localhost' }, 403],
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ 'sec-fetch-site': 'same-site' }, 403],
  [{ host: 'localhost:4021', origin: 'http://localhost:4021' }, 201],
  [{ 'sec-fetch-site': 'same-origin' }, 201],
  [{ 'sec-fetch-site': 'none' }, 201],
  [{}, 201],
])('DESIGN 10: a changing call with %j gets %i', async (headers, status) => {
  const body = { name: 'Acme', plan: 'free' };
  expect((await call('/admin/tenants', { body, headers })).status).toBe(status);
});

it('health is open, says little, and turns 503 when a part is not ready', async () => {
  const open = { headers: { authorization: '', host: '10.1.2.3' } };
  expect((await call('/healthz', open)).json).toEqual({ status: 'ok' });
  expect(await call('/readyz', open)).toMatchObject({ status: 200, json: { status: 'ready' } });
  const parts = [
    { name: 'store', ok: true, detail: 'writable' },
    { name: 'workers', ok: false, detail: '0 of 2 serving' },
  ];
  const sick = await startAdminApi({ operations: { readiness: async () => parts } });
  const answer = await call('/readyz', { ...open, from: sick });
  expect(answer).toMatchObject({ status: 503, json: { status: 'not_ready', parts } });
  await sick.close();
});

// ---- tenants ---------------------------------------------------------------------------------------

it('lists in pages that neither skip nor repeat', async () => {
  const own = await startAdminApi();
  const created: string[] = [];
  for (let index = 0; index < 5; index += 1) created.push(await createTenant(own));
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
  const tenant = await createTenant();
  await grant(tenant, { amount: '5.00' }, 'balance-1');
  await grant(tenant, { amount: '0.000000001 USD', category: 'promotional' }, 'balance-2');
  expect((await call(`/admin/tenants/${tenant}`)).json['balance']).toEqual({
    asset: 'USD',
    settled: '5.000000001',
    held: '0.00',
    available: '5.000000001',
  });
});

// ---- grants ----------------------------------------------------------------------------------------

it('BILL-13: ten parallel grants with one key are one grant and one answer', async () => {
  const tenant = await createTenant();
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
  const [tenant, other] = [await createTenant(), await createTenant()];
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

it('BILL-13: two different bodies racing for one key: one is a grant, the other 409', async () => {
  const tenant = await createTenant();
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
  const tenant = await createTenant(own);
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
  const tenant = await createTenant(own);
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
  const tenant = await createTenant();
  expect((await grant(tenant, { amount: '9000000.00' }, 'most')).status).toBe(201);
  const answer = await grant(tenant, { amount: '8000.00' }, 'more');
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('9007199.254740991 USD');
});

// ---- keys ------------------------------------------------------------------------------------------

it('KEY-01: a key is shown once, stored as a hash, listed by its hint', async () => {
  const tenant = await createTenant();
  const body = {
    tenant_id: tenant,
    name: 'ci',
    environment: 'test',
    budget: '1.00',
    expires_at: '30d',
  };
  const created = await call('/admin/keys', { body });
  expect(created.status).toBe(201);
  const secret = String(created.json['key']);
  expect(parseApiKey(secret)).toEqual({ environment: 'test' });
  expect(created.json).toMatchObject({
    id: expect.stringMatching(/^key_/),
    tenant_id: tenant,
    name: 'ci',
    environment: 'test',
    state: 'active',
    hint: `tk_test_...${secret.slice(-4)}`,
    budget: '1.00 USD',
    revoked_at: null,
  });
  expect(Date.parse(String(created.json['expires_at']))).toBe(
    Date.parse(String(created.json['created_at'])) + 30 * 86_400_000,
  );
  const listed = await call(`/admin/keys?tenant_id=${tenant}`);
  expect(listed.text).not.toContain(secret);
  expect(listed.json['data']).toHaveLength(1);
  const found = await api.store.findKey(sha256Hex(secret));
  expect(found?.key).toMatchObject({ budgetNano: 1_000_000_000, hash: sha256Hex(secret) });
  expect(api.logLines.join('')).not.toContain(secret);
});

it('KEY-01: a revoked key stays revoked at the first time', async () => {
  const tenant = await createTenant();
  const { json } = await call('/admin/keys', { body: { tenant_id: tenant } });
  const path = `/admin/keys/${String(json['id'])}/revoke`;
  const first = await call(path, { method: 'POST' });
  const second = await call(path, { method: 'POST' });
  expect(first.json).toMatchObject({ state: 'revoked', revoked_at: expect.stringMatching(/Z$/) });
  expect(second.json).toEqual(first.json);
});

it('KEY-01: the answer to revoke waits until every live gateway process has the news', async () => {
  const own = await startAdminApi();
  const tenant = await createTenant(own);
  const { json } = await call('/admin/keys', { body: { tenant_id: tenant }, from: own });
  await own.store.openOwner('worker-1', Date.now());
  const seen: string[] = [];
  let running = true;
  const worker = (async () => {
    let changesAfter = 0;
    while (running) {
      const news = await own.store.sync({
        owner: 'worker-1',
        now: Date.now(),
        seq: 0,
        leases: [],
        overruns: [],
        changesAfter,
      });
      for (const change of news.changes) seen.push(`${change.kind} ${change.id}`);
      changesAfter = news.lastChange;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const answer = await call(`/admin/keys/${String(json['id'])}/revoke`, {
    method: 'POST',
    from: own,
  });
  expect(answer.headers['x-tollkeeper-in-force']).toBe('all');
  expect(seen).toContain(`key ${sha256Hex(String(json['key']))}`);
  running = false;
  await worker;
  await own.close();
});

it('a process that does not confirm delays the answer and shows in it, but does not fail it', async () => {
  const own = await startAdminApi();
  await own.store.openOwner('worker-1', Date.now());
  const body = { name: 'Acme', plan: 'free' };
  const { headers, json } = await call('/admin/tenants', { body, from: own });
  const revoked = await call('/admin/keys', { body: { tenant_id: json['id'] }, from: own });
  const answer = await call(`/admin/keys/${String(revoked.json['id'])}/revoke`, {
    method: 'POST',
    from: own,
  });
  expect(answer.status).toBe(200);
  expect(
    [headers, revoked.headers, answer.headers].map((each) => each['x-tollkeeper-in-force']),
  ).toContain('pending');
  await own.close();
});

// ---- bad input -------------------------------------------------------------------------------------

const TENANT = { name: 'Acme', plan: 'free' };
it.each([
  ['no name', { plan: 'free' }, '/name'],
  ['empty name', { ...TENANT, name: '  ' }, '/name'],
  ['long name', { ...TENANT, name: 'x'.repeat(101) }, '/name'],
  ['line feed in the name', { ...TENANT, name: 'a\nb' }, '/name'],
  ['a name that reverses the line', { ...TENANT, name: 'a\u202eb' }, '/name'],
  ['wrong type', { ...TENANT, name: 5 }, '/name'],
  ['unknown member', { ...TENANT, plam: 'x' }, '/plam'],
  ['unknown member with a slash', { ...TENANT, 'a/b~c': 1 }, '/a~1b~0c'],
  ['an array', [], undefined],
  ['null', null, undefined],
  ['not JSON', '{"name":', undefined],
  ['nothing', '', undefined],
  ['prototype', '{"__proto__": {}, "name": "a", "plan": "free"}', '/__proto__'],
])('400 that names the member: tenant with %s', async (_title, body, pointer) => {
  const answer = await call('/admin/tenants', { body });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    code: 'INVALID_REQUEST',
    details: pointer === undefined ? {} : { pointer },
  });
});

it.each([
  ['5', 'a number', /\/?amount/],
  ['five', 'words', 'decimal'],
  ['-5.00', 'negative', 'more than 0'],
  ['0', 'zero', 'more than 0'],
  ['0.0000000001', 'finer than the ledger', 'decimal'],
  ['1e3', 'an exponent', 'decimal'],
  ['5.00 EUR', 'another currency', 'must be in USD'],
  ['5.00 USD extra', 'too many words', 'decimal'],
  ['99999999.00', 'too much', 'at most 9007199.254740991 USD'],
  ['', 'nothing', 'decimal'],
])('400 for the amount %j (%s)', async (amount, title, message) => {
  const tenant = await createTenant();
  const value = title === 'a number' ? 5 : amount;
  const answer = await grant(tenant, { amount: value }, `bad-${title.replaceAll(' ', '-')}`);
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ details: { pointer: '/amount' } });
  expect(answer.json['message']).toMatch(message);
  expect((await call(`/admin/tenants/${tenant}/grants`)).json['data']).toEqual([]);
});

it.each([
  ['yesterday', '2020-01-01'],
  ['a time without zone', '2099-01-01T00:00:00'],
  ['not a date', '2026-13-45'],
  ['words', 'tomorrow'],
  ['nothing', ''],
  ['no time at all', '0d'],
  ['a negative time', '-1d'],
  ['too far', '999999w'],
])('400 for the expiry %s', async (_title, expires) => {
  const tenant = await createTenant();
  const answer = await call('/admin/keys', { body: { tenant_id: tenant, expires_at: expires } });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ details: { pointer: '/expires_at' } });
});

it.each([
  ['/admin/tenants?limit=0', 'limit'],
  ['/admin/tenants?limit=201', 'limit'],
  ['/admin/tenants?limit=x', 'limit'],
  ['/admin/tenants?limit=1&limit=2', 'limit'],
  ['/admin/keys?tenant=x', 'tenant'],
])('400 for the query %s', async (path, name) => {
  const answer = await call(path);
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain(`query parameter ${name}`);
});

it.each([
  ['POST', '/admin/tenants', { name: 'Acme', plan: 'nothing' }, 404, 'PLAN_NOT_FOUND'],
  ['PATCH', '/admin/tenants/ten_x', { plan: 'free' }, 404, 'TENANT_NOT_FOUND'],
  ['GET', '/admin/tenants/ten_x', undefined, 404, 'TENANT_NOT_FOUND'],
  ['GET', '/admin/tenants/ten_x/grants', undefined, 404, 'TENANT_NOT_FOUND'],
  ['GET', '/admin/keys?tenant_id=ten_x', undefined, 404, 'TENANT_NOT_FOUND'],
  ['POST', '/admin/tenants/ten_x/grants', { amount: '1' }, 404, 'TENANT_NOT_FOUND'],
  ['POST', '/admin/keys', { tenant_id: 'ten_x' }, 404, 'TENANT_NOT_FOUND'],
  ['POST', '/admin/keys/key_x/revoke', undefined, 404, 'KEY_NOT_FOUND'],
  ['GET', '/admin/requests/req_x', undefined, 404, 'NOT_FOUND'],
  ['GET', '/admin/nothing', undefined, 404, 'NOT_FOUND'],
  ['DELETE', '/admin/tenants', undefined, 405, 'METHOD_NOT_ALLOWED'],
] as const)('%s %s with %j is %i %s', async (method, path, body, status, code) => {
  const headers = { 'idempotency-key': `not-found-${path}` };
  const answer = await call(path, { method, body, headers });
  expect(answer.status).toBe(status);
  expect(answer.json).toMatchObject({ code, status, title: CODES[code].title });
  expect(answer.headers['allow']).toBe(status === 405 ? 'POST, GET, HEAD' : undefined);
});

it.each([
  ['no key', {}],
  ['an empty key', { 'idempotency-key': '' }],
  ['a key with a space', { 'idempotency-key': 'a b' }],
  ['a long key', { 'idempotency-key': 'a'.repeat(256) }],
])('BILL-13: a grant with %s is 400', async (_title, headers) => {
  const tenant = await createTenant();
  const answer = await call(`/admin/tenants/${tenant}/grants`, {
    body: { amount: '1.00' },
    headers,
  });
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('Idempotency-Key');
});

it('a form cannot be posted: 400 without Content-Type: application/json', async () => {
  const answer = await call('/admin/tenants', {
    method: 'POST',
    body: JSON.stringify(TENANT),
    headers: { 'content-type': 'text/plain' },
  });
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('Content-Type: application/json');
});

it('bound: a body above 1 MiB is 413, declared or chunked', async () => {
  const big = JSON.stringify({ name: 'x'.repeat(1024 * 1024), plan: 'free' });
  const declared = await call('/admin/tenants', { body: big, reset: true });
  expect([declared.status, declared.json['code']]).toEqual([413, 'BODY_TOO_LARGE']);
  const chunked = await postChunked(big);
  expect([chunked.status, chunked.code]).toEqual([413, 'BODY_TOO_LARGE']);
  expect((await postChunked(JSON.stringify(TENANT))).status).toBe(201);
});

async function postChunked(text: string): Promise<{ status: number; code: string | undefined }> {
  const answer = await request(`${api.origin}/admin/tenants`, {
    method: 'POST',
    reset: true,
    headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' },
    body: Readable.from(text.match(/[^]{1,65536}/g) ?? []),
  });
  const json = (await answer.body.json()) as { code?: string };
  return { status: answer.statusCode, code: json.code };
}

// ---- operations ------------------------------------------------------------------------------------

it('OBS-17: metrics as Prometheus text', async () => {
  const answer = await call('/metrics');
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(answer.text).toContain('\ntollkeeper_requests_total{code="200"} 3\n');
});

it('the ledger audit is clean after real grants', async () => {
  expect((await call('/admin/ledger/audit')).json).toEqual({ ok: true, violations: [] });
});

it('configuration and workers are shown, secrets as the loader redacted them', async () => {
  expect((await call('/admin/config')).json).toEqual({
    version: '0123456789ab',
    loaded_at: '2026-01-01T00:00:00.000Z',
    source: { providers: { openai: { api_key: '***' } } },
  });
  expect((await call('/admin/workers')).json['data']).toEqual([
    { name: 'worker-1', pid: 42, state: 'serving', started_at: '2026-01-01T00:00:00.000Z' },
  ]);
});

it('GW-03: reload says what changed, or which problem kept the old configuration', async () => {
  expect((await call('/admin/config/reload', { method: 'POST' })).json).toEqual({
    version: 'fedcba987654',
    changed: ['plans.free'],
  });
  const problems = [
    { file: 'tollkeeper.yaml', line: 7, column: 3, path: 'plans.free', message: 'is wrong' },
  ];
  const own = await startAdminApi({
    operations: { reload: async () => ({ kind: 'kept', problems }) },
  });
  const answer = await call('/admin/config/reload', { method: 'POST', from: own });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ code: 'INVALID_REQUEST', problems });
  expect(answer.json['message']).toContain('tollkeeper.yaml:7:3 plans.free: is wrong');
  await own.close();
});

it('OBS-01: the log row of a request, also one that is written a moment later', async () => {
  const id = requestId(Date.now());
  const answer = call(`/admin/requests/${id}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await api.store.appendRequests([
    {
      requestId: id,
      at: Date.UTC(2026, 0, 1),
      tenantId: '',
      status: 404,
      code: 'ROUTE_NOT_FOUND',
      facts: '{"path":"/x"}',
    },
  ]);
  expect((await answer).json).toMatchObject({
    request_id: id,
    at: '2026-01-01T00:00:00.000Z',
    tenant_id: null,
    status: 404,
    code: 'ROUTE_NOT_FOUND',
    // Not the facts of this version: neither shown nor explained.
    facts: null,
    explanation: null,
  });
});

it('DIAG-01: the row is explained in sentences made from its facts', async () => {
  const id = requestId(Date.now());
  const facts = packFacts(refusedFacts(id));
  const row = {
    requestId: id,
    at: Date.now(),
    tenantId: 'ten_1',
    status: 402,
    code: 'INSUFFICIENT_CREDITS',
    facts,
  };
  await api.store.appendRequests([row]);
  const { json } = await call(`/admin/requests/${id}`);
  expect(json['facts']).toEqual(JSON.parse(JSON.stringify(unpackFacts(facts))));
  expect(json['explanation']).toMatchObject({
    result: 'refused',
    verdict: expect.stringMatching(/0\.0420 USD.*0\.0031 USD/),
    trace: expect.arrayContaining([
      { step: 'identify', verdict: 'passed', text: expect.any(String) },
      expect.objectContaining({ step: 'reserve', verdict: 'refused' }),
    ]),
    checklist: expect.objectContaining({ length: 8 }),
    fixes: expect.any(Array),
    policy_version: '0123456789ab',
  });
});

it.each([
  ['unavailable', 503, 'BILLING_UNAVAILABLE'],
  ['overloaded', 503, 'BILLING_UNAVAILABLE'],
  ['invariant', 500, 'INTERNAL_ERROR'],
] as const)(
  'a store that fails with %s is %i %s, logged, and not told to the caller',
  async (code, status, answered) => {
    const own = await startAdminApi({
      wrapStore: (store) =>
        new Proxy(store, {
          get: (target, name) =>
            name === 'tenants'
              ? () => Promise.reject(new StoreError(code, 'secret detail'))
              : Reflect.get(target, name),
        }),
    });
    const answer = await call('/admin/tenants', { from: own });
    expect([answer.status, answer.json['code']]).toEqual([status, answered]);
    expect(answer.text).not.toContain('secret detail');
    expect(own.logLines.join('')).toContain('secret detail');
    await own.close();
  },
);

it('changes leave a line with ids and without names', async () => {
  const tenant = await createTenant();
  const line = api.logLines.find((each) => each.includes(tenant));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    action: 'tenant-created',
    tenant_id: tenant,
    plan: 'free',
  });
  expect(api.logLines.join('')).not.toContain('Acme');
});
