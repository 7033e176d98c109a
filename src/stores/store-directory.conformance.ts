import { describe, expect, it } from 'vitest';

import { buildLimit } from '../../test/support/build-catalog.ts';
import { PLAIN_KEY_TERMS } from '../domain/key-terms.ts';
import { PLAIN_TERMS, type Purchase, type TenantTerms } from '../domain/tenant-terms.ts';

import {
  failure,
  freshName,
  openOwner,
  type OpenFixture,
  sync,
  T0,
  useStore,
} from './store-fixture.conformance.ts';
import { ANCESTORS_MAX, type ApiKey, PURCHASES_MAX, type Store, type Tenant } from './store.ts';

/** Tenants, the trees they form, what they bought, and their keys. */
export function describeDirectory(open: OpenFixture): void {
  describe('directory', () => {
    const database = useStore(open);
    describeTenants(database);
    describeTrees(database);
    describePurchases(database);
    describeKeys(database);
    describeKeyChanges(database);
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
    const tenant = await makeTenant(store);
    const owner = await openOwner(store);
    const changed = { ...tenant, planId: 'business' };
    expect(await store.changeTenant(tenant.id, { planId: 'business' })).toEqual(changed);
    expect(await store.tenant(tenant.id)).toEqual(changed);
    expect((await sync(store, owner, {})).changes).toEqual([{ kind: 'tenant', id: tenant.id }]);
    expect(await store.changeTenant('nobody', { planId: 'business' })).toBeUndefined();
  });

  it('a change touches the members it names, takes away those it names without a value, and is news', async () => {
    const { store } = database;
    const { id: parentId } = await makeTenant(store);
    const before = { billingAnchorAt: T0, timeZone: 'Asia/Tokyo', parentId };
    const tenant = await makeTenant(store, before);
    const owner = await openOwner(store);
    const terms = { billingAnchorAt: undefined, payment: { failedAt: T0 }, pooled: true };
    expect(await store.changeTenant(tenant.id, { name: 'Acme', terms })).toEqual({
      ...tenant,
      name: 'Acme',
      terms: {
        ...tenant.terms,
        billingAnchorAt: undefined,
        payment: { ...PLAIN_TERMS.payment, failedAt: T0 },
        pooled: true,
      },
    });
    expect((await sync(store, owner, {})).changes).toEqual([{ kind: 'tenant', id: tenant.id }]);
  });

  it('two processes that change different members lose neither', async () => {
    const { store } = database;
    const other = await database.connect();
    const tenant = await makeTenant(store);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? store.changeTenant(tenant.id, { addPurchase: purchaseOf(`p-${index}`) })
          : other.changeTenant(tenant.id, { addPurchase: purchaseOf(`p-${index}`) }),
      ),
    );
    expect((await store.tenant(tenant.id))?.terms.purchases).toHaveLength(20);
  });
}

async function makeTenant(store: Store, terms: Partial<TenantTerms> = {}): Promise<Tenant> {
  const tenant = { ...tenantOf(), terms: { ...PLAIN_TERMS, ...terms } };
  await store.createTenant(tenant);
  return tenant;
}

/** Each the parent of the next; the top first. */
async function makeChain(store: Store, length: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index < length; index += 1) {
    const { id } = await makeTenant(store, { parentId: ids.at(-1) });
    ids.push(id);
  }
  return ids;
}

function moveBelow(store: Store, id: string | undefined, parentId: string | undefined) {
  return store.changeTenant(id ?? '', { terms: { parentId } });
}

