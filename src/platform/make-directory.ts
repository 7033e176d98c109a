import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory that only this user may enter, and what is missing above it. True = it was not there. `recursive` of
 * Node's own never comes to an end below /proc: there ENOENT is said of what cannot be made, not of what is missing above.
 */
export function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (isDirectory(path)) return false;
    if (!isMissing(error) || isDirectory(dirname(path))) throw error;
    makeDirectory(dirname(path));
    return makeDirectory(path);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
