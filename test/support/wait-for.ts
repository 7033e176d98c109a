import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs: number;
  /** What is awaited, for the message when it does not come. */
  readonly what: string;
}

const POLL_MS = 20;

/** Polls until `condition` gives something other than false or undefined, and returns that. Throws after `timeoutMs`. */
export async function waitFor<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > deadline) {
      throw new Error(`waited ${options.timeoutMs} ms in vain for ${options.what}`);
    }
    await sleep(POLL_MS);
  }
}
