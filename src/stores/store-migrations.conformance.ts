import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { buildKey, buildTenant } from '../../test/support/build-key.ts';
import { ChildProgram } from '../../test/support/child-program.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { balanceAccount } from '../domain/accounts.ts';
import {
  acquire,
  failure,
  numbersOf,
  quotaOf,
  slidingQuotaOf,
  sync,
  T0,
} from './store-fixture.conformance.ts';
import type { ProcessFixture } from './store-processes.conformance.ts';
import type { Store } from './store.ts';

/** A database that an earlier version left, and what the present one finds in it. */
export interface OldStoreFixture extends ProcessFixture {
  /** Runs statements of our own on it. */
  execute(sql: string): Promise<void>;
  /** Makes the first steps of the schema, as many as the version had. */
  makeSteps(count: number): Promise<void>;
  /** The steps that were noted, each as often as it was. */
  steps(): Promise<readonly number[]>;
}

const PROCESSES = 4;
const RAW_KEY = 'tk_test_old';
const TENANT = buildTenant({ id: 'ten_old', createdAt: 5 });
const KEY = buildKey(RAW_KEY, { id: 'key_old', tenantId: TENANT.id, createdAt: 6 });
const BALANCE = balanceAccount(TENANT.id, 'USD');
const QUOTA = quotaOf(TENANT.id, 10, T0 + 1000);

/**
 * A customer as version 1 wrote it: two credits, one of which has expired, usage, a window, and a process at work that
 * holds a slice of both.
 */
function rowsOf(hasTerms: boolean): string {
  const [column, value] = hasTerms ? [', terms', ", '{}'"] : ['', ''];
  return `
    INSERT INTO tenants (id, name, plan_id, created_at${column}) VALUES ('${TENANT.id}', '${TENANT.name}', '${TENANT.planId}', 5${value});
    INSERT INTO api_keys (id, tenant_id, name, hash, environment, hint, created_at${column})
      VALUES ('${KEY.id}', '${TENANT.id}', '${KEY.name}', '${KEY.hash}', 'test', '${KEY.hint}', 6${value});
    INSERT INTO owners (id, state, last_seq, settlements, seen_at, seen_change) VALUES
      ('own_old', 'live', 7, 1, ${T0}, 1), ('own_gone', 'closed', 3, 1, ${T0}, 1);
    INSERT INTO accounts (id, tenant_id, kind, unit, allowance, reserved, spent, window_ends_at, label) VALUES
      ('${BALANCE.id}', '${TENANT.id}', 'balance', 'USD', 1000, 60, 40, NULL, NULL),
      ('${QUOTA.id}', '${TENANT.id}', 'quota', 'requests', 10, 3, 4, ${T0 + 1000}, NULL);
    INSERT INTO leases (owner, idx, account_id, granted, settled, recalled) VALUES
      ('own_old', 1, '${BALANCE.id}', 100, 40, 0), ('own_old', 2, '${QUOTA.id}', 3, 0, 0);
    INSERT INTO grants (id, tenant_id, asset, amount, category, priority, effective_at, expires_at, source, state,
        remaining, consumed, expired, created_at, idempotency_key, fingerprint) VALUES
      ('grt_1', '${TENANT.id}', 'USD', 1000, 'paid', 50, 0, NULL, 'test', 'active', 960, 40, 0, 7, 'first', 'print'),
      ('grt_2', '${TENANT.id}', 'USD', 50, 'promotional', 50, 0, 8, 'test', 'done', 0, 0, 50, 7, 'second', 'print');
    INSERT INTO transactions (id, kind, reference, at) VALUES ('funding:grt_1', 'funding', 'grt_1', 7),
      ('funding:grt_2', 'funding', 'grt_2', 7), ('expiry:grt_2', 'expiry', 'grt_2', 8), ('usage:own_old:1', 'usage', 'own_old:7', 9);
    INSERT INTO entries (transaction_id, leg, ledger_account, asset, amount, grant_id) VALUES
      ('funding:grt_1', 0, 'house:funding', 'USD', -1000, 'grt_1'), ('funding:grt_1', 1, 'tenant:${TENANT.id}', 'USD', 1000, 'grt_1'),
      ('funding:grt_2', 0, 'house:funding', 'USD', -50, 'grt_2'), ('funding:grt_2', 1, 'tenant:${TENANT.id}', 'USD', 50, 'grt_2'),
      ('expiry:grt_2', 0, 'tenant:${TENANT.id}', 'USD', -50, 'grt_2'), ('expiry:grt_2', 1, 'house:expired', 'USD', 50, 'grt_2'),
      ('usage:own_old:1', 0, 'tenant:${TENANT.id}', 'USD', -40, 'grt_1'), ('usage:own_old:1', 1, 'house:revenue', 'USD', 40, NULL);
    INSERT INTO rates (bucket_id, debt, at, period_ms, full_at) VALUES ('rate:old', 0, ${T0}, 1000, ${T0});
    INSERT INTO secrets (name, value) VALUES ('links', 'old-secret');
    INSERT INTO idempotency (key, fingerprint, answer) VALUES ('order-1', 'print', '{"answer":1}');`;
}

/** Opens the store when the file appears, at the same moment as the others, and says whom it finds there. */
const OPENER = `
  import { existsSync } from 'node:fs';
  const [moduleUrl, open, options, signal] = process.argv.slice(2);
  const adapter = await import(moduleUrl);
  process.stdout.write('ready\\n');
  while (!existsSync(signal)) await new Promise((resolve) => setTimeout(resolve, 1));
  const store = await adapter[open](JSON.parse(options));
  process.stdout.write(JSON.stringify(await store.liveOwners()) + '\\n');
  await store.close();
`;

