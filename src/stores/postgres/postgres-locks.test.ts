// @needs postgresql
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { buildTenant } from '../../../test/support/build-key.ts';
import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { waitFor } from '../../../test/support/wait-for.ts';
import { playRaces } from '../store-races.conformance.ts';
import { openPostgresStore } from './postgres-store.ts';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

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
  const countWaiting = async () => {
    // In a transaction it would show the same again and again.
    const { rows } = await watcher.query(
      `SELECT COUNT(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return Number(rows[0]?.waiting);
  };
  // Somebody is about to take the same name, and will not: until then the beginning waits.
  await client.query('BEGIN');
  await client.query("INSERT INTO owners VALUES ('own_1', 'live', 0, 0, 0, 0)");
  const opening = store.openOwner('own_1', 1);
  const until = { timeoutMs: 10_000, what: 'a transaction to wait for another' };
  await waitFor(async () => (await countWaiting()) === 1, until);
  const changing = Promise.all(tenants.map((id) => store.changeTenant(id, { name: 'new' })));
  await waitFor(async () => (await countWaiting()) === 3, until);
  await client.query('ROLLBACK');
  await Promise.all([opening, changing]);

  const batch = { owner: 'own_1', now: 1, seq: 0, leases: [], overruns: [], changesAfter: 0 };
  const { changes } = await store.sync(batch);
  expect(changes.map(({ id }) => id).toSorted()).toEqual(tenants);
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
