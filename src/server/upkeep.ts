import { hostname } from 'node:os';

import { createBooksJobs } from '../control/jobs/books-jobs.ts';
import { JobRunner } from '../control/jobs/job-runner.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Store } from '../stores/store.ts';
import { auditApart } from './audit-apart.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import { journalDirectory } from './data-directory.ts';
import { EvidenceKeeper } from './evidence-keeper.ts';

export interface UpkeepParts {
  readonly config: LoadedConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a supervisor does by the clock: the jobs it shares with others, and its own machine's evidence. */
export interface Upkeep {
  stop(): Promise<void>;
}

export function startUpkeep({ config, store, clock, logger }: UpkeepParts): Upkeep {
  const jobs = createBooksJobs({
    store,
    audit: () => auditApart(config.store, clock),
    reconcileMs: config.jobs.reconcileMs,
    now: clock.now,
    logger,
  });
  const holder = `${hostname()}/${process.pid}`;
  const runner = new JobRunner({ jobs, store, clock, logger, holder });
  const directory = journalDirectory(config.store.directory);
  const evidence = new EvidenceKeeper(directory, config.journal, logger);
  runner.start();
  evidence.start();
  return {
    stop: () => {
      evidence.stop();
      return runner.stop();
    },
  };
}
