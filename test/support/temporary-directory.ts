import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** A new empty directory, removed when the running test has finished (call it inside `it` or a `beforeEach`). */
export function temporaryDirectory(name = 'test'): string {
  const directory = makeDirectory(name);
  onTestFinished(() => removeDirectory(directory));
  return directory;
}

/** For a whole file: the caller removes it with `removeDirectory` in its `afterAll`. */
export function makeDirectory(name = 'test'): string {
  return mkdtempSync(join(tmpdir(), `tollkeeper-${name}-`));
}

export function removeDirectory(directory: string): void {
  // A process that was just killed may still be closing files in it: a few tries, not one.
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
