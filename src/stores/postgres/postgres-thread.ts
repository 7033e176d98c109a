import { workerData } from 'node:worker_threads';

import { serveOperations } from '../thread/serve-operations.ts';
import { openOperations } from './operations.ts';

/** Entry of the store thread: what reads many rows, or writes them, takes no time of requests. */
await serveOperations(() => openOperations(workerData));