/** What each of several processes said that opened the store at once. */
async function openAtOnce({ moduleUrl, open, options }: ProcessFixture) {
  const directory = temporaryDirectory('openers');
  const [script, signal] = [join(directory, 'opener.mjs'), join(directory, 'go')];
  writeFileSync(script, OPENER);
  const args = [...process.execArgv, script, moduleUrl, open, JSON.stringify(options), signal];
  const programs = Array.from({ length: PROCESSES }, () => {
    const program = new ChildProgram({ command: process.execPath, args });
    onTestFinished(async () => {
      await program.stop('SIGKILL');
    });
    return program;
  });
  await waitFor(() => programs.every(({ stdout, exit }) => stdout !== '' || exit !== undefined), {
    timeoutMs: 60_000,
    what: 'all processes to be ready',
  });
  writeFileSync(signal, '');
  await Promise.all(programs.map(({ exited }) => exited));
  return programs.map(({ exit, stdout, stderr }) => ({ code: exit?.code, stdout, stderr }));
}

export interface SchemaHistory {
  /** Steps of the present version. */
  readonly known: number;
  /** The first version in which tenants and keys have terms. */
  readonly termsSince: number;
}

/** What a store does with a database of each earlier version, and of its own. */
export function describeMigrations(
  name: string,
  { known, termsSince }: SchemaHistory,
  openFixture: () => Promise<OldStoreFixture>,
): void {
  // While there is one version, what it finds is nothing.
  const oldest = Math.min(1, known - 1);
  const allSteps = Array.from({ length: known }, (_, index) => index + 1);
  const plant = async (version: number): Promise<OldStoreFixture> => {
    const fixture = await openFixture();
    onTestFinished(() => fixture.dispose());
    if (version === 0) return fixture;
    await fixture.makeSteps(version);
    await fixture.execute(rowsOf(version >= termsSince));
    return fixture;
  };
  const connect = async (fixture: OldStoreFixture): Promise<Store> => {
    const store = await fixture.connect();
    onTestFinished(() => store.close());
    return store;
  };

  describe(`a ${name} database of schema version`, () => {
    it.each(allSteps)('%i: its rows are kept, its books add up and go on', async (version) => {
      const fixture = await plant(version);
      const store = await connect(fixture);
      expect(await fixture.steps()).toEqual(allSteps);
      expect(await store.findKey(KEY.hash)).toEqual({ key: KEY, tenant: TENANT, ancestors: [] });
      const grants = await store.grants(TENANT.id);
      expect(grants.map(({ id, consumed, expired }) => [id, consumed, expired])).toEqual([
        ['grt_1', 40n, 0n],
        ['grt_2', 0n, 50n],
      ]);
      expect(await numbersOf(store, BALANCE)).toEqual([1000n, 40n, 60n]);
      expect(await numbersOf(store, QUOTA)).toEqual([10n, 4n, 3n]);
      expect(await store.recall('order-1')).toMatchObject({ answer: '{"answer":1}' });
      expect(await store.secret('links', 'another')).toBe('old-secret');
      expect(await store.audit()).toEqual([]);

      expect(await store.liveOwners()).toEqual(['own_old']);
      const held = [{ kind: 'balance', unit: 'USD', amount: 60n, tenants: 1 }];
      expect(await store.owners(T0 + 1)).toMatchObject([
        { id: 'own_old', machine: undefined, held: expect.arrayContaining(held) },
      ]);
      expect(await store.lastSettled('own_old')).toBe(7);
      const leases = [
        { index: 1, charged: 90, granted: 90, close: true },
        { index: 2, charged: 2, granted: 2, close: true },
      ];
      await sync(store, 'own_old', { seq: 8, leases });
      expect(await numbersOf(store, BALANCE)).toEqual([1000n, 90n, 0n]);
      const account = slidingQuotaOf(TENANT.id, 5, 1000);
      expect(await acquire(store, 'own_old', { index: 3, account, need: 5 })).toMatchObject({
        granted: 5,
      });
      const parent = buildTenant({ id: 'ten_above' });
      await store.createTenant(parent);
      await store.changeTenant(TENANT.id, { terms: { parentId: parent.id } });
      expect((await store.findKey(KEY.hash))?.ancestors).toEqual([parent]);
      expect(await store.audit()).toEqual([]);
    });

    it(`${oldest}, opened by ${PROCESSES} processes at once: each step is made once, and all of them start`, async () => {
      const fixture = await plant(oldest);
      const said = await openAtOnce(fixture);
      const owners = oldest === 0 ? [] : ['own_old'];
      const started = { code: 0, stdout: `ready\n${JSON.stringify(owners)}\n`, stderr: '' };
      expect(said).toEqual(said.map(() => started));
      expect(await fixture.steps()).toEqual(allSteps);
      expect(await (await connect(fixture)).audit()).toEqual([]);
    }, 120_000);

    it(`${known + 1} is refused, with what to do, and stays as it is`, async () => {
      const fixture = await plant(known);
      await fixture.execute(`INSERT INTO migrations (id) VALUES (${known + 1})`);
      await expect(fixture.connect()).rejects.toMatchObject({
        ...failure('incompatible'),
        message: expect.stringContaining('start the newer version of Tollkeeper that wrote it'),
      });
      expect(await fixture.steps()).toEqual([...allSteps, known + 1]);
    });
  });
}
