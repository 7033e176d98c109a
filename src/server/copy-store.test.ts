// @needs postgresql
import { cpSync } from 'node:fs';

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { buildKey, buildTenant } from '../../test/support/build-key.ts';
import { type Postgres, startPostgres } from '../../test/support/start-postgres.ts';
import {
  makeDirectory,
  removeDirectory,
  temporaryDirectory,
} from '../../test/support/temporary-directory.ts';
import { balanceAccount } from '../domain/accounts.ts';
import { PLAIN_TERMS } from '../domain/tenant-terms.ts';
import { openPostgresStore } from '../stores/postgres/postgres-store.ts';
import { MIGRATIONS } from '../stores/postgres/migrations.ts';
import { Database } from '../stores/sqlite/database.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { COPIED_TABLES, columnsOf } from '../stores/store-copy.ts';
import {
  acquire,
  addGrant,
  failure,
  openOwner,
  quotaOf,
  slidingQuotaOf,
  sync,
  T0,
} from '../stores/store-fixture.conformance.ts';
import { describeRandomHistories } from '../stores/store-random.conformance.ts';
import type { Store } from '../stores/store.ts';
import { copyStore } from './copy-store.ts';

const HOUR_MS = 3_600_000;

/** For what is refused before anybody connects. */
const NOWHERE = 'postgres://127.0.0.1:1/none';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

function ledgerOf(directory: string): Database {
  return new Database({
    path: `${directory}/ledger.db`,
    durability: 'normal',
    busyTimeoutMs: 1000,
  });
}

/** Ends every owner as if its machine had found that nothing more was served. */
async function settleAll(store: Store): Promise<void> {
  for (const owner of await store.liveOwners()) {
    const afterSeq = (await store.lastSettled(owner)) ?? 0;
    const records = { afterSeq, seq: afterSeq, leases: [], overruns: [] };
    await store.reclaim(owner, records, T0);
  }
}

/** What the histories leave out: nested tenants with keys, a window that slides, rates, answers, secrets, an overrun. */
async function fillDirectory(store: Store): Promise<void> {
  await store.createTenant(buildTenant({ id: 'org', name: 'Größe & Söhne 日本' }));
  const terms = { ...PLAIN_TERMS, parentId: 'org' };
  await store.createTenant(buildTenant({ id: 'app', terms }));
  for (const name of ['a', 'B', 'ä', '_']) {
    await store.createKey(buildKey(`tk_test_${name}`, { id: `key_${name}`, tenantId: 'app' }));
  }
  await store.changeKey('key_a', { budgetNano: Number.MAX_SAFE_INTEGER, expiresAt: T0 + HOUR_MS });
  await store.revokeKey('key_B', T0);
  await store.changeTenant('org', { planId: 'pro' });
  await addGrant(store, { tenantId: 'app', amount: 900n, priority: 10, idempotencyKey: 'first' });
  await addGrant(store, { tenantId: 'app', amount: 50n, expiresAt: T0 + HOUR_MS });
  await addGrant(store, { tenantId: 'app', amount: 70n, effectiveAt: T0 + HOUR_MS });
  const owner = await openOwner(store);
  const accounts = [
    balanceAccount('app', 'USD'),
    quotaOf('app', 100, T0 + HOUR_MS),
    slidingQuotaOf('app', 100, 60_000),
  ];
  for (const [index, account] of accounts.entries()) {
    await acquire(store, owner, { index, account, need: 20 });
  }
  const leases = accounts.map((_, index) => ({ index, charged: 7, granted: 20 }));
  const overruns = [{ requestId: 'req_1', tenantId: 'app', unit: 'USD', amount: 3 }];
  await sync(store, owner, { leases, overruns });
  const bucket = { bucketId: 'rate:app', count: 5, periodMs: HOUR_MS, burst: 5, want: 3 };
  await store.takeRate([bucket], T0);
  await store.remember('order-1', 'print', '{"answer":1}');
  await store.secret('links', 'ab'.repeat(32));
  await store.takeJob({ name: 'prune', holder: 'host-a', periodMs: HOUR_MS }, T0);
  const run = { startedAt: T0, endedAt: T0 + 5, outcome: 'done' as const, findings: 1, detail: '' };
  await store.finishJob('prune', 1, run);
}

