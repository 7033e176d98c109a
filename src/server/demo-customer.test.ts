import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { AT } from '../../test/support/build-catalog.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { sha256Hex } from '../platform/sha256.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Store } from '../stores/store.ts';
import { ensureDemoCustomer } from './demo-customer.ts';

const TERMS = { asset: 'USD', now: AT };
const demo = (creditNano: bigint) => ({ customerName: 'Demo', planId: 'free', creditNano });

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = temporaryDirectory('demo');
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
});

describe('ensureDemoCustomer', () => {
  it('makes a customer with a test key and play money, kept where only its owner reads', async () => {
    const key = await ensureDemoCustomer(store, directory, demo(50n), TERMS);
    const found = await store.findKey(sha256Hex(key));
    expect(found).toMatchObject({
      key: { environment: 'test' },
      tenant: { name: 'Demo', planId: 'free' },
    });
    expect(await store.grants(found?.tenant.id ?? '')).toMatchObject([
      { amount: 50n, asset: 'USD', category: 'promotional' },
    ]);
    const file = join(directory, 'demo.key');
    expect(readFileSync(file, 'utf8')).toBe(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is the same customer at every start, with no second gift', async () => {
    const key = await ensureDemoCustomer(store, directory, demo(50n), TERMS);
    expect(await ensureDemoCustomer(store, directory, demo(50n), TERMS)).toBe(key);
    expect(await store.tenants('', 10)).toHaveLength(1);
  });

  it.each([
    ['a key file that is gone', (file: string) => rmSync(file)],
    ['a key that the store does not know', (file: string) => writeFileSync(file, 'tk_test_other')],
  ])('begins anew with %s', async (_what, spoil) => {
    const key = await ensureDemoCustomer(store, directory, demo(50n), TERMS);
    spoil(join(directory, 'demo.key'));
    const next = await ensureDemoCustomer(store, directory, demo(50n), TERMS);
    expect(next).not.toBe(key);
    expect(await ensureDemoCustomer(store, directory, demo(50n), TERMS)).toBe(next);
  });

  it('without credit there is no grant of nothing', async () => {
    const key = await ensureDemoCustomer(store, directory, demo(0n), TERMS);
    const tenantId = (await store.findKey(sha256Hex(key)))?.tenant.id ?? '';
    expect(await store.grants(tenantId)).toEqual([]);
  });
});
