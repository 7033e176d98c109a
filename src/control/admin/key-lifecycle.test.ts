import { afterAll, beforeAll, expect, it } from 'vitest';

import { makeTenant, openAdminCalls } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { parseApiKey } from '../../domain/api-key.ts';
import { sha256Hex } from '../../platform/sha256.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const call = openAdminCalls(() => api);

it('KEY-01: a key is shown once, stored as a hash, listed by its hint', async () => {
  const tenant = await makeTenant(api);
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
  const tenant = await makeTenant(api);
  const { json } = await call('/admin/keys', { body: { tenant_id: tenant } });
  const path = `/admin/keys/${String(json['id'])}/revoke`;
  const first = await call(path, { method: 'POST' });
  const second = await call(path, { method: 'POST' });
  expect(first.json).toMatchObject({ state: 'revoked', revoked_at: expect.stringMatching(/Z$/) });
  expect(second.json).toEqual(first.json);
});

it('KEY-01: the answer to revoke waits until every live gateway process has the news', async () => {
  const own = await startAdminApi();
  const tenant = await makeTenant(own);
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
