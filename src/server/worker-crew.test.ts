import cluster from 'node:cluster';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { createLogger } from '../platform/logger.ts';
import type { WorkerStart } from './worker-messages.ts';
import { WorkerCrew } from './worker-crew.ts';

function buildCrew(): WorkerCrew {
  return new WorkerCrew({ server: { port: 1 } } as Omit<WorkerStart, 'name'>, {
    recruits: [],
    logger: createLogger({ level: 'error', fields: {} }),
    events: { onGone: () => undefined },
    now: Date.now,
  });
}

it('a worker that the system does not make is a start that failed, and none of the crew', async () => {
  // As with too many processes or files, the trouble is told after the call.
  cluster.setupPrimary({ cwd: join(temporaryDirectory('crew'), 'nowhere') });
  const crew = buildCrew();
  await expect(crew.open()).rejects.toThrow(/^worker-1 could not be made: spawn .+ ENOENT$/);
  expect(crew.members).toEqual([]);
  await crew.drain(0);
});

/** Loads its code for a while, as workers do, and only then hears what it is told. */
const SLOW_PROGRAM = `
setTimeout(() => {
  process.on('message', ({ type }) => type === 'drain' && process.exit(0));
  process.send({ type: 'loaded' });
}, 500);
`;

it('a stop ends a worker that still loads its code as soon as it has, and not at the deadline', async () => {
  const directory = temporaryDirectory('crew');
  const exec = join(directory, 'slow.cjs');
  writeFileSync(exec, SLOW_PROGRAM);
  cluster.setupPrimary({ exec, cwd: directory, args: [], execArgv: [] });
  const crew = buildCrew();
  const opened = crew.open().catch(String);
  await crew.drain(600_000);
  expect(await opened).toContain('worker-1 ended before it was ready');
}, 30_000);
