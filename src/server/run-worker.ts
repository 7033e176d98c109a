import cluster from 'node:cluster';

import { GatewayWorker } from './gateway-worker.ts';
import type { Adoption, FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

/** How long an orphan (its supervisor was killed) lets its answers finish before it hands its money back. */
const ORPHAN_DRAIN_MS = 3000;
/** Nobody is there to end an orphan that does not come to its end. */
const ORPHAN_LIFE_MS = 8000;

/** The life of one worker process: wait for its orders, serve, drain, hand everything back. */
export function runWorker(): void {
  let worker: GatewayWorker | undefined;
  /** The configuration may change while this process opens its store: what it was started with is then old. */
  let newest: Adoption | undefined;
  let leaving = false;
  const leave = (deadlineMs: number): void => {
    if (leaving) return;
    leaving = true;
    void (worker?.drain(deadlineMs) ?? Promise.resolve()).finally(() => process.exit(0));
  };
  const open = async (start: WorkerStart): Promise<void> => {
    worker = await GatewayWorker.open(start);
    if (newest !== undefined) worker.adopt(newest);
    tell({ type: 'ready', owner: worker.owner, port: await worker.listen() });
  };
  process.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'start':
        open(message).catch(giveUp);
        return;
      case 'adopt':
        newest = message;
        worker?.adopt(newest);
        tell({ type: 'adopted', call: message.call });
        return;
      case 'report-metrics':
        if (worker !== undefined)
          tell({ type: 'metrics', call: message.call, snapshot: worker.metrics() });
        return;
      case 'drain':
        leave(message.deadlineMs);
        return;
    }
  });
  onOrphaned(() => {
    leave(ORPHAN_DRAIN_MS);
    setTimeout(() => process.exit(1), ORPHAN_LIFE_MS).unref();
  });
  // Ctrl-C reaches the whole process group; only the supervisor acts on it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => leave(ORPHAN_DRAIN_MS));
  tell({ type: 'loaded' });
}

/** `node:cluster` ends a worker whose supervisor is gone, unless by then it looks as if that had been meant. */
function onOrphaned(act: () => void): void {
  const { worker } = cluster;
  // To write to a supervisor that has just ended is no reason to end without handing back.
  worker?.on('error', () => undefined);
  worker?.once('disconnect', () => {
    worker.exitedAfterDisconnect = true;
    act();
  });
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

function giveUp(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  process.send?.({ type: 'failed', code, message } satisfies FromWorker, () => process.exit(1));
}
