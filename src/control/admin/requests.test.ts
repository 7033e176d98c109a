import { afterAll, beforeAll, expect, it } from 'vitest';

import { buildFacts, buildIdentity, buildPlan } from '../../../test/support/build-catalog.ts';
import { callAdmin } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import { packFacts } from '../../domain/facts-record.ts';
import { requestIdAt } from '../../stores/store-fixture.conformance.ts';
import type { RequestRow } from '../../stores/store.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ now: () => NOW });
  await api.store.appendRequests(rows);
});
afterAll(() => api.close());

const call = (query: string) => callAdmin(api, `/admin/requests?${query}`);
async function idsOf(query: string): Promise<readonly string[]> {
  const { status, json } = await call(query);
  expect(status).toBe(200);
  return (json['data'] as { request_id: string }[]).map((row) => row.request_id);
}

function rowOf(hoursAgo: number, members: Partial<RequestRow> = {}, keyId = 'key_1'): RequestRow {
  const at = NOW - hoursAgo * HOUR_MS;
  const identity = { ...buildIdentity(buildPlan('free')), keyId };
  const common = { status: 200, code: '', tenantId: 'ten_1' };
  const facts = packFacts(buildFacts({ at, identity, path: '/v1/things' }));
  return { ...common, requestId: requestIdAt(at), at, facts, ...members };
}
const refused = { status: 402, code: 'INSUFFICIENT_CREDITS' };
/** Newest first, all but the last within a day. */
const rows = [
  rowOf(0),
  rowOf(1, refused),
  rowOf(2, { ...refused, tenantId: 'ten_2' }),
  rowOf(3, { wouldRefuse: 'RATE_LIMITED' }, 'key_2'),
  rowOf(23, { status: 429, code: 'RATE_LIMITED', tenantId: '' }),
  rowOf(48),
];
const ids = rows.map(({ requestId }) => requestId);

it('OBS-02: the requests of the last day, newest first, with what they were', async () => {
  const { json } = await call('');
  expect(json).toMatchObject({ has_more: false, next_cursor: null });
  expect(await idsOf('')).toEqual(ids.slice(0, 5));
  expect((json['data'] as unknown[])[3]).toEqual({
    request_id: ids[3],
    client_request_id: null,
    at: '2026-11-21T09:00:00.000Z',
    tenant_id: 'ten_1',
    key_id: 'key_2',
    method: 'POST',
    path: '/v1/things',
    route: null,
    model: null,
    status: 200,
    code: null,
    would_refuse: 'RATE_LIMITED',
    cost: '0.0000 USD',
    duration_ms: 0,
  });
});

it.each([
  ['tenant_id=ten_2', [2]],
  ['key_id=key_2', [3]],
  ['code=RATE_LIMITED', [4]],
  ['code=RATE_LIMITED,INSUFFICIENT_CREDITS', [1, 2, 4]],
  ['observed=true', [3]],
  ['observed=true&code=INSUFFICIENT_CREDITS', []],
  ['from=72h', [0, 1, 2, 3, 4, 5]],
  ['from=72h&to=24h', [5]],
  ['from=2026-11-21T09:00:00Z&to=2026-11-21T11:00:00Z', [2, 3]],
  ['to=2099-01-01', [0, 1, 2, 3, 4]],
])('OBS-02: filters by %s', async (query, positions) => {
  expect(await idsOf(query)).toEqual(positions.map((position) => ids[position]));
});

it('OBS-02: pages that neither skip nor repeat', async () => {
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 3; page += 1) {
    const query = `limit=2&from=72h${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { json } = await call(query);
    seen.push(...(json['data'] as { request_id: string }[]).map((row) => row.request_id));
    cursor = String(json['next_cursor']);
  }
  expect(seen).toEqual(ids);
});

it.each([
  ['from=yesterday', 'from: must be a time'],
  ['from=2026-02-31', 'from: must be a time'],
  ['from=1h&to=2h', 'from: must be earlier than "to"'],
  ['code=INSUFICIENT_CREDITS', 'did you mean "INSUFFICIENT_CREDITS"?'],
  [`code=${Array.from({ length: 21 }, () => 'RATE_LIMITED').join(',')}`, '20'],
  ['cursor=../../x', 'next_cursor'],
  ['limit=201', '200'],
  ['tenant=ten_1', 'did you mean tenant_id?'],
  ['observed=yes', '"true"'],
])('400 for %s', async (query, fix) => {
  const answer = await call(query);
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain(fix);
});

it('bound: one answer asks the store ten times at most, and says where to go on', async () => {
  let searches = 0;
  const own = await startAdminApi({
    now: () => NOW,
    wrapStore: (store) =>
      new Proxy(store, {
        get(target, name) {
          if (name === 'searchRequests') {
            return () => {
              searches += 1;
              return Promise.resolve({
                rows: [],
                cursor: `req_${String(searches).padStart(12, '0')}`,
              });
            };
          }
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
  });
  const { json } = await callAdmin(own, '/admin/requests?tenant_id=nobody');
  expect(searches).toBe(10);
  expect(json).toEqual({ data: [], has_more: true, next_cursor: 'req_000000000010' });
  await own.close();
});
