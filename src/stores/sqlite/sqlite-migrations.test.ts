import { join } from 'node:path';

import { makeDirectory, removeDirectory } from '../../../test/support/temporary-directory.ts';
import { describeMigrations } from '../store-migrations.conformance.ts';
import { Database } from './database.ts';
import { migrate, MIGRATIONS } from './migrations.ts';
import { openSqliteStore } from './sqlite-store.ts';

const HISTORY = { known: MIGRATIONS.length, termsSince: 2 };

describeMigrations('sqlite', HISTORY, async () => {
  const directory = makeDirectory('migrations');
  const withLedger = <Result>(body: (database: Database) => Result): Result => {
    const path = join(directory, 'ledger.db');
    const database = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
    try {
      return body(database);
    } finally {
      database.close();
    }
  };
  return {
    moduleUrl: new URL('./sqlite-store.ts', import.meta.url).href,
    open: openSqliteStore.name,
    options: { directory },
    connect: () => openSqliteStore({ directory }),
    dispose: async () => removeDirectory(directory),
    makeSteps: async (count) => {
      withLedger((database) => migrate(database, MIGRATIONS.slice(0, count)));
    },
    execute: async (sql) => withLedger((database) => database.execute(sql)),
    steps: async () =>
      withLedger((database) =>
        database
          .prepare<{ id: number }>('SELECT id FROM migrations ORDER BY id')
          .all()
          .map(({ id }) => id),
      ),
  };
});
