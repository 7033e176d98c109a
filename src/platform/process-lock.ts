import { DatabaseSync } from '@photostructure/sqlite';

/**
 * A lock that the kernel frees when the process dies, and not when it is merely paused: an exclusive
 * SQLite (fcntl) lock on a file of its own. The holder must never open that file a second time:
 * POSIX drops all of a process's locks on a file when any descriptor of it is closed.
 */
export interface ProcessLock {
  release(): void;
}

/** Takes the lock, or undefined when another live process has it. */
export function takeProcessLock(path: string): ProcessLock | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}
