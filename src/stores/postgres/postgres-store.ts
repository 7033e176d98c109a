import { extname } from 'node:path';

import type { Store } from '../store.ts';
import { openThreadStore, type ThreadStoreOptions } from '../thread/thread-store.ts';
import type { DatabaseOptions } from './database.ts';

export interface PostgresStoreOptions extends ThreadStoreOptions {
  /** `postgres://user:password@host:port/database`. A secret. */
  readonly url: string;
  /** Most connections of this process. */
  readonly connections?: number;
}

/** Two for money, so that no heartbeat waits for another, and two for everything else. */
const CONNECTIONS = 4;

/** Opens the store in a PostgreSQL database, and makes its tables if need be. Any number of processes may share it. */
export function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, connections = CONNECTIONS } = options;
  const entry = new URL(`./postgres-thread${extname(import.meta.url)}`, import.meta.url);
  return openThreadStore(entry, { url, connections } satisfies DatabaseOptions, options);
}
