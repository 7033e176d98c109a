import { findFreePort } from '../../src/server/free-port.ts';

/**
 * A port of 127.0.0.1 that was free a moment ago, for programs that cannot take port 0 and say what they got.
 * Another process may take it first: only for such programs.
 */
export function freePort(): Promise<number> {
  return findFreePort('127.0.0.1');
}
