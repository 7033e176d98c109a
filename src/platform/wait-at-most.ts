/** What was waited for has not come. */
export class TookTooLong extends Error {}

/**
 * What `promise` comes to, or TookTooLong once it has taken `timeoutMs`; what comes of it later is dropped. A process
 * that had no turn for long looks at what has arrived meanwhile before it gives up.
 */
export function waitAtMost<Result>(
  promise: Promise<Result>,
  timeoutMs: number,
  what: string,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new TookTooLong(`${what} took longer than ${timeoutMs} ms`));
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
