import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';

import type { LoadedConfig } from './config/loaded-config.ts';
import { closeUndelivered } from './undelivered.ts';
import type { FromWorker } from './worker-messages.ts';

/**
 * V8 learns while a process warms up which objects live long, and makes those in the old space from then on. What is
 * alive in a burst of first requests is not: their successors would all have to be collected there. Also, it lets the old
 * space grow to four times what lives there before it collects it; twice will do (docs/decisions, "where the time went").
 */
export const WORKER_FLAGS: readonly string[] = [
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=100',
];

/**
 * glibc gives each thread that allocates an arena of its own, up to eight for each processor. What one thread makes and
 * another frees, as the log's batches, leaves holes in all of them. Two will do (docs/decisions, "where the time went").
 */
const WORKER_ENV = { MALLOC_ARENA_MAX: process.env['MALLOC_ARENA_MAX'] ?? '2' };

/** A worker process that loads its code, and then waits to be told what to serve. */
export interface Recruit {
  readonly worker: Worker;
  /** Resolves when it waits; never, when it ends before. */
  readonly loaded: Promise<void>;
}

/** The first workers, once in a process: they load their code while this process loads its own and opens the store. */
export function forkFirstWorkers({ server }: LoadedConfig): readonly Recruit[] {
  const count = server.workers === 'auto' ? availableParallelism() : server.workers;
  // Between several this process shares connections out evenly, one by one, each in a turn of both event loops. One
  // accepts them itself, all that wait at once. The first call of setupPrimary settles it for good.
  cluster.schedulingPolicy = count === 1 ? cluster.SCHED_NONE : cluster.SCHED_RR;
  cluster.setupPrimary({ args: ['worker'], execArgv: [...process.execArgv, ...WORKER_FLAGS] });
  return Array.from({ length: count }, forkWorker);
}

export function forkWorker(): Recruit {
  const worker = cluster.fork(WORKER_ENV);
  // Whoever writes to a process that has just ended is told so, before `exit` says it to those who have to know.
  worker.on('error', () => undefined);
  // One that could not be made has no channel.
  if (worker.process.pid !== undefined) closeUndelivered(worker);
  const loaded = new Promise<void>((resolve) => {
    worker.on('message', ({ type }: FromWorker) => {
      if (type === 'loaded') resolve();
    });
  });
  return { worker, loaded };
}
