// @needs postgresql
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { buildTenant } from '../../../test/support/build-key.ts';
import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { encodeRows } from '../request-rows.ts';
import { describeStore } from '../store.conformance.ts';
import { describeThreadStore } from '../thread/thread-store.conformance.ts';
import { requestIdAt, T0 } from '../store-fixture.conformance.ts';
import type { RequestRow } from '../store.ts';
import { openPostgresStore } from './postgres-store.ts';

const DAY_MS = 86_400_000;

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

describeStore('postgres', async () => {
  const url = await server.createDatabase();
  return {
    connect: () => openPostgresStore({ url }),
    dispose: () => server.dropDatabase(url),
  };
});

describe('the store in PostgreSQL', () => {
  let url: string;
  beforeEach(async () => {
    url = await server.createDatabase();
  });

  describeThreadStore((options) => openPostgresStore({ url, ...options }));

  it('close answers what was asked before it and refuses what comes after', async () => {
    const store = await openPostgresStore({ url, connections: 1 });
    const opening = [1, 2, 3].map((number) => store.openOwner(`own_${number}`, 1));
    const closing = store.close();
    await expect(store.liveOwners()).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.all([...opening, closing]);
    const again = await openPostgresStore({ url });
    expect(await again.liveOwners()).toEqual(['own_1', 'own_2', 'own_3']);
    await again.close();
  });

  it('says why it cannot open', async () => {
    await server.dropDatabase(url);
    await expect(openPostgresStore({ url })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/database "test_\d+" does not exist/),
    });
  });

  it('pages are in the order of bytes, whatever the language of the server', async () => {
    const other = `${url}_language`;
    const name = new URL(other).pathname.slice(1);
    await server.execute(
      url,
      `CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`,
    );
    const store = await openPostgresStore({ url: other });
    const ids = ['a_2', 'B', 'a', 'ab', 'a-1'];
    for (const id of ids) await store.createTenant(buildTenant({ id }));
    const listed = await store.tenants('', 10);
    expect(listed.map(({ id }) => id)).toEqual(ids.toSorted());
    const rest = await store.tenants('a', 10);
    expect(rest.map(({ id }) => id)).toEqual(['a-1', 'a_2', 'ab']);
    expect(await store.audit()).toEqual([]);
    await store.close();
  });

  it('OBS-01: a batch is one row of its table, however often it is sent; one of long streams is kept row by row', async () => {
    const store = await openPostgresStore({ url });
    const rowAt = (at: number): RequestRow => {
      const plain = { tenantId: 't', status: 200, code: '', facts: '{}' };
      return { requestId: requestIdAt(at), at, ...plain };
    };
    const [batch = new Uint8Array()] = encodeRows([rowAt(T0), rowAt(T0 + 5)]);
    await store.appendEncodedRequests(Buffer.from(batch));
    await store.appendEncodedRequests(Buffer.from(batch));
    const long = [rowAt(T0), rowAt(T0 + 32_001)];
    await Promise.all([store.appendRequests(long), store.appendRequests(long.toReversed())]);
    await server.execute(
      url,
      `DO $$ BEGIN
         ASSERT (SELECT COUNT(*) FROM request_batches) = 1;
         ASSERT (SELECT COUNT(*) FROM requests) = 2;
       END $$`,
    );
    const found = await store.searchRequests({ from: T0, to: T0 + DAY_MS, limit: 10 });
    expect(found.rows).toHaveLength(4);
    await store.close();
  });

  it('bound: a page of a search looks at 20,000 rows, and says where to go on', async () => {
    const store = await openPostgresStore({ url });
    // Too far apart for batches.
    await server.execute(
      url,
      `INSERT INTO requests
       SELECT 'req_' || lpad(to_hex(${T0} + 200 * n), 12, '0') || lpad(to_hex(n), 20, '0'), 1, 't', 200, '', '', '{}'
       FROM generate_series(1, 20001) AS n`,
    );
    const search = { from: T0, to: T0 + DAY_MS, limit: 5, tenantId: 'nobody' };
    const first = await store.searchRequests(search);
    expect(first).toEqual({ rows: [], cursor: expect.stringMatching(/^req_/) });
    expect(await store.searchRequests({ ...search, cursor: first.cursor })).toEqual({
      rows: [],
      cursor: undefined,
    });
    expect(await store.pruneLog(T0 + 2 * DAY_MS)).toBe(1);
    await store.close();
  });
});
