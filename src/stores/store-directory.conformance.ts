import { PLAIN_KEY_TERMS } from '../domain/key-terms.ts';
import { PLAIN_TERMS } from '../domain/tenant-terms.ts';
import { describe, expect, it } from 'vitest';

import {
  failure,
  freshName,
  openOwner,
  requestIdAt,
  type OpenFixture,
  sync,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import type { ApiKey, RequestRow, Tenant } from './store.ts';

const DAY_MS = 86_400_000;

/** Tenants, keys, remembered answers, rate buckets and the request log. */
export function describeDirectory(open: OpenFixture): void {
  describe('directory', () => {
    const database = useStore(open);
    describeTenants(database);
    describeKeys(database);
  });
  describe('answers', () => {
    describeAnswers(useStore(open));
  });
  describe('rates', () => {
    describeRates(useStore(open));
  });
  describe('request log', () => {
    describeRequestLog(useStore(open));
  });
}

function tenantOf(id = freshName('ten')): Tenant {
  return { id, name: 'Ada & Söhne', planId: 'free', terms: PLAIN_TERMS, createdAt: T0 };
}

function keyOf(tenantId: string, changed: Partial<ApiKey> = {}): ApiKey {
  return {
    id: freshName('key'),
    tenantId,
    name: 'ci',
    hash: freshName('hash'),
    environment: 'test',
    hint: 'tk_test_...aB3d',
    budgetNano: undefined,
    expiresAt: undefined,
    revokedAt: undefined,
    terms: PLAIN_KEY_TERMS,
    createdAt: T0,
    ...changed,
  };
}

function describeTenants(database: ReturnType<typeof useStore>): void {
  it('a tenant is found as it was made, and made once', async () => {
    const { store } = database;
    const tenant = tenantOf();
    await store.createTenant(tenant);
    expect(await store.tenant(tenant.id)).toEqual(tenant);
    expect(await store.tenant('nobody')).toBeUndefined();
    await expect(store.createTenant(tenant)).rejects.toMatchObject(failure('already_exists'));
  });

  it('tenants are listed by id, page by page', async () => {
    const { store } = database;
    for (const id of ['zz-3', 'zz-1', 'zz-2']) await store.createTenant(tenantOf(id));
    const first = await store.tenants('zz', 2);
    expect(first.map((tenant) => tenant.id)).toEqual(['zz-1', 'zz-2']);
    const second = await store.tenants('zz-2', 2);
    expect(second.map((tenant) => tenant.id)).toEqual(['zz-3']);
  });

  it('GW-03: a changed plan is news', async () => {
    const { store } = database;
    const tenant = tenantOf();
    await store.createTenant(tenant);
    const owner = await openOwner(store);
    expect(await store.setPlan(tenant.id, 'business', T0)).toEqual({
      ...tenant,
      planId: 'business',
    });
    expect((await sync(store, owner, {})).changes).toEqual([{ kind: 'tenant', id: tenant.id }]);
    expect(await store.setPlan('nobody', 'business', T0)).toBeUndefined();
  });
}

function describeKeys(database: ReturnType<typeof useStore>): void {
  it('KEY-01: a key is found by its hash, with its tenant', async () => {
    const { store } = database;
    const tenant = tenantOf();
    await store.createTenant(tenant);
    const key = keyOf(tenant.id, { budgetNano: 5_000_000_000, expiresAt: T0 + 1000 });
    await store.createKey(key);
    expect(await store.findKey(key.hash)).toEqual({ key, tenant });
    expect(await store.findKey('unknown')).toBeUndefined();
  });

  it('KEY-01: ids and hashes are unique, and a key needs a tenant', async () => {
    const { store } = database;
    const tenant = tenantOf();
    await store.createTenant(tenant);
    const key = keyOf(tenant.id);
    await store.createKey(key);
    for (const twin of [keyOf(tenant.id, { id: key.id }), keyOf(tenant.id, { hash: key.hash })]) {
      await expect(store.createKey(twin)).rejects.toMatchObject(failure('already_exists'));
    }
    await expect(store.createKey(keyOf('nobody'))).rejects.toMatchObject(failure('unknown_tenant'));
  });

  it('KEY-01: making and revoking a key are news under its hash; revoking again keeps the first time', async () => {
    const { store } = database;
    const tenant = tenantOf();
    await store.createTenant(tenant);
    const owner = await openOwner(store);
    const key = keyOf(tenant.id);
    await store.createKey(key);
    expect(await store.revokeKey(key.id, T0 + 5)).toEqual({ ...key, revokedAt: T0 + 5 });
    expect(await store.revokeKey(key.id, T0 + 9)).toEqual({ ...key, revokedAt: T0 + 5 });
    expect(await store.revokeKey('nothing', T0)).toBeUndefined();
    const change = { kind: 'key', id: key.hash };
    expect((await sync(store, owner, {})).changes).toEqual([change, change]);
  });

  it('KEY-01: keys are listed by id, of one tenant or of all', async () => {
    const { store } = database;
    const [one, other] = [tenantOf(), tenantOf()];
    await store.createTenant(one);
    await store.createTenant(other);
    const of = { 'yy-1': one, 'yy-2': other, 'yy-3': one };
    for (const [id, tenant] of Object.entries(of)) await store.createKey(keyOf(tenant.id, { id }));
    const idsOf = (keys: readonly ApiKey[]) => keys.map((key) => key.id);
    expect(idsOf(await store.keys(one.id, '', 10))).toEqual(['yy-1', 'yy-3']);
    expect(idsOf(await store.keys(one.id, 'yy-1', 10))).toEqual(['yy-3']);
    expect(idsOf(await store.keys(undefined, 'yy', 2))).toEqual(['yy-1', 'yy-2']);
  });
}

function describeAnswers(database: ReturnType<typeof useStore>): void {
  it('BILL-13: the first answer to a key is the answer for ever, another body a conflict', async () => {
    const { store } = database;
    const other = await database.connect();
    expect(await store.recall('pay-1')).toBeUndefined();
    expect(await store.remember('pay-1', 'body', 'first')).toEqual({
      kind: 'new',
      answer: 'first',
    });
    expect(await other.remember('pay-1', 'body', 'second')).toEqual({
      kind: 'replay',
      answer: 'first',
    });
    expect(await other.remember('pay-1', 'other', 'third')).toEqual({
      kind: 'conflict',
      answer: 'first',
    });
    expect(await other.recall('pay-1')).toEqual({ fingerprint: 'body', answer: 'first' });
  });

  it('BILL-13: of ten at once one is new', async () => {
    const stores = [database.store, await database.connect()];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, position) =>
        (stores[position % 2] ?? database.store).remember('pay-2', 'body', `answer ${position}`),
      ),
    );
    expect(answers.filter((answer) => answer.kind === 'new')).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.answer)).size).toBe(1);
  });

  it('a secret is made once, and the same for every process', async () => {
    const other = await database.connect();
    const secrets = await Promise.all([
      database.store.secret('links', 'aa'),
      other.secret('links', 'bb'),
      other.secret('links', 'cc'),
    ]);
    expect(new Set(secrets).size).toBe(1);
    expect(await database.store.secret('cookies', 'dd')).toBe('dd');
  });
}

