// Preloaded (`node --import ./tools/typescript.mjs`) where TypeScript must run without a build: tests and the
// bench driver. Not plain `--import tsx`: on Node 20 that registers in the main thread only, and a
// worker_thread started from a .ts file then dies with ERR_UNKNOWN_FILE_EXTENSION. A preload is evaluated in
// every thread, so registering here reaches them all.
import { register } from 'tsx/esm/api';

register();
