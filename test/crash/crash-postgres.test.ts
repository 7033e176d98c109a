// @needs postgresql
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openPostgresStore } from '../../src/stores/postgres/postgres-store.ts';
import { type Postgres, startPostgres } from '../support/start-postgres.ts';
import { findFaults, playCrash } from './play-crash.ts';

const REQUESTS_LEAST = 10_000;
const KILLS = [
  ...Array<'worker'>(6).fill('worker'),
  'supervisor' as const,
  'tree' as const,
  'everything' as const,
];

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

it(
  'I5, I10: 9 random kill -9 under load over PostgreSQL, one of everything at once, lose no money either',
  { timeout: 300_000 },
  async () => {
    const store = await server.createDatabase();
    const outcome = await playCrash({
      kills: KILLS,
      requestsLeast: REQUESTS_LEAST,
      store,
      restartStore: async () => {
        await server.crash();
        await server.start();
      },
      openStore: () => openPostgresStore({ url: store }),
    });
    expect(findFaults(outcome)).toEqual([]);
    expect(outcome.served_answers).toBeGreaterThanOrEqual(REQUESTS_LEAST);
  },
);
