// @needs postgresql
import { afterAll, beforeAll } from 'vitest';

import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { describeMigrations } from '../store-migrations.conformance.ts';
import { Database } from './database.ts';
import { migrate, MIGRATIONS } from './migrations.ts';
import { openPostgresStore } from './postgres-store.ts';
import { Statement } from './statement.ts';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** Row 0 is the lock. */
const LIST_STEPS = new Statement<{ readonly id: number }>(
  'SELECT id FROM migrations WHERE id > 0 ORDER BY id',
);
const HISTORY = { known: MIGRATIONS.length, termsSince: 1 };

describeMigrations('postgres', HISTORY, async () => {
  const url = await server.createDatabase();
  const database = new Database({ url, connections: 1 });
  return {
    moduleUrl: new URL('./postgres-store.ts', import.meta.url).href,
    open: openPostgresStore.name,
    options: { url },
    connect: () => openPostgresStore({ url }),
    dispose: async () => {
      await database.close();
      await server.dropDatabase(url);
    },
    makeSteps: async (count) => {
      await migrate(database, MIGRATIONS.slice(0, count));
    },
    execute: (sql) => server.execute(url, sql),
    steps: async () => (await database.query(LIST_STEPS)).map(({ id }) => id),
  };
});
