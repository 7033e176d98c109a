import { Readable } from 'node:stream';

import { afterAll, beforeAll, expect, it } from 'vitest';
import { request } from 'undici';

import { makeTenant, openAdminCalls } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { CODES } from '../../contract/codes.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ hostNames: ['admin.example', 'FD00::1'] });
});
afterAll(() => api.close());

const call = openAdminCalls(() => api);

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
  const tenant = await makeTenant(api);
  const value = title === 'a number' ? 5 : amount;
  const answer = await call(`/admin/tenants/${tenant}/grants`, {
    body: { amount: value },
    headers: { 'idempotency-key': `bad-${title.replaceAll(' ', '-')}` },
  });
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
  const tenant = await makeTenant(api);
  const answer = await call('/admin/keys', { body: { tenant_id: tenant, expires_at: expires } });
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ details: { pointer: '/expires_at' } });
});

it.each([
  ['/admin/tenants?limit=0', 'limit'],
  ['/admin/tenants?limit=201', 'limit'],
  ['/admin/tenants?limit=x', 'limit: must be a whole number from 1 to 200'],
  ['/admin/tenants?limit=0x10', 'limit'],
  ['/admin/tenants?cursor=%00', 'cursor: must not contain control characters'],
  ['/admin/keys?tenant_id=%00', 'tenant_id'],
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
  const tenant = await makeTenant(api);
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

it.each(['tenants/%00', 'tenants/ten_%ff%00', 'keys/key_%1F', 'owners/%00/leases', 'requests/%0a'])(
  'a control character in a path is asked of no store: PostgreSQL would fail on it: %s',
  async (path) => {
    const own = await startAdminApi({
      wrapStore: (store) =>
        new Proxy(store, {
          get: (_, name) => () => Promise.reject(new Error(`${String(name)} was called`)),
        }),
    });
    const answer = await call(`/admin/${path}`, { from: own });
    expect([answer.status, answer.json['code']]).toEqual([404, 'NOT_FOUND']);
    await own.close();
  },
);

it.each([
  { name: '\ud800', plan: 'free' },
  { name: 'Ada', plan: 'free', parent_id: '\u0000' },
])('text that a store would change or refuse is 400: %j', async (body) => {
  const answer = await call('/admin/tenants', { body });
  expect([answer.status, answer.json['code']]).toEqual([400, 'INVALID_REQUEST']);
});
