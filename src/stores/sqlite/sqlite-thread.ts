import { parentPort, workerData } from 'node:worker_threads';

import { type Call, type Opened, type Reply, toFailure } from './messages.ts';
import { openOperations, type Operations } from './operations.ts';

/** Entry of the store thread: opens the database, then answers calls one after the other. */
function serve(): void {
  const operations = open();
  if (operations === undefined) return;
  parentPort?.on('message', (calls: readonly Call[]) => {
    parentPort?.postMessage(calls.map((call) => answer(operations, call)));
    if (calls.at(-1)?.name === 'close') parentPort?.close();
  });
}

function open(): Operations | undefined {
  try {
    const operations = openOperations(workerData);
    parentPort?.postMessage({ kind: 'opened' } satisfies Opened);
    return operations;
  } catch (error) {
    parentPort?.postMessage({ kind: 'unopened', failure: toFailure(error) } satisfies Opened);
    return undefined;
  }
}

function answer(operations: Operations, { id, name, args }: Call): Reply {
  try {
    return { id, kind: 'done', value: Reflect.apply(operations[name], undefined, args) };
  } catch (error) {
    return { id, kind: 'failed', failure: toFailure(error) };
  }
}

serve();
