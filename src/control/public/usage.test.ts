import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { bearer, callPage, HTML, type PageCall } from '../../../test/support/call-pages.ts';
import {
  startPublicPages,
  type PublicPages,
  type TenantMembers,
} from '../../../test/support/start-public-pages.ts';
import {
  buildCatalog,
  buildLimit,
  buildPlan,
  buildRateLimit,
} from '../../../test/support/build-catalog.ts';
import { accountsFor, balanceAccount, overageAccount } from '../../domain/accounts.ts';
import { accessOf } from '../../domain/tenant-access.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { requestId } from '../../platform/ids.ts';
import type { ApiKey, Tenant } from '../../stores/store.ts';
import { PARTS_MAX } from './usage-limits.ts';

let pages: PublicPages;
beforeAll(async () => {
  pages = await startPublicPages();
});
afterAll(() => pages.close());
const call = (path: string, options: PageCall = {}) => callPage(pages, path, options);

const COMMERCIAL = { class: 'commercial', from: 'plan' } as const;

describe('QUOTA-14: /v1/usage', () => {
  it('shows every limit of tenant and key, those never touched too, and exact money', async () => {
    const { tenant, key, secret } = await pages.addTenant({ budgetNano: 1_500_000_000 });
    const now = Date.now();
    const owner = `test-${tenant.id}`;
    await pages.store.addGrant(grantOf(tenant.id, 2_000_000_000n, now), now);
    await pages.store.openOwner(owner, now);
    const account = balanceAccount(tenant.id, 'USD');
    const lease = {
      index: 0,
      account,
      grantedBefore: 0,
      need: 500_000_000,
      want: 500_000_000,
      ask: true,
    };
    await pages.store.acquire(owner, [lease], now);
    const settled = {
      index: 0,
      charged: 120_000_000,
      granted: 150_000_000,
      close: false,
      answersRecall: false,
    };
    const batch = { owner, seq: 1, overruns: [], changesAfter: 0 };
    await pages.store.sync({ ...batch, now, leases: [settled] });
    const answer = call('/v1/usage', { headers: bearer(secret) });
    const { status, headers, json } = await answer;
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(json).toMatchObject({
      tenant_id: tenant.id,
      plan: { id: 'free', version: 'free-v1', title: 'Free' },
      key: { id: key.id, hint: 'tk_test_...aB3d', budget: '1.50' },
      balance: { asset: 'USD', settled: '1.88', held: '0.03', available: '1.85' },
    });
    expect(json['limits']).toEqual([
      {
        ...COMMERCIAL,
        id: 'key_tokens',
        unit: 'tokens',
        window: 'lifetime',
        scope: 'key',
        limit: 5000,
        used: 0,
        held: 0,
        remaining: 5000,
        resets_at: null,
      },
      {
        ...COMMERCIAL,
        id: 'requests_per_month',
        unit: 'requests',
        window: 'month',
        scope: 'tenant',
        limit: 1000,
        used: 0,
        held: 0,
        remaining: 1000,
        resets_at: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00.000Z$/),
      },
      {
        ...COMMERCIAL,
        id: 'spend_per_day',
        unit: 'spend',
        asset: 'USD',
        window: 'day',
        scope: 'tenant',
        limit: '2.50',
        used: '0.00',
        held: '0.00',
        remaining: '2.50',
        resets_at: expect.stringMatching(/T00:00:00.000Z$/),
      },
      {
        class: 'commercial',
        from: 'key',
        id: 'key_budget',
        unit: 'spend',
        asset: 'USD',
        window: 'lifetime',
        scope: 'key',
        limit: '1.50',
        used: '0.00',
        held: '0.00',
        remaining: '1.50',
        resets_at: null,
      },
    ]);
    await pages.store.closeOwner({
      ...batch,
      now,
      seq: 2,
      leases: [{ ...settled, granted: 120_000_000, close: true }],
    });
  });

  it('still answers when the plan has left the configuration', async () => {
    const { secret } = await pages.addTenant({ planId: 'gone' });
    const { status, json } = await call('/v1/usage', { headers: bearer(secret) });
    expect(status).toBe(200);
    expect(json).toMatchObject({ plan: { id: 'gone', title: null }, limits: [] });
  });

  it.each([
    ['KEY_MISSING', {}],
    ['KEY_UNKNOWN', { authorization: 'Bearer tk_test_nobody' }],
  ])('401 %s, as a body the OpenAI SDK reads; to a browser, as a page', async (code, headers) => {
    const { status, json } = await call('/v1/usage', { headers });
    expect(status).toBe(401);
    expect(json).toMatchObject({ code, error: { code, type: 'authentication_error' } });
    const page = await call('/v1/usage', { headers, accept: HTML });
    expect(page.status).toBe(401);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.text).toContain(code);
  });
});

