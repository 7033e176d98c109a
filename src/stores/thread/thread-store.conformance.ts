import { expect, it } from 'vitest';

import type { Store } from '../store.ts';

/** What a store in a thread does beside its port. `open`: on an empty database, each time another. */
export function describeThreadStore(
  open: (options: { readonly callsMax?: number }) => Promise<Store>,
): void {
  it('bounds the calls outstanding: one more is refused as overloaded, and the others are answered', async () => {
    const store = await open({ callsMax: 3 });
    const calls = await Promise.allSettled([1, 2, 3, 4].map(() => store.liveOwners()));
    expect(calls.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(calls[3]).toMatchObject({ reason: { name: 'StoreError', code: 'overloaded' } });
    expect(await store.liveOwners()).toEqual([]);
    await store.close();
  });

  it('an error keeps its code, its message and where it happened on the way out of the thread', async () => {
    const store = await open({});
    await expect(store.acquire('nobody', [], 1)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'fenced',
      message: 'owner nobody is unknown: it may not take leases',
      stack: expect.stringContaining('owners.ts'),
    });
    await store.close();
  });
}
