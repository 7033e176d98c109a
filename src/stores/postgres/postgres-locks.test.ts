// @needs postgresql
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { buildTenant } from '../../../test/support/build-key.ts';
import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { acquire, openOwner, quotaOf, sync, T0 } from '../store-fixture.conformance.ts';
import { playRaces } from '../store-races.conformance.ts';
import { openPostgresStore } from './postgres-store.ts';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** Watched from outside of any transaction, which would show the same again and again. */
async function waitForWaiting(watcher: Client, count: number): Promise<void> {
  const isWaiting = async (): Promise<boolean> => {
    const { rows } = await watcher.query(
      `SELECT COUNT(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return Number(rows[0]?.waiting) === count;
  };
  await waitFor(isWaiting, { timeoutMs: 10_000, what: `${count} transactions to wait for a lock` });
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

it('who begins waits for the news: none that comes meanwhile is forgotten before it is told', async () => {
  const url = await server.createDatabase();
  const store = await openPostgresStore({ url });
  const tenants = ['ten_1', 'ten_2'];
  for (const id of tenants) await store.createTenant(buildTenant({ id }));
  const [client, watcher] = [await connect(url), await connect(url)];
  // Somebody is about to take the same name, and will not: until then the beginning waits.
  await client.query('BEGIN');
  await client.query("INSERT INTO owners VALUES ('own_1', 'live', 0, 0, 0, 0)");
  const opening = store.openOwner('own_1', 1);
  await waitForWaiting(watcher, 1);
  const changing = Promise.all(tenants.map((id) => store.changeTenant(id, { name: 'new' })));
  await waitForWaiting(watcher, 3);
  await client.query('ROLLBACK');
  await Promise.all([opening, changing]);

  const batch = { owner: 'own_1', now: 1, seq: 0, leases: [], overruns: [], changesAfter: 0 };
  const { changes } = await store.sync(batch);
  expect(changes.map(({ id }) => id).toSorted()).toEqual(tenants);
  await store.close();
});

it('how far an owner has settled is told when a settlement without an answer has ended, whatever became of it', async () => {
  const url = await server.createDatabase();
  const store = await openPostgresStore({ url });
  const owner = await openOwner(store);
  const [client, watcher] = [await connect(url), await connect(url)];
  for (const [end, seq] of [
    ['ROLLBACK', 0],
    ['COMMIT', 7],
  ] as const) {
    await client.query('BEGIN');
    await client.query('SELECT id FROM owners WHERE id = $1 FOR UPDATE', [owner]);
    await client.query('UPDATE owners SET last_seq = 7 WHERE id = $1', [owner]);
    const asking = store.lastSettled(owner);
    await waitForWaiting(watcher, 1);
    await client.query(end);
    expect(await asking).toBe(seq);
  }
  await store.close();
});

it('an account that is forgotten just before it is locked is made again', async () => {
  const url = await server.createDatabase();
  const store = await openPostgresStore({ url });
  const account = quotaOf('ten_1', 10, T0 + 1000);
  const [first, second] = [await openOwner(store), await openOwner(store)];
  await acquire(store, first, { account, need: 4 });
  await sync(store, first, { leases: [{ charged: 4, granted: 4, close: true }] });
  const [client, watcher] = [await connect(url), await connect(url)];
  await client.query('BEGIN');
  await client.query('SELECT id FROM accounts FOR UPDATE');
  const acquiring = acquire(store, second, { account, need: 10 });
  await waitForWaiting(watcher, 1);
  await client.query('DELETE FROM accounts');
  await client.query('COMMIT');
  expect(await acquiring).toMatchObject({ granted: 10, account: { spent: 0, reserved: 10 } });
  expect(await store.audit()).toEqual([]);
  await store.close();
});

it('whoever takes locks takes them in one order: among many there is no deadlock', async () => {
  const url = await server.createDatabase();
  const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url })));
  for (const round of [await playRaces(stores), await playRaces(stores)]) {
    expect(round.found).toEqual(round.expected);
  }
  // A connection adds what it counted to the statistics when it ends.
  await Promise.all(stores.map((store) => store.close()));
  const client = await connect(url);
  const { rows } = await client.query(
    'SELECT deadlocks, xact_commit > 500 AS was_busy FROM pg_stat_database WHERE datname = current_database()',
  );
  expect(rows).toEqual([{ deadlocks: '0', was_busy: true }]);
}, 120_000);
