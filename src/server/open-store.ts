import type { Clock } from '../platform/clock.ts';
import type { Store } from '../stores/store.ts';
import type { StoreSettings } from './config/loaded-config.ts';

/** The store of the configuration, with its schema up to date. The driver of the other one is not loaded. */
export async function openStore(settings: StoreSettings, clock: Clock): Promise<Store> {
  switch (settings.type) {
    case 'sqlite': {
      const { openSqliteStore } = await import('../stores/sqlite/sqlite-store.ts');
      return openSqliteStore({ directory: settings.directory, clock });
    }
    case 'postgres': {
      const { openPostgresStore } = await import('../stores/postgres/postgres-store.ts');
      const { url, connections } = settings;
      return openPostgresStore({
        url,
        clock,
        ...(connections === undefined ? {} : { connections }),
      });
    }
  }
}
