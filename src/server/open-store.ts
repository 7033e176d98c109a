import type { Clock } from '../platform/clock.ts';
import { openPostgresStore } from '../stores/postgres/postgres-store.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Store } from '../stores/store.ts';
import type { StoreSettings } from './config/loaded-config.ts';

/** The store of the configuration, with its schema up to date. */
export function openStore(settings: StoreSettings, clock: Clock): Promise<Store> {
  switch (settings.type) {
    case 'sqlite':
      return openSqliteStore({ directory: settings.directory, clock });
    case 'postgres': {
      const { url, connections } = settings;
      return openPostgresStore({
        url,
        clock,
        ...(connections === undefined ? {} : { connections }),
      });
    }
  }
}