it('KEY-01: a revoked key is told when it was revoked', async () => {
  const { key, secret } = await pages.addTenant();
  await pages.store.revokeKey(key.id, Date.UTC(2026, 10, 2, 3, 4));
  for (const path of ['/v1/usage', `/r/${requestId(Date.now())}`]) {
    const { status, json } = await call(path, { headers: bearer(secret) });
    expect([status, json['code']]).toEqual([401, 'KEY_REVOKED']);
    expect(json['message']).toContain('revoked on 2026-11-02 03:04 UTC');
  }
});

describe('QUOTA-14: every kind of limit, and what is agreed beyond the plan', () => {
  const hour = 3_600_000;
  const catalog = buildCatalog(
    [
      buildPlan('team', {
        version: 'team-v1',
        title: 'Team',
        priceNano: 1n,
        models: ['echo'],
        features: ['search'],
        limits: [
          buildLimit(100, {
            id: 'images',
            unit: 'operations',
            operations: ['image'],
            overage: { kind: 'bill', unitPico: 20_000_000_000n },
          }),
          buildLimit(9_000, {
            id: 'per_model',
            unit: 'input_tokens',
            window: 'day',
            scope: 'model',
          }),
          buildLimit(50, { id: 'per_user', window: 'hour', scope: 'end_user' }),
          buildLimit(5, {
            id: 'slots',
            unit: 'concurrent_requests',
            window: 'second',
            class: 'protective',
          }),
          buildLimit(1_000, { id: 'volume', unit: 'bytes', window: 'day', soft: true }),
          buildLimit(7, { id: 'upload', unit: 'bytes_in', window: 'year' }),
          buildLimit(5_000_000_000, { id: 'spending', unit: 'spend' }),
        ],
        rateLimits: [buildRateLimit({ id: 'burst', count: 5, periodMs: 1000, burst: 10 })],
        contextTiers: [
          { tokensMax: 9_000, priceMultiplierPermille: 1000 },
          { tokensMax: 100_000, priceMultiplierPermille: 1500 },
        ],
        fileBytesMax: 1_000_000,
      }),
      buildPlan('org', {
        limits: [buildLimit(10_000, { id: 'org_requests' })],
        rateLimits: [buildRateLimit({ id: 'org_rate' })],
      }),
    ],
    {
      limits: [buildLimit(1_000_000, { id: 'house', scope: 'global', class: 'protective' })],
      addOns: [
        {
          id: 'course',
          title: 'Course 7',
          priceNano: 1n,
          interval: 'once',
          grants: {
            features: [],
            models: [],
            purchases: ['course-7'],
            limits: [{ id: 'upload', amount: 3 }],
            rateLimits: [],
            contextTokensMax: undefined,
            fileBytesMax: undefined,
          },
        },
      ],
    },
  );
  let team: PublicPages;
  beforeAll(async () => {
    team = await startPublicPages({ catalog: () => catalog });
  });
  afterAll(() => team.close());

  async function usageOf(members: TenantMembers, pages = team) {
    const owner = await pages.addTenant({ planId: 'team', ...members });
    const read = async () =>
      (await callPage(pages, '/v1/usage', { headers: bearer(owner.secret) })).json;
    return { ...owner, read };
  }
  const idsOf = (json: Record<string, unknown>) =>
    (json['limits'] as { id: string; of?: string | null }[]).map(({ id, of }) =>
      of === undefined ? id : `${id} of ${of}`,
    );

  it('lists the limits of plan, key, those above and the house, restricted ones too, each with its rule', async () => {
    // Not in the last hour of a day, nor on the last day of a month: windows that end together stand in another order.
    const now = (): number => Date.UTC(2026, 10, 18, 12);
    const pages = await startPublicPages({ catalog: () => catalog, now });
    onTestFinished(() => pages.close());
    const org = await pages.addTenant({ planId: 'org' });
    const minute = buildLimit(3, { id: 'key_requests', scope: 'key', window: 'minute' });
    const members = { terms: { parentId: org.tenant.id }, keyTerms: { limits: [minute] } };
    const { read } = await usageOf(members, pages);
    const json = await read();
    expect(idsOf(json)).toEqual([
      'upload',
      'images',
      'spending',
      'org_requests',
      'per_model of null',
      'volume',
      'per_user of null',
      'key_requests',
      'house',
      'slots',
    ]);
    const limits = new Map((json['limits'] as { id: string }[]).map((each) => [each.id, each]));
    expect(limits.get('images')).toMatchObject({
      operations: ['image'],
      overage: { policy: 'bill', unit_price: '0.0200 USD', used: 0, cost: '0.0000 USD' },
    });
    expect(limits.get('volume')).toMatchObject({ soft: true, limit: 1000, remaining: 1000 });
    expect(limits.get('slots')).toMatchObject({ class: 'protective', resets_at: null });
    expect(limits.get('org_requests')).toMatchObject({ from: 'ancestor', limit: 10_000 });
    expect(limits.get('house')).toMatchObject({ from: 'house', scope: 'global' });
    expect(limits.get('key_requests')).toMatchObject({ from: 'key', window: 'minute' });
    expect(json['rate_limits']).toMatchObject([
      { id: 'burst', from: 'plan' },
      { id: 'org_rate', from: 'ancestor' },
    ]);
  });

  it('counts each model and end user by itself, those used most first, and bounds the list', async () => {
    const { tenant, key, read } = await usageOf({});
    const { at, plan, holder } = accessFor(tenant, key);
    const call = { routeId: 'r', operation: 'r', model: 'echo' };
    const specs = Array.from({ length: PARTS_MAX + 2 }, (_, index) =>
      accountsFor(plan, holder, { ...call, endUser: `user ${index}` }, { asset: 'USD', at }),
    ).flat();
    const touched = [...new Map(specs.map((spec) => [spec.id, spec])).values()].filter(
      ({ limit }) => limit?.of !== undefined,
    );
    const owner = `parts-${tenant.id}`;
    await team.store.openOwner(owner, at);
    const leases = touched.map((account, index) => ({
      index,
      // As an earlier plan had them: what is shown is what the present one allows.
      account: { ...account, allowance: 9 },
      grantedBefore: 0,
      need: 5,
      want: 5,
      ask: true,
    }));
    await team.store.acquire(owner, leases, at);
    await team.store.closeOwner({
      owner,
      now: at,
      seq: 1,
      overruns: [],
      changesAfter: 0,
      leases: touched.map(({ limit }, index) => {
        const charged = limit?.of === 'user 7' ? 5 : 1;
        return { index, charged, granted: charged, close: true, answersRecall: false };
      }),
    });
    const json = await read();
    const ids = idsOf(json);
    expect(ids).toContain('per_model of echo');
    expect(ids.filter((id) => id.startsWith('per_user'))).toHaveLength(PARTS_MAX);
    expect(ids.find((id) => id.startsWith('per_user'))).toBe('per_user of user 7');
    expect(json['limits_left_off']).toBe(2);
    const user = (json['limits'] as { of?: string }[]).find(({ of }) => of === 'user 7');
    expect(user).toMatchObject({ used: 5, remaining: 45, scope: 'end_user' });
  });

  it('shows what units beyond an allowance cost so far', async () => {
    const { tenant, key, read } = await usageOf({});
    const { at, plan, holder } = accessFor(tenant, key);
    const call = { routeId: 'r', operation: 'image', model: undefined, endUser: undefined };
    const specs = accountsFor(plan, holder, call, { asset: 'USD', at });
    const images = specs.find(({ limit }) => limit?.id === 'images');
    if (images === undefined) throw new Error('the plan has a limit on images');
    const owner = `over-${tenant.id}`;
    const account = overageAccount(images);
    await team.store.openOwner(owner, at);
    await team.store.acquire(
      owner,
      [{ index: 0, account, grantedBefore: 0, need: 3, want: 3, ask: true }],
      at,
    );
    const lease = { index: 0, charged: 3, granted: 3, close: true, answersRecall: false };
    const batch = { owner, now: at, seq: 1, overruns: [], changesAfter: 0, leases: [lease] };
    await team.store.closeOwner(batch);
    const limits = (await read())['limits'] as { id: string }[];
    expect(limits.find(({ id }) => id === 'images')).toMatchObject({
      used: 0,
      overage: { used: 3, cost: '0.0600 USD' },
    });
  });

  it('tells standing, entitlements, purchases, overrides and context sizes', async () => {
    const now = Date.now();
    const { read } = await usageOf({
      terms: {
        payment: { ...PLAIN_TERMS.payment, method: 'valid', failedAt: now - hour },
        purchases: [
          { id: 'pur_1', addOnId: 'course', at: now - hour, expiresAt: undefined },
          { id: 'pur_2', addOnId: 'course', at: now - 2 * hour, expiresAt: now - hour },
        ],
        overrides: [
          { limitId: 'upload', amount: 40, expiresAt: now + hour },
          { limitId: 'spending', amount: 7_500_000_000, expiresAt: undefined },
        ],
        overageAuthorizedUntil: now + hour,
      },
    });
    const json = await read();
    expect(json).toMatchObject({
      standing: {
        subscription: 'active',
        payments: 'grace',
        service_level: 'full',
        code: null,
        grace_ends_at: new Date(now - hour + 7 * 24 * hour).toISOString(),
      },
      entitlements: {
        models: ['echo'],
        features: ['search'],
        purchases: ['course-7'],
        context: {
          tokens_max: 100_000,
          tiers: [
            { tokens_max: 9000, price_multiplier: '1.0' },
            { tokens_max: 100_000, price_multiplier: '1.5' },
          ],
        },
        file_bytes_max: 1_000_000,
      },
      rate_limits: [{ id: 'burst', count: 5, period_seconds: 1, burst: 10 }],
      purchases: [
        { add_on: 'course', title: 'Course 7', in_force: true, expires_at: null },
        { add_on: 'course', in_force: false },
      ],
      overrides: [
        { limit_id: 'upload', amount: 40, in_force: true },
        { limit_id: 'spending', amount: '7.50 USD', in_force: true },
      ],
      overage_authorized_until: new Date(now + hour).toISOString(),
    });
    // The override replaces the plan's 7, the purchase adds 3.
    const limits = json['limits'] as { id: string }[];
    expect(limits.find(({ id }) => id === 'upload')).toMatchObject({ limit: 43 });
  });

  it('shows a member of a pool the balance and limits it draws on, and who pays', async () => {
    const pool = await usageOf({});
    await team.store.addGrant(grantOf(pool.tenant.id, 2_000_000_000n), Date.now());
    const member = await usageOf({ terms: { parentId: pool.tenant.id, pooled: true } });
    expect(await member.read()).toMatchObject({
      tenant_id: member.tenant.id,
      paid_by: pool.tenant.id,
      plan: { id: 'team' },
      balance: { available: '2.00' },
    });
  });

  function accessFor(tenant: Tenant, key: ApiKey) {
    const at = Date.now();
    return { at, ...accessOf({ key, tenant, ancestors: [] }, catalog, at) };
  }
});

function grantOf(tenantId: string, amount: bigint, effectiveAt = Date.now()) {
  return {
    tenantId,
    asset: 'USD',
    amount,
    category: 'paid' as const,
    priority: 50,
    effectiveAt,
    expiresAt: undefined,
    source: 'test',
    idempotencyKey: `test-${tenantId}`,
  };
}
