import { describe, expect, it } from 'vitest';

import { waitAtMost } from './wait-at-most.ts';

describe('waitAtMost', () => {
  it('gives what came in time, and its failure', async () => {
    await expect(waitAtMost(Promise.resolve(7), 10_000, 'it')).resolves.toBe(7);
    const failure = new Error('no');
    await expect(waitAtMost(Promise.reject(failure), 10_000, 'it')).rejects.toBe(failure);
  });

  it('gives up on what never comes, and drops what comes too late', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    await expect(waitAtMost(late, 5, 'the key')).rejects.toThrow('the key took longer than 5 ms');
    fail(new Error('too late'));
    await expect(late).rejects.toThrow('too late');
  });

  it('looks at what has arrived while the process stood still before it gives up', async () => {
    const arrived = new Promise((resolve) => setTimeout(() => setImmediate(resolve, 'here'), 0));
    const waited = waitAtMost(arrived, 1, 'it');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    await expect(waited).resolves.toBe('here');
  });
});
