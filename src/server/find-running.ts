import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { takeProcessLock } from '../platform/process-lock.ts';
import { journalDirectory } from './data-directory.ts';

const LOCK_ENDING = '.lock';

/** A gateway process of this machine that is alive, by the lock that the kernel frees at its death. */
export function findRunning(directory: string): string | undefined {
  const journals = journalDirectory(directory);
  if (!existsSync(journals)) return undefined;
  const locks = readdirSync(journals).filter((name) => name.endsWith(LOCK_ENDING));
  const held = locks.find((name) => {
    const lock = takeProcessLock(join(journals, name));
    lock?.release();
    return lock === undefined;
  });
  return held?.slice(0, -LOCK_ENDING.length);
}
