import { afterAll, beforeAll, expect, it } from 'vitest';

import { type AdminCall, callAdmin, makeTenant } from '../../../test/support/call-admin.ts';
import {
  atGateway,
  runClientCommand,
  runJsonCommand,
} from '../../../test/support/run-client-command.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { balanceAccount } from '../../domain/accounts.ts';
import { WRITE_OFF_SILENT_MS } from './owners.ts';

const T0 = Date.UTC(2026, 10, 21);
const MONEY = { kind: 'balance', unit: 'USD', amount: '0.5000 USD', tenants: 1 };

let now = T0;
let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ now: () => now });
});
afterAll(() => api.close());

const call = (path: string, options: AdminCall = {}) => callAdmin(api, path, options);
function order(owner: string, key: string, body: unknown = {}) {
  const headers = { 'idempotency-key': key };
  return call(`/admin/owners/${owner}/write-off`, { body, headers });
}

/** A process on host-a that was heard of at T0 and holds half a dollar of a customer's. */
async function leave(owner: string): Promise<string> {
  const tenantId = await makeTenant(api);
  const headers = { 'idempotency-key': owner };
  await call(`/admin/tenants/${tenantId}/grants`, { body: { amount: '2.00' }, headers });
  await api.store.openOwner(owner, T0, 'host-a');
  const account = balanceAccount(tenantId, 'USD');
  const half = 500_000_000;
  const request = { index: 1, account, grantedBefore: 0, need: half, want: half, ask: false };
  await api.store.acquire(owner, [request], T0);
  return tenantId;
}

it('every process is listed, longest silent first, with its machine and what it holds, by customer too', async () => {
  const tenantId = await leave('own_a');
  now = T0 + 90_000;
  await api.store.openOwner('own_b', now);
  const { json } = await call('/admin/owners');
  expect(json['data']).toEqual([
    {
      id: 'own_a',
      machine: 'host-a',
      state: 'silent',
      seen_at: '2026-11-21T00:00:00.000Z',
      silent_seconds: 90,
      written_off_at: null,
      holds: [MONEY],
    },
    expect.objectContaining({ id: 'own_b', machine: null, state: 'live', holds: [] }),
  ]);
  const leases = await call('/admin/owners/own_a/leases');
  expect(leases.json['data']).toEqual([
    { tenant_id: tenantId, kind: 'balance', unit: 'USD', amount: '0.5000 USD' },
  ]);
  expect((await call('/admin/owners/own_b/leases')).json['data']).toEqual([]);
});

it('refused: a process that was heard of lately, one that is not known, a body, no key', async () => {
  await leave('own_c');
  now = T0 + WRITE_OFF_SILENT_MS;
  const early = await order('own_c', 'early');
  expect([early.status, early.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  expect(early.json['message']).toMatch(
    /own_c was heard of at 2026-11-21T00:00:00.000Z.*10 minutes/,
  );
  const unknown = await order('own_', 'unknown');
  expect([unknown.status, unknown.json['code']]).toEqual([404, 'NOT_FOUND']);
  expect((await call('/admin/owners/own_/leases')).status).toBe(404);
  expect((await order('own_c', 'body', { force: true })).json['message']).toContain('force');
  const bare = await call('/admin/owners/own_c/write-off', { body: {} });
  expect(bare.json['message']).toContain('Idempotency-Key');
  const [balance] = await api.store.accounts(await leave('own_d'), now, 0);
  expect(balance?.reserved).toBe(500_000_000n);
});

it('BILL-13: written off once, however often it is asked for; the line of the log says what', async () => {
  const tenantId = await leave('own_e');
  now = T0 + WRITE_OFF_SILENT_MS + 1;
  const answers = await Promise.all(Array.from({ length: 5 }, () => order('own_e', 'one')));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  now += 1000;
  const again = await order('own_e', 'two');
  expect(again.json).toEqual({
    id: 'own_e',
    state: 'written_off',
    written_off_at: new Date(T0 + WRITE_OFF_SILENT_MS + 1).toISOString(),
    holds: [MONEY],
  });
  expect(answers[0]?.json).toEqual(again.json);
  const [balance] = await api.store.accounts(tenantId, now, 0);
  expect(balance).toMatchObject({ allowance: 2_000_000_000n, spent: 0n, reserved: 0n });
  expect((await call('/admin/ledger/audit')).json).toEqual({ ok: true, violations: [] });
  const line = api.logLines.find((each) => each.includes('owner-written-off'));
  expect(JSON.parse(line ?? '{}')).toMatchObject({ owner: 'own_e', held: '0.5000 USD' });
  // An owner of an ended process holds nothing that could be.
  const last = { owner: 'own_b', now, seq: 0, leases: [], overruns: [], changesAfter: 0 };
  await api.store.closeOwner(last);
  expect((await order('own_b', 'ended')).json['message']).toContain('holds nothing');
});

it('CLI: owners list, leases and write-off', async () => {
  const tenantId = await leave('own_f');
  now = T0 + WRITE_OFF_SILENT_MS + 5000;
  const env = atGateway(api);
  const listed = await runClientCommand(['owners', 'list'], env);
  expect(listed.out).toMatch(/^ID +MACHINE +STATE +HEARD OF +HOLDS\n/);
  expect(listed.out).toMatch(/^own_f +host-a +silent +2026-11-21T00:00:00.000Z +0\.5000 USD$/m);
  expect((await runClientCommand(['owners', 'leases', 'own_f'], env)).out).toContain(tenantId);
  const done = await runClientCommand(['owners', 'write-off', 'own_f'], env);
  expect(done).toMatchObject({ code: 0, talk: '' });
  expect(done.out).toMatch(/^given back +0\.5000 USD$/m);
  expect(await runJsonCommand(['owners', 'write-off', 'own_f'], env)).toMatchObject({
    state: 'written_off',
  });
  expect(await runClientCommand(['owners', 'write-off', 'own_x'], env)).toMatchObject({ code: 1 });
});
