// @needs postgresql
import { afterAll, beforeAll } from 'vitest';

import { type Postgres, startPostgres } from '../../../test/support/start-postgres.ts';
import { describeProcesses } from '../store-processes.conformance.ts';
import { openPostgresStore } from './postgres-store.ts';

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

describeProcesses('postgres', async () => {
  const url = await server.createDatabase();
  return {
    moduleUrl: new URL('./postgres-store.ts', import.meta.url).href,
    open: openPostgresStore.name,
    options: { url },
    connect: () => openPostgresStore({ url }),
    dispose: () => server.dropDatabase(url),
  };
});
