import cluster from 'node:cluster';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { forkWorker } from './fork-worker.ts';

function prepareProgram(): void {
  const cwd = temporaryDirectory('program');
  const exec = join(cwd, 'waits.mjs');
  writeFileSync(exec, 'setInterval(() => undefined, 1000);');
  // All of them: what another test has set stays.
  cluster.setupPrimary({ exec, cwd, args: [], execArgv: [] });
}

it('a message to a worker that has just been killed is lost, and nothing else comes of it', async () => {
  prepareProgram();
  const { worker } = forkWorker();
  onTestFinished(() => void worker.process.kill('SIGKILL'));
  const ended = new Promise((resolve) => {
    worker.once('exit', (_, signal) => resolve(signal));
  });
  await new Promise((resolve) => {
    worker.once('online', () => resolve(undefined));
  });
  worker.process.kill('SIGKILL');
  // No turn of the loop meanwhile, so that this process cannot have heard of the end.
  const isEnded = (): boolean =>
    readFileSync(`/proc/${worker.process.pid}/stat`, 'utf8').includes(') Z ');
  while (!isEnded()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  worker.send({ type: 'report-metrics', call: 1 });
  expect(await ended).toBe('SIGKILL');
});
