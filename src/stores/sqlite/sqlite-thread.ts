import { workerData } from 'node:worker_threads';

import { serveOperations } from '../thread/serve-operations.ts';
import { openOperations } from './operations.ts';

/** Entry of the store thread. */
await serveOperations(() => openOperations(workerData));
