import { afterAll, beforeAll, expect, it } from 'vitest';

import {
  buildBalance,
  buildFacts,
  buildIdentity,
  buildLimit,
  buildPlan,
  buildQuota,
} from '../../../test/support/build-catalog.ts';
import { callAdmin } from '../../../test/support/call-admin.ts';
import { type AdminApi, startAdminApi } from '../../../test/support/start-admin-api.ts';
import type { Facts } from '../../domain/facts.ts';
import { packFacts } from '../../domain/facts-record.ts';
import { requestIdAt } from '../../stores/store-fixture.conformance.ts';
import type { RequestRow } from '../../stores/store.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
let api: AdminApi;
beforeAll(async () => {
  api = await startAdminApi({ now: () => NOW });
});
afterAll(() => api.close());

function observed(code: string, facts: Partial<Facts>, at = NOW, tenantId = 'ten_1'): RequestRow {
  const all = buildFacts({ at, identity: buildIdentity(PLAN), enforcement: 'observe', ...facts });
  const common = { at, tenantId, status: 200, code: '', facts: packFacts(all) };
  return { ...common, requestId: requestIdAt(at), wouldRefuse: code };
}

const PLAN = buildPlan('pro', { priceNano: 1n });
const short = {
  kind: 'short',
  index: 0,
  cause: 'gone',
  held: 0,
  affordableOutputTokens: undefined,
} as const;
const quotaGone = { limits: [buildQuota(buildLimit(5), { spent: 5 })], reservation: short };
const balanceGone = { limits: [buildBalance({ need: 7 })], reservation: short };
const tooFast = {
  reservation: { kind: 'limited', rateLimitId: 'rate_per_minute', retryAfterMs: 5 },
} as const;
const notIncluded = {
  entitlements: [{ kind: 'feature', id: 'js_rendering', granted: false }],
} as const;

it('EVID-01: what would have been refused, by code, tenant and limit, most frequent first', async () => {
  const times = (count: number, make: () => RequestRow) => Array.from({ length: count }, make);
  await api.store.appendRequests([
    ...times(3, () => observed('REQUEST_QUOTA_EXCEEDED', quotaGone)),
    ...times(2, () => observed('REQUEST_QUOTA_EXCEEDED', quotaGone, NOW - HOUR_MS, 'ten_2')),
    ...times(4, () => observed('INSUFFICIENT_CREDITS', balanceGone)),
    observed('RATE_LIMITED', tooFast),
    observed('FEATURE_NOT_IN_PLAN', notIncluded),
    observed('FREE_TIER_EXHAUSTED', {}, NOW, ''),
    // Refused in truth, served in truth, and out of the time: none is counted.
    { ...observed('', quotaGone), status: 402, code: 'REQUEST_QUOTA_EXCEEDED' },
    { ...observed('', {}), wouldRefuse: undefined },
    observed('REQUEST_QUOTA_EXCEEDED', quotaGone, NOW - 25 * HOUR_MS),
  ]);
  const { status, json } = await callAdmin(api, '/admin/reports/observe');
  expect(status).toBe(200);
  const none = { limit: null, entitlement: null };
  const quota = { ...none, code: 'REQUEST_QUOTA_EXCEEDED', limit: 'requests_per_month' };
  expect(json).toEqual({
    from: '2026-11-20T12:00:00.000Z',
    to: '2026-11-21T12:00:00.001Z',
    requests: 12,
    data: expect.arrayContaining([
      { ...quota, tenant_id: 'ten_1', requests: 3 },
      { ...quota, tenant_id: 'ten_2', requests: 2 },
      {
        ...none,
        ...{ code: 'INSUFFICIENT_CREDITS', tenant_id: 'ten_1', limit: 'balance', requests: 4 },
      },
      {
        ...none,
        ...{ code: 'RATE_LIMITED', tenant_id: 'ten_1', limit: 'rate_per_minute', requests: 1 },
      },
      {
        ...{ code: 'FEATURE_NOT_IN_PLAN', tenant_id: 'ten_1', limit: null, requests: 1 },
        entitlement: 'feature js_rendering',
      },
      { ...none, code: 'FREE_TIER_EXHAUSTED', tenant_id: null, requests: 1 },
    ]),
    has_more: false,
    next_cursor: null,
  });
  const counts = (json['data'] as { requests: number }[]).map(({ requests }) => requests);
  expect(counts).toEqual([4, 3, 2, 1, 1, 1]);
});

it('bound: an answer counts 20,000 requests, the next one counts on, and none is counted twice', async () => {
  const own = await startAdminApi({ now: () => NOW });
  const [one] = [observed('REQUEST_QUOTA_EXCEEDED', quotaGone, NOW - HOUR_MS)];
  await own.store.appendRequests(
    Array.from({ length: 20_005 }, () => ({ ...one, requestId: requestIdAt(NOW - HOUR_MS) })),
  );
  const first = await callAdmin(own, '/admin/reports/observe');
  expect(first.json).toMatchObject({ requests: 20_000, has_more: true });
  const cursor = String(first.json['next_cursor']);
  const second = await callAdmin(own, `/admin/reports/observe?cursor=${cursor}`);
  expect(second.json).toMatchObject({ requests: 5, has_more: false });
  await own.close();
});

it('a time that goes backwards is a mistake', async () => {
  const answer = await callAdmin(api, '/admin/reports/observe?from=1h&to=2h');
  expect(answer.status).toBe(400);
  expect(answer.json['message']).toContain('must be earlier than "to"');
});
