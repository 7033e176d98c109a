import { hostname } from 'node:os';

import { createBooksJobs } from '../control/jobs/books-jobs.ts';
import { JobRunner } from '../control/jobs/job-runner.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Store, Violation } from '../stores/store.ts';
import type { LoadedConfig, StoreSettings } from './config/loaded-config.ts';
import { openStore } from './open-store.ts';

export interface SharedJobsParts {
  readonly config: LoadedConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The jobs that the supervisors of a store share. */
export function createSharedJobs({ config, store, clock, logger }: SharedJobsParts): JobRunner {
  const jobs = createBooksJobs({
    store,
    audit: () => auditApart(config.store, clock),
    reconcileMs: config.jobs.reconcileMs,
    now: clock.now,
    logger,
  });
  return new JobRunner({ jobs, store, clock, logger, holder: `${hostname()}/${process.pid}` });
}

/** Over a connection of its own: a store thread that recomputes all of history would answer nothing else meanwhile. */
async function auditApart(settings: StoreSettings, clock: Clock): Promise<readonly Violation[]> {
  const isShared = settings.type === 'postgres';
  const store = await openStore(isShared ? { ...settings, connections: 1 } : settings, clock);
  try {
    return await store.audit();
  } finally {
    await store.close();
  }
}