/** Everything the port tells of a store. */
async function readAll(store: Store, tenantIds: readonly string[]) {
  const now = T0 + 1000;
  const bucket = { bucketId: 'rate:app', count: 5, periodMs: HOUR_MS, burst: 5, want: 0 };
  return {
    tenants: await store.tenants('', 500),
    below: await store.tenants('', 500, 'org'),
    keys: await store.keys(undefined, '', 500),
    page: await store.keys('app', 'key_B', 2),
    found: await store.findKey(buildKey('tk_test_a').hash),
    books: await Promise.all(
      tenantIds.map(async (tenantId) => ({
        accounts: await store.accounts(tenantId, now, 0),
        grants: await store.grants(tenantId),
      })),
    ),
    jobs: await store.jobs(),
    unread: await store.owners(0),
    rates: await store.takeRate([bucket], now),
    answer: await store.recall('order-1'),
    secret: await store.secret('links', 'cd'.repeat(32)),
    audit: await store.audit(),
  };
}

describe('a store with histories', () => {
  const directory = makeDirectory('copied');
  afterAll(() => removeDirectory(directory));

  describeRandomHistories(async () => ({
    connect: () => openSqliteStore({ directory }),
    dispose: async () => undefined,
  }));

  it('I1, I2, I9, KEY-01: its copy answers every question as it does, and goes on with what was left', async () => {
    const source = await openSqliteStore({ directory });
    await fillDirectory(source);
    await settleAll(source);
    const ledger = ledgerOf(directory);
    const tenantIds = ledger
      .prepare<{ tenant_id: string }>(
        'SELECT tenant_id FROM accounts UNION SELECT tenant_id FROM grants ORDER BY tenant_id',
      )
      .all()
      .map(({ tenant_id }) => tenant_id);
    ledger.close();
    const expected = await readAll(source, tenantIds);
    await source.close();

    const url = await server.createDatabase();
    const result = await copyStore({ directory, url });
    expect(result).toMatchObject({ kind: 'copied' });
    if (result.kind !== 'copied') return;
    const counts = result.comparisons.map(({ name, source: of, target }) => [name, of === target]);
    expect(counts).toEqual([
      ...COPIED_TABLES.map(({ name }) => [name, true]),
      ['sums_of_assets', true],
      ['balances', true],
    ]);

    const target = await openPostgresStore({ url });
    onTestFinished(() => target.close());
    expect(tenantIds.length).toBeGreaterThan(20);
    expect(await readAll(target, tenantIds)).toEqual(expected);
    expect(expected.audit).toEqual([]);
    const again = { tenantId: 'app', amount: 900n, priority: 10, idempotencyKey: 'first' };
    expect(await addGrant(target, again)).toEqual(
      expected.books[tenantIds.indexOf('app')]?.grants.find(({ priority }) => priority === 10),
    );
    const owner = await openOwner(target);
    await target.changeTenant('org', { planId: 'free' });
    const news = await sync(target, owner, {});
    expect(news.changes).toEqual(expect.arrayContaining([{ kind: 'tenant', id: 'org' }]));
    const account = balanceAccount('app', 'USD');
    expect(await acquire(target, owner, { account, need: 943 })).toMatchObject({ granted: 943 });
  });
});

describe('what is copied', () => {
  it('is every column of every table of both stores but the request log and the numbering', async () => {
    const directory = temporaryDirectory();
    await (await openSqliteStore({ directory })).close();
    const ledger = ledgerOf(directory);
    onTestFinished(() => ledger.close());
    const columns = ledger.prepare<{ place: string }>(
      `SELECT m.name || '.' || c.name AS place FROM sqlite_master m JOIN pragma_table_info(m.name) c
       WHERE m.type = 'table' AND m.name <> 'migrations' ORDER BY 1`,
    );
    const copied = COPIED_TABLES.flatMap((table) =>
      columnsOf(table).map((column) => `${table.name}.${column}`),
    );
    expect(columns.all().map(({ place }) => place)).toEqual(copied.toSorted());
    const url = await server.createDatabase();
    await (await openPostgresStore({ url })).close();
    const list = copied.map((place) => `'${place}'`).join(', ');
    await server.execute(
      url,
      `DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = 'public'
         AND table_name NOT IN ('migrations', 'news', 'requests', 'request_batches')
         AND table_name || '.' || column_name NOT IN (${list})); END $$`,
    );
  });

  it('exactly: integers of 64 bits, far above 2^53', async () => {
    const directory = temporaryDirectory();
    await (await openSqliteStore({ directory })).close();
    const ledger = ledgerOf(directory);
    const huge = 2n ** 63n - 1n;
    ledger
      .prepare('INSERT INTO rates (bucket_id, debt, at, period_ms, full_at) VALUES (?, ?, 1, 1, 1)')
      .run('slow', huge);
    ledger.close();
    const url = await server.createDatabase();
    expect(await copyStore({ directory, url })).toMatchObject({ kind: 'copied' });
    await server.execute(url, `DO $$ BEGIN ASSERT (SELECT debt FROM rates) = ${huge}; END $$`);
  });
});

