// Loaded by a test into a gateway (NODE_OPTIONS): each store thread that finds the file DYING_STORE_THREAD newer than
// itself dies of an error that nobody catches.
import { statSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const order = process.env.DYING_STORE_THREAD;
const bornAt = Date.now();

function dieWhenTold() {
  const found = statSync(order, { throwIfNoEntry: false });
  if (found !== undefined && found.mtimeMs > bornAt) throw new Error('planted');
}

if (!isMainThread && workerData?.busyTimeoutMs !== undefined) setInterval(dieWhenTold, 10).unref();
