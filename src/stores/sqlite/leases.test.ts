import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import type { AccountSpec } from '../../domain/accounts.ts';
import type { AcquireRequest } from '../store.ts';
import { Database } from './database.ts';
import { LEDGER_FILE } from './operations.ts';
import { openSqliteStore } from './sqlite-store.ts';

const NOW = 1_800_000_000_000;
const QUOTA: AccountSpec = {
  id: 'quo:ten_1:requests_lifetime:lifetime',
  tenantId: 'ten_1',
  kind: 'quota',
  unit: 'requests',
  allowance: 10,
  windowEndsAt: undefined,
  limit: undefined,
};

it('who waits for units and looks again waits for no writer, and makes none wait', async () => {
  const directory = temporaryDirectory('leases');
  const store = await openSqliteStore({ directory, busyTimeoutMs: 10 });
  onTestFinished(() => store.close());
  for (const owner of ['own_1', 'own_2']) await store.openOwner(owner, NOW);
  const ask = (owner: string, request: Partial<AcquireRequest>) =>
    store.acquire(
      owner,
      [{ index: 1, account: QUOTA, grantedBefore: 0, need: 1, want: 1, ask: false, ...request }],
      NOW,
    );
  await ask('own_1', { need: 10 });
  const [first] = await ask('own_2', {});

  const writer = new Database({
    path: join(directory, LEDGER_FILE),
    durability: 'full',
    busyTimeoutMs: 10,
  });
  writer.execute('BEGIN IMMEDIATE');
  try {
    expect(await ask('own_2', {})).toEqual([first]);
    // Whatever has to be written waits: another allowance, a question to the holders, units that are there.
    for (const change of [{ account: { ...QUOTA, allowance: 11 } }, { ask: true }, { index: 2 }]) {
      await expect(ask('own_2', change)).rejects.toMatchObject({ code: 'unavailable' });
    }
    await expect(ask('own_1', { grantedBefore: 9 })).rejects.toMatchObject({ code: 'unavailable' });
  } finally {
    writer.execute('ROLLBACK');
    writer.close();
  }
  expect(first).toMatchObject({ granted: 0, heldElsewhere: 10, account: { reserved: 10 } });
});
