import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { lockLedger } from '../../../test/support/lock-ledger.ts';
import { encodeRows } from '../request-rows.ts';
import { describeStore } from '../store.conformance.ts';
import { describeThreadStore } from '../thread/thread-store.conformance.ts';
import { addGrant, requestIdAt, sync, T0 } from '../store-fixture.conformance.ts';
import { Database } from './database.ts';
import { LEDGER_FILE } from './operations.ts';
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

  it('DESIGN 10: a look at accounts is given up while the ledger is locked, before the wait for the lock is', async () => {
    const store = await openSqliteStore({ directory, busyTimeoutMs: 10_000 });
    onTestFinished(() => store.close());
    await store.accounts('ten_1', T0, 0);
    const lock = lockLedger(directory);
    await expect(store.accounts('ten_1', T0, 0)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the store is silent') as string,
    });
    lock.release();
    expect(await store.accounts('ten_1', T0, 1000)).toEqual([]);
  });

  it('news that every process has seen is forgotten', async () => {
    const store = await openSqliteStore({ directory });
    await store.openOwner('own_1', T0);
    for (let count = 1; count <= 3; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they come
      await addGrant(store, { tenantId: 'ten_1' });
    }
    const { lastChange } = await sync(store, 'own_1', {});
    await sync(store, 'own_1', { changesAfter: lastChange });
    await addGrant(store, { tenantId: 'ten_1' });
    await store.close();
    const ledger = new Database({
      path: join(directory, LEDGER_FILE),
      durability: 'full',
      busyTimeoutMs: 0,
    });
    onTestFinished(() => ledger.close());
    expect(ledger.prepare('SELECT seq FROM changes').all()).toEqual([{ seq: lastChange + 1 }]);
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
});
