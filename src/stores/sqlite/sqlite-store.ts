import { extname } from 'node:path';

import { openThreadStore, type ThreadStoreOptions } from '../thread/thread-store.ts';
import type { Store } from '../store.ts';
import type { OperationsOptions } from './operations.ts';

export interface SqliteStoreOptions extends ThreadStoreOptions {
  /** Made if missing. On a local file system: WAL does not work over a network. */
  readonly directory: string;
  /** How long one write waits for writers in other processes; twice this, then `unavailable`. */
  readonly busyTimeoutMs?: number;
}

const BUSY_TIMEOUT_MS = 5000;

/** Opens, and if need be creates, the embedded store. Any number of processes of one machine may share it. */
export function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { directory, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  const entry = new URL(`./sqlite-thread${extname(import.meta.url)}`, import.meta.url);
  return openThreadStore(entry, { directory, busyTimeoutMs } satisfies OperationsOptions, options);
}
