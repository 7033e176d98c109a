import { expect, it, onTestFinished } from 'vitest';

import { lockLedger } from '../../../test/support/lock-ledger.ts';
import { startPublicPages } from '../../../test/support/start-public-pages.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { requestId } from '../../platform/ids.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';

it('DESIGN 10: the explanation of a request does not wait for a write that waits for a lock', async () => {
  const directory = temporaryDirectory('locked');
  const store = await openSqliteStore({ directory, busyTimeoutMs: 10_000 });
  const pages = await startPublicPages({
    store,
    identify: () => Promise.resolve({ kind: 'key', key: reader.key, tenant: reader.tenant }),
  });
  onTestFinished(() => pages.close());
  const reader = await pages.addTenant();
  const lock = lockLedger(directory);
  let isWritten = false;
  const write = store.openOwner('own_1', 1).finally(() => {
    isWritten = true;
  });
  const answer = await fetch(`${pages.origin}/r/${requestId(Date.now())}.json`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    code: 'BILLING_UNAVAILABLE',
    retryable: true,
  });
  expect(isWritten).toBe(false);
  lock.release();
  await write;
});
