import { afterAll, beforeAll, expect, it } from 'vitest';

import { makeTenant, openAdminCalls } from '../../../test/support/call-admin.ts';
import {
  type AdminApi,
  refusedFacts,
  startAdminApi,
} from '../../../test/support/start-admin-api.ts';
import { requestId } from '../../platform/ids.ts';
import { StoreError } from '../../stores/store-error.ts';
import { packFacts, unpackFacts } from '../../domain/facts-record.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const call = openAdminCalls(() => api);

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
  const reloaded = await call('/admin/config/reload', { method: 'POST' });
  expect(reloaded.json).toEqual({
    version: 'fedcba987654',
    changed: ['log.level', 'plans.free'],
    needs_restart: ['log.level'],
  });
  expect(reloaded.headers['x-tollkeeper-in-force']).toBe('pending');
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
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    expect(answer.text).not.toContain('secret detail');
    expect(own.logLines.join('')).toContain('secret detail');
    await own.close();
  },
);

it('changes leave a line with ids and without names', async () => {
  const tenant = await makeTenant(api);
  const line = api.logLines.find((each) => each.includes(tenant));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    action: 'tenant-created',
    tenant_id: tenant,
    plan: 'free',
  });
  expect(api.logLines.join('')).not.toContain('Acme');
});

it('BILL-13: the line of a repeated order says that it is one', async () => {
  const tenant = await makeTenant(api);
  const order = { body: { amount: '5.00' }, headers: { 'idempotency-key': 'told-twice' } };
  const { json } = await call(`/admin/tenants/${tenant}/grants`, order);
  await call(`/admin/tenants/${tenant}/grants`, order);
  const lines = api.logLines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['grant_id'] === json['id']);
  expect(lines.map(({ action, replayed }) => [action, replayed])).toEqual([
    ['grant-added', undefined],
    ['grant-added', true],
  ]);
});

it('a change that was made is told, with its answer and its line, when the store goes away after it', async () => {
  const own = await startAdminApi({
    wrapStore: (store) =>
      new Proxy(store, {
        get: (target, name) => {
          const gone = () => Promise.reject(new StoreError('unavailable', 'gone'));
          const member: unknown = name === 'allSeen' ? gone : Reflect.get(target, name);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      }),
  });
  const created = await call('/admin/tenants', {
    from: own,
    body: { name: 'Acme', plan: 'free' },
  });
  expect(created.status).toBe(201);
  expect(created.headers['x-tollkeeper-in-force']).toBe('pending');
  const tenant = String(created.json['id']);
  const key = await call('/admin/keys', { from: own, body: { tenant_id: tenant } });
  expect([key.status, key.json['tenant_id']]).toEqual([201, tenant]);
  const lines = own.logLines.filter((line) => line.includes(tenant));
  expect(lines.map((line) => (JSON.parse(line) as Record<string, unknown>)['action'])).toEqual([
    'tenant-created',
    'key-created',
  ]);
  await own.close();
});
