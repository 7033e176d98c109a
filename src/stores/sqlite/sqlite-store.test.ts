import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { buildTenant } from '../../../test/support/build-key.ts';
import { PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { encodeRows } from '../request-rows.ts';
import { describeStore } from '../store.conformance.ts';
import { describeThreadStore } from '../thread/thread-store.conformance.ts';
import {
  acquire,
  numbersOf,
  quotaOf,
  requestIdAt,
  slidingQuotaOf,
  sync,
  T0,
} from '../store-fixture.conformance.ts';
import { Database } from './database.ts';
import { migrate, MIGRATIONS } from './migrations.ts';
import { openSqliteStore } from './sqlite-store.ts';

describeStore('sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tollkeeper-store-'));
  return {
    connect: () => openSqliteStore({ directory }),
    dispose: () => rm(directory, { recursive: true }),
  };
});

describe('the embedded store', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tollkeeper-store-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  describeThreadStore((options) => openSqliteStore({ directory, ...options }));

  it('close answers what was asked before it and refuses what comes after', async () => {
    const store = await openSqliteStore({ directory });
    const opening = store.openOwner('one', 1);
    const closing = store.close();
    await expect(store.liveOwners()).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.all([opening, closing]);
    await store.close();
    const again = await openSqliteStore({ directory });
    expect(await again.liveOwners()).toEqual(['one']);
    await again.close();
  });

  it('says why it cannot open', async () => {
    await writeFile(join(directory, 'ledger.db'), 'not a database'.repeat(100));
    await expect(openSqliteStore({ directory })).rejects.toThrow(/file is not a database/);
    await expect(
      openSqliteStore({ directory: join(directory, 'ledger.db', 'below') }),
    ).rejects.toThrow(/ENOTDIR/);
  });

  it('OBS-01: looking for a request of another day makes no file', async () => {
    const store = await openSqliteStore({ directory });
    expect(await store.request(requestIdAt(0))).toBeUndefined();
    await store.close();
    expect(await readdir(directory)).toEqual(['ledger.db']);
  });

  it('OBS-01: a batch goes to the thread without a copy of it, unless it is a part of something else', async () => {
    const store = await openSqliteStore({ directory });
    const row = { at: 0, tenantId: 't', status: 200, code: '', facts: '{}' };
    const ids = [requestIdAt(86_400_000), requestIdAt(86_400_000)];
    const [one, two] = ids.map((requestId) => encodeRows([{ ...row, requestId }])[0]);
    const part = Buffer.concat([two ?? new Uint8Array(), Buffer.alloc(5)]).subarray(0, two?.length);
    await Promise.all([
      store.appendEncodedRequests(one ?? new Uint8Array()),
      store.appendEncodedRequests(one ?? new Uint8Array()),
      store.appendEncodedRequests(part),
    ]);
    expect([one?.length, part.length]).toEqual([0, two?.length]);
    await expect(store.appendEncodedRequests(one ?? part)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const found = await Promise.all(ids.map((id) => store.request(id)));
    expect(found).toEqual(ids.map((requestId) => ({ ...row, requestId })));
    await store.close();
  });

  it('OBS-01: forgetting a day removes its files', async () => {
    const store = await openSqliteStore({ directory });
    const row = { at: 0, tenantId: 't', status: 200, code: '', facts: '{}' };
    await store.appendRequests([{ ...row, requestId: requestIdAt(86_400_000) }]);
    expect(existsSync(join(directory, 'requests-1970-01-02.db'))).toBe(true);
    expect(await store.pruneLog(86_400_000)).toBe(0);
    expect(await store.pruneLog(2 * 86_400_000)).toBe(1);
    expect((await readdir(directory)).filter((name) => name.startsWith('requests'))).toEqual([]);
    await store.close();
  });

  it('QUOTA-07: only buckets that are full again are forgotten', async () => {
    const store = await openSqliteStore({ directory });
    const request = { bucketId: 'rate', count: 10, periodMs: 1000, burst: 5, want: 5 };
    await store.takeRate([request], T0);
    await store.pruneWindows(T0 + 400);
    expect(await store.takeRate([request], T0)).toMatchObject([{ granted: 0 }]);
    await store.pruneWindows(T0 + 2000);
    expect(await store.takeRate([request], T0)).toMatchObject([{ granted: 5 }]);
    await store.close();
  });

  it('a database of schema version 1 opens: its tenants and keys have plain terms and can be changed', async () => {
    const old = new Database({
      path: join(directory, 'ledger.db'),
      durability: 'full',
      busyTimeoutMs: 1000,
    });
    migrate(old, MIGRATIONS.slice(0, 1));
    old.execute(
      `INSERT INTO tenants (id, name, plan_id, created_at) VALUES ('t', 'Acme', 'free', 5)`,
    );
    old.execute(
      `INSERT INTO api_keys (id, tenant_id, name, hash, environment, hint, created_at)
       VALUES ('k', 't', 'ci', 'h', 'live', 'tk_live_...1', 6)`,
    );
    old.close();
    const store = await openSqliteStore({ directory });
    const found = await store.findKey('h');
    expect(found?.tenant).toEqual(
      buildTenant({ id: 't', name: 'Acme', planId: 'free', createdAt: 5 }),
    );
    expect(found?.key.terms).toEqual(PLAIN_KEY_TERMS);
    const parent = buildTenant({ id: 'p' });
    await store.createTenant(parent);
    await store.changeTenant('t', { terms: { parentId: 'p' } });
    expect((await store.findKey('h'))?.ancestors).toEqual([parent]);
    await store.close();
  });

  it('a database of schema version 2 opens: its windows go on as they were, and limits can slide', async () => {
    const old = new Database({
      path: join(directory, 'ledger.db'),
      durability: 'full',
      busyTimeoutMs: 1000,
    });
    migrate(old, MIGRATIONS.slice(0, 2));
    const quota = quotaOf('t', 10, T0 + 1000);
    old.execute(
      `INSERT INTO owners VALUES ('o', 'live', 0, 0, ${T0}, 0);
       INSERT INTO accounts VALUES ('${quota.id}', 't', 'quota', 'requests', 10, 3, 4, ${T0 + 1000}, NULL);
       INSERT INTO leases VALUES ('o', 1, '${quota.id}', 3, 0, 0)`,
    );
    old.close();
    const store = await openSqliteStore({ directory });
    expect(await numbersOf(store, quota)).toEqual([10n, 4n, 3n]);
    await sync(store, 'o', { leases: [{ charged: 2, granted: 2, close: true }] });
    expect(await numbersOf(store, quota, T0 + 999)).toEqual([10n, 6n, 0n]);
    const account = slidingQuotaOf('t', 5, 1000);
    expect(await acquire(store, 'o', { index: 2, account, need: 5 })).toMatchObject({ granted: 5 });
    expect(await store.audit()).toEqual([]);
    expect(await store.pruneWindows(T0 + 5000)).toBe(1);
    await store.close();
  });

  it('a database of schema version 3 opens: its transactions stay, and slices of its owners can be written off', async () => {
    const old = new Database({
      path: join(directory, 'ledger.db'),
      durability: 'full',
      busyTimeoutMs: 1000,
    });
    migrate(old, MIGRATIONS.slice(0, 3));
    old.execute(
      `INSERT INTO owners VALUES ('o', 'live', 7, 0, ${T0}, 0);
       INSERT INTO accounts (id, tenant_id, kind, unit, allowance, reserved, spent) VALUES ('bal:t:USD', 't', 'balance', 'USD', 100, 40, 0);
       INSERT INTO leases VALUES ('o', 1, 'bal:t:USD', 40, 0, 0);
       INSERT INTO grants VALUES ('g', 't', 'USD', 100, 'paid', 50, 0, NULL, 'test', 'active', 100, 0, 0, 0, 'k', 'f');
       INSERT INTO transactions VALUES ('funding:g', 'funding', 'test', 5);
       INSERT INTO entries VALUES ('funding:g', 0, 'house:funding', 'USD', -100, 'g'), ('funding:g', 1, 'tenant:t', 'USD', 100, 'g')`,
    );
    old.close();
    const store = await openSqliteStore({ directory });
    expect(await store.audit()).toEqual([]);
    const held = [{ kind: 'balance', unit: 'USD', amount: 40n, tenants: 1 }];
    expect(await store.owners(T0 + 1)).toEqual([
      { id: 'o', machine: undefined, seenAt: T0, writtenOffAt: undefined, held },
    ]);
    const order = { heardBefore: T0 + 1, now: T0 + 1 };
    expect(await store.writeOff('o', order)).toEqual({ kind: 'written_off', at: T0 + 1, held });
    expect(await store.audit()).toEqual([]);
    await store.close();
  });
});