function describeRates(database: ReturnType<typeof useStore>): void {
  const bucket = { count: 10, periodMs: 1000, burst: 5 };

  it('QUOTA-07: processes share a bucket: together they get the burst, then the sustained rate', async () => {
    const stores = [database.store, await database.connect()];
    const request = { ...bucket, bucketId: freshName('rate'), want: 1 };
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, position) =>
        (stores[position % 2] ?? database.store).takeRate([request], T0),
      ),
    );
    const granted = results.flat().reduce((sum, result) => sum + result.granted, 0);
    expect(granted).toBe(5);
    const later = await database.store.takeRate([{ ...request, want: 50 }], T0 + 250);
    expect(later).toEqual([{ granted: 2, remaining: 0, retryAfterMs: 0 }]);
    const refused = await database.store.takeRate([request], T0 + 250);
    expect(refused).toEqual([{ granted: 0, remaining: 0, retryAfterMs: 50 }]);
  });

  it('a list is answered bucket by bucket', async () => {
    const [one, other] = [freshName('rate'), freshName('rate')];
    const results = await database.store.takeRate(
      [
        { ...bucket, bucketId: one, want: 9 },
        { ...bucket, bucketId: other, want: 2 },
      ],
      T0,
    );
    expect(results.map(({ granted, remaining }) => [granted, remaining])).toEqual([
      [5, 0],
      [2, 3],
    ]);
  });

  it('only buckets that are full again are forgotten', async () => {
    const { store } = database;
    const request = { ...bucket, bucketId: freshName('rate'), want: 5 };
    await store.takeRate([request], T0);
    await store.pruneWindows(T0 + 400);
    expect(await store.takeRate([request], T0)).toMatchObject([{ granted: 0 }]);
    await store.pruneWindows(T0 + 2000);
    expect(await store.takeRate([request], T0)).toMatchObject([{ granted: 5 }]);
  });

  it.each([{ count: 0 }, { periodMs: 0 }, { burst: 0 }, { want: -1 }, { count: 1.5 }])(
    'bad terms are refused: %o',
    async (wrong) => {
      const request = { ...bucket, bucketId: freshName('rate'), want: 1, ...wrong };
      await expect(database.store.takeRate([request], T0)).rejects.toMatchObject(
        failure('invalid_argument'),
      );
    },
  );
}

