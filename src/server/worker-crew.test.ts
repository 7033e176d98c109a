import cluster from 'node:cluster';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { createLogger } from '../platform/logger.ts';
import type { WorkerStart } from './worker-messages.ts';
import { WorkerCrew } from './worker-crew.ts';

it('a worker that the system does not make is a start that failed, and none of the crew', async () => {
  const directory = temporaryDirectory('crew');
  // As with too many processes or files, the trouble is told after the call.
  cluster.setupPrimary({ cwd: join(directory, 'nowhere') });
  const crew = new WorkerCrew({ server: { port: 1 } } as Omit<WorkerStart, 'name'>, {
    recruits: [],
    logger: createLogger({ level: 'error', fields: {} }),
    events: { onGone: () => undefined },
    now: Date.now,
  });
  await expect(crew.open()).rejects.toThrow(/^worker-1 could not be made: spawn .+ ENOENT$/);
  expect(crew.members).toEqual([]);
  await crew.drain(0);
});
