import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openPostgresStore } from '../src/stores/postgres/postgres-store.ts';
import type { ChildProgram } from '../test/support/child-program.ts';
import { type Postgres, startPostgres } from '../test/support/start-postgres.ts';
import type { StoreUnderFire } from './store-under-fire.ts';

/**
 * A server of its own with one database; each gateway keeps its journals in a directory of its own, as on machines of
 * their own. A restart ends the server as a loss of power does (`immediate`), and it recovers when it starts again.
 */
export function postgresUnderFire(directory: string): StoreUnderFire {
  const programs = new Set<ChildProgram>();
  let server: Postgres | undefined;
  let url = '';
  const running = (): Postgres => {
    if (server === undefined) throw new Error('PostgreSQL is not running');
    return server;
  };
  return {
    title: 'PostgreSQL, one database',
    embedded: false,
    get settings() {
      return `store: { type: postgres, url: "${url}" }`;
    },
    dataDirectory: (gateway) => join(directory, `gateway-${gateway}`),
    async start() {
      server = await startPostgres((program) => programs.add(program));
      url = await server.createDatabase();
    },
    async restart(outageMs, meanwhile) {
      await running().crash();
      await Promise.all([meanwhile(), sleep(outageMs)]);
      await running().start();
    },
    open: () => openPostgresStore({ url }),
    kill() {
      for (const { child } of programs) child.kill('SIGKILL');
    },
    async stop() {
      await server?.stop();
    },
  };
}
