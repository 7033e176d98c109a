// @needs postgresql
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { playRaces } from '../store-races.conformance.ts';
import { openPostgresStore } from './postgres-store.ts';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

it('whoever takes locks takes them in one order: among many there is no deadlock', async () => {
  const url = await server.createDatabase();
  const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url })));
  for (const round of [await playRaces(stores), await playRaces(stores)]) {
    expect(round.found).toEqual(round.expected);
  }
  // A connection adds what it counted to the statistics when it ends.
  await Promise.all(stores.map((store) => store.close()));
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(
    'SELECT deadlocks, xact_commit > 500 AS was_busy FROM pg_stat_database WHERE datname = current_database()',
  );
  await client.end();
  expect(rows).toEqual([{ deadlocks: '0', was_busy: true }]);
}, 120_000);