function describeTrees(database: ReturnType<typeof useStore>): void {
  it('PLAN-16: a key is found with the tenants above its own, nearest first', async () => {
    const { store } = database;
    const [top, middle, low] = await makeChain(store, 3);
    const key = keyOf(low ?? '');
    await store.createKey(key);
    const found = await store.findKey(key.hash);
    expect(found?.tenant.id).toBe(low);
    expect(found?.ancestors.map(({ id }) => id)).toEqual([middle, top]);
    expect(found?.ancestors[1]).toEqual(await store.tenant(top ?? ''));
    await moveBelow(store, low, undefined);
    expect((await store.findKey(key.hash))?.ancestors).toEqual([]);
  });

  it('those directly below a tenant are listed, page by page', async () => {
    const { store } = database;
    const [top = ''] = await makeChain(store, 3);
    const second = await makeTenant(store, { parentId: top });
    const children = await store.tenants('', 10, top);
    expect(children).toHaveLength(2);
    expect(children).toContainEqual(second);
    expect(await store.tenants(children[0]?.id ?? '', 10, top)).toEqual(children.slice(1));
    expect(await store.tenants('', 10, second.id)).toEqual([]);
  });

  it.each([0, 1, 2])('no tenant gets above itself: circle of %i between', async (between) => {
    const { store } = database;
    const ids = await makeChain(store, between + 1);
    const top = await store.tenant(ids[0] ?? '');
    await expect(moveBelow(store, ids[0], ids.at(-1))).rejects.toMatchObject(
      failure('invalid_change'),
    );
    expect(await store.tenant(ids[0] ?? '')).toEqual(top);
    await expect(
      store.createTenant({ ...tenantOf('self'), terms: { ...PLAIN_TERMS, parentId: 'self' } }),
    ).rejects.toMatchObject(failure('invalid_change'));
  });

  it('a parent must exist', async () => {
    const { store } = database;
    const { id } = await makeTenant(store);
    const orphan = { ...tenantOf(), terms: { ...PLAIN_TERMS, parentId: 'nobody' } };
    await expect(store.createTenant(orphan)).rejects.toMatchObject(failure('unknown_tenant'));
    await expect(moveBelow(store, id, 'nobody')).rejects.toMatchObject(failure('unknown_tenant'));
  });

  it('bound: no tenant has more than ANCESTORS_MAX above it, wherever a tree is hung', async () => {
    const { store } = database;
    const chain = await makeChain(store, ANCESTORS_MAX + 1);
    const tooDeep = { ...tenantOf(), terms: { ...PLAIN_TERMS, parentId: chain.at(-1) } };
    await expect(store.createTenant(tooDeep)).rejects.toMatchObject(failure('invalid_change'));
    // A tree of three: its lowest would have one too many, and two of them fit.
    const [top, middle] = await makeChain(store, 3);
    const seventh = chain[ANCESTORS_MAX - 2];
    await expect(moveBelow(store, top, seventh)).rejects.toMatchObject(failure('invalid_change'));
    expect((await moveBelow(store, middle, seventh))?.terms.parentId).toBe(seventh);
  });

  it('two moves that would make a circle together: one of them is refused', async () => {
    const { store } = database;
    const other = await database.connect();
    const [one, two] = [await makeTenant(store), await makeTenant(store)];
    const moves = await Promise.allSettled([
      moveBelow(store, one.id, two.id),
      moveBelow(other, two.id, one.id),
    ]);
    expect(moves.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('PLAN-16: one joins the pool, another takes the parent away: one of them is refused', async () => {
    const { store } = database;
    const other = await database.connect();
    const { id: parentId } = await makeTenant(store);
    const { id } = await makeTenant(store, { parentId });
    const changes = await Promise.allSettled([
      store.changeTenant(id, { terms: { pooled: true } }),
      moveBelow(other, id, undefined),
    ]);
    expect(changes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const terms = (await store.tenant(id))?.terms;
    expect(terms?.pooled).toBe(terms?.parentId !== undefined);
  });
}

function purchaseOf(id: string, members: Partial<Purchase> = {}): Purchase {
  return { id, addOnId: 'burst', at: T0, expiresAt: undefined, ...members };
}

function describePurchases(database: ReturnType<typeof useStore>): void {
  it('PLAN-10: a purchase is added once, also after it was ended, and ends without being forgotten', async () => {
    const { store } = database;
    const { id } = await makeTenant(store);
    const purchase = purchaseOf('pur-1');
    await store.changeTenant(id, { addPurchase: purchase });
    await store.changeTenant(id, { addPurchase: purchase });
    await store.changeTenant(id, { addPurchase: purchaseOf('pur-2', { expiresAt: T0 + 5 }) });
    await store.changeTenant(id, { endPurchase: { id: 'pur-1', at: T0 + 9 } });
    await store.changeTenant(id, { endPurchase: { id: 'pur-2', at: T0 + 9 } });
    const ended = await store.changeTenant(id, { addPurchase: purchase });
    expect(ended?.terms.purchases).toEqual([
      { ...purchase, expiresAt: T0 + 9 },
      purchaseOf('pur-2', { expiresAt: T0 + 5 }),
    ]);
  });

  it('bound: PURCHASES_MAX are kept; a new one takes the place of the one that ended first, never of one in force', async () => {
    const { store } = database;
    const { id } = await makeTenant(store);
    for (let index = 0; index < PURCHASES_MAX; index += 1) {
      await store.changeTenant(id, { addPurchase: purchaseOf(`pur-${index}`) });
    }
    const late = purchaseOf('late', { at: T0 + 100 });
    await expect(store.changeTenant(id, { addPurchase: late })).rejects.toMatchObject(
      failure('invalid_change'),
    );
    await store.changeTenant(id, { endPurchase: { id: 'pur-7', at: T0 + 8 } });
    await store.changeTenant(id, { endPurchase: { id: 'pur-5', at: T0 + 9 } });
    const kept = (await store.changeTenant(id, { addPurchase: late }))?.terms.purchases ?? [];
    expect(kept).toHaveLength(PURCHASES_MAX);
    const ids = kept.map((each) => each.id);
    expect(ids).not.toContain('pur-7');
    expect(ids).toEqual(expect.arrayContaining(['pur-5', 'late']));
  });
}

function describeKeys(database: ReturnType<typeof useStore>): void {
  it('KEY-01: a key is found by its hash, with its tenant', async () => {
    const { store } = database;
    const tenant = tenantOf();
    await store.createTenant(tenant);
    const key = keyOf(tenant.id, { budgetNano: 5_000_000_000, expiresAt: T0 + 1000 });
    await store.createKey(key);
    expect(await store.findKey(key.hash)).toEqual({ key, tenant, ancestors: [] });
    expect(await store.key(key.id)).toEqual(key);
    expect(await store.key('nothing')).toBeUndefined();
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

function describeKeyChanges(database: ReturnType<typeof useStore>): void {
  it('KEY-02: a change touches the members it names, takes away those without a value, and is news', async () => {
    const { store } = database;
    const { id: tenantId } = await makeTenant(store);
    const key = keyOf(tenantId, { budgetNano: 5, expiresAt: T0 + 1000 });
    await store.createKey(key);
    const owner = await openOwner(store);
    const limit = buildLimit(5, {
      scope: 'key',
      overage: { kind: 'bill', unitPico: 2n ** 70n },
    });
    const terms = { addresses: ['10.0.0.0/8'], contextTokensMax: 9000, limits: [limit] };
    const changed = { ...key, budgetNano: undefined, terms: { ...PLAIN_KEY_TERMS, ...terms } };
    expect(await store.changeKey(key.id, { budgetNano: undefined, terms })).toEqual(changed);
    expect(await store.key(key.id)).toEqual(changed);
    expect((await sync(store, owner, {})).changes).toEqual([{ kind: 'key', id: key.hash }]);
    const named = await store.changeKey(key.id, { name: 'ops', expiresAt: T0 + 5 });
    expect(named).toEqual({ ...changed, name: 'ops', expiresAt: T0 + 5 });
    expect(await store.changeKey('nothing', { name: 'x' })).toBeUndefined();
  });

  it('KEY-01: a new secret is the same key; the old one is unknown, and both are news', async () => {
    const { store } = database;
    const { id: tenantId } = await makeTenant(store);
    const key = keyOf(tenantId);
    await store.createKey(key);
    const owner = await openOwner(store);
    const secret = { hash: freshName('hash'), hint: 'tk_test_...new1' };
    expect(await store.changeKey(key.id, { secret })).toEqual({ ...key, ...secret });
    expect(await store.findKey(key.hash)).toBeUndefined();
    expect((await store.findKey(secret.hash))?.key.id).toBe(key.id);
    expect((await sync(store, owner, {})).changes).toEqual([
      { kind: 'key', id: key.hash },
      { kind: 'key', id: secret.hash },
    ]);
  });
}