function rowOf(at: number, changed: Partial<RequestRow> = {}): RequestRow {
  return {
    requestId: requestIdAt(at),
    at,
    tenantId: 'ten-1',
    status: 402,
    code: 'INSUFFICIENT_CREDITS',
    facts: '{"route":"chat"}',
    ...changed,
  };
}

function describeRequestLog(database: ReturnType<typeof useStore>): void {
  it('OBS-01: 1,000 requests are 1,000 rows, found by id from every process, each once', async () => {
    const { store } = database;
    const other = await database.connect();
    const rows = Array.from({ length: 1000 }, (_, index) =>
      rowOf(T0 + index, { facts: `{"n":${index}}` }),
    );
    await store.appendRequests(rows);
    await other.appendRequests(rows.slice(0, 10).map((row) => ({ ...row, status: 200 })));
    const found = await Promise.all(rows.map((row) => other.request(row.requestId)));
    expect(found).toEqual(rows);
  });

  it.each(['', 'req_', 'req_zz', '../../etc/passwd', requestIdAt(T0).toUpperCase()])(
    'GW-22: %o is no request and names no file',
    async (id) => {
      expect(await database.store.request(id)).toBeUndefined();
      await expect(
        database.store.appendRequests([rowOf(T0, { requestId: id })]),
      ).rejects.toMatchObject(failure('invalid_argument'));
    },
  );

  it('OBS-01: days are kept apart and forgotten whole', async () => {
    const { store } = database;
    const rows = Array.from({ length: 6 }, (_, day) => rowOf(T0 + (10 + day) * DAY_MS));
    await store.appendRequests(rows);
    expect(await store.pruneLog(T0 + 13 * DAY_MS)).toBeGreaterThanOrEqual(3);
    const found = await Promise.all(rows.map((row) => store.request(row.requestId)));
    expect(found).toEqual([undefined, undefined, undefined, ...rows.slice(3)]);
    await store.appendRequests(rows.slice(0, 1));
    expect(await store.request(rows[0]?.requestId ?? '')).toEqual(rows[0]);
  });
}