describe('refused, with nothing changed', () => {
  const funded = makeDirectory('funded');
  let directory: string;
  beforeAll(async () => {
    const store = await openSqliteStore({ directory: funded });
    await addGrant(store, { tenantId: 'ten_1', amount: 5n, idempotencyKey: 'only' });
    await store.close();
  });
  afterAll(() => removeDirectory(funded));
  beforeEach(() => {
    directory = temporaryDirectory();
    cpSync(funded, directory, { recursive: true });
  });
  const isEmpty = (url: string) =>
    server.execute(url, 'DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM grants); END $$');

  it('a directory without a store, and none is made', async () => {
    const empty = temporaryDirectory();
    expect(await copyStore({ directory: empty, url: NOWHERE })).toMatchObject({ code: 'NO_STORE' });
    expect(await copyStore({ directory: empty, url: NOWHERE })).toMatchObject({ code: 'NO_STORE' });
  });

  it('a store with an owner that has not settled', async () => {
    const store = await openSqliteStore({ directory });
    await store.openOwner('gone', T0);
    await store.close();
    expect(await copyStore({ directory, url: NOWHERE })).toMatchObject({
      code: 'STORE_NOT_SETTLED',
      message: expect.stringContaining('gateway process gone ended without settling: start'),
    });
  });

  it('a store that somebody writes to', async () => {
    const ledger = ledgerOf(directory);
    ledger.execute('BEGIN IMMEDIATE');
    onTestFinished(() => ledger.close());
    await expect(copyStore({ directory, url: NOWHERE })).rejects.toMatchObject(
      failure('unavailable'),
    );
  });

  it('a store whose books do not add up', async () => {
    const ledger = ledgerOf(directory);
    ledger.execute('UPDATE entries SET amount = amount + 1 WHERE leg = 0');
    ledger.close();
    expect(await copyStore({ directory, url: NOWHERE })).toMatchObject({
      code: 'BOOKS_WRONG',
      message: expect.stringContaining('sums to zero'),
    });
  });

  it('a database with a row in it: its table is named', async () => {
    const url = await server.createDatabase();
    const store = await openPostgresStore({ url });
    await store.secret('links', 'ab'.repeat(32));
    await store.close();
    expect(await copyStore({ directory, url })).toEqual({ kind: 'not_empty', table: 'secrets' });
    await isEmpty(url);
  });

  it('a second copy into the same database', async () => {
    const url = await server.createDatabase();
    expect(await copyStore({ directory, url })).toMatchObject({ kind: 'copied' });
    expect(await copyStore({ directory, url })).toMatchObject({ kind: 'not_empty' });
  });

  it('a store or a database of a newer version', async () => {
    const url = await server.createDatabase();
    await (await openPostgresStore({ url })).close();
    await server.execute(url, `INSERT INTO migrations VALUES (${MIGRATIONS.length + 1})`);
    await expect(copyStore({ directory, url })).rejects.toMatchObject(failure('incompatible'));
    const ledger = ledgerOf(directory);
    ledger.execute('INSERT INTO migrations (id) VALUES (99)');
    ledger.close();
    await expect(copyStore({ directory, url: NOWHERE })).rejects.toMatchObject({
      ...failure('incompatible'),
      message: expect.stringContaining('schema version 99'),
    });
  });

  it('a copy that comes out different is taken back whole, and the rows are named', async () => {
    const url = await server.createDatabase();
    await (await openPostgresStore({ url })).close();
    await server.execute(
      url,
      `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.source := 'forged'; RETURN NEW; END $$;
       CREATE TRIGGER spoil BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION spoil()`,
    );
    const result = await copyStore({ directory, url });
    expect(result).toMatchObject({ kind: 'different', violations: [] });
    if (result.kind !== 'different') return;
    const wrong = result.comparisons.filter(({ difference }) => difference !== undefined);
    expect(wrong).toEqual([
      { name: 'grants', source: 1, target: 1, difference: expect.stringMatching(/^row 1, /) },
    ]);
    await isEmpty(url);
  });

  it('a copy with wrong balances is taken back whole, and the books are named', async () => {
    const url = await server.createDatabase();
    await (await openPostgresStore({ url })).close();
    await server.execute(
      url,
      `CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
       CREATE TRIGGER lose BEFORE INSERT ON entries FOR EACH ROW WHEN (NEW.leg = 0) EXECUTE FUNCTION lose()`,
    );
    const result = await copyStore({ directory, url });
    expect(result.kind).toBe('different');
    if (result.kind !== 'different') return;
    expect(result.violations[0]?.invariant).toContain('I1');
    const wrong = result.comparisons.filter(({ difference }) => difference !== undefined);
    expect(wrong.map(({ name }) => name)).toContain('entries');
    await isEmpty(url);
  });
});
