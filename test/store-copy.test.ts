// @needs postgresql
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

import { openPostgresStore } from '../src/stores/postgres/postgres-store.ts';
import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import type { Comparison } from '../src/stores/store-copy.ts';
import type { Store } from '../src/stores/store.ts';
import { fillLedger } from './support/fill-ledger.ts';
import { runCommand, runTollkeeper } from './support/run-command.ts';
import { executable } from './support/start-gateway.ts';
import { startLab } from './support/start-lab.ts';
import { type Postgres, startPostgres } from './support/start-postgres.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const SIZE = {
  keys: Number(process.env['TOLLKEEPER_COPY_KEYS'] ?? 1000),
  entries: Number(process.env['TOLLKEEPER_COPY_ENTRIES'] ?? 20_000),
};
/** Of the heap of the command, whatever the size of the store. */
const HEAP_MB = 48;
const PASSWORD = /p4ss-word/;

interface Copied {
  readonly ok: boolean;
  readonly comparisons: readonly Comparison[];
  readonly violations: readonly unknown[];
}

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

function copy(from: string, to: string, ...more: readonly string[]) {
  return runTollkeeper(['store', 'copy', '--from', from, '--to', to, ...more]);
}

async function balancesOf(store: Store): Promise<readonly unknown[]> {
  const tenants = await store.tenants('', 200);
  return Promise.all(tenants.map(({ id }) => store.accounts(id, 0, 0)));
}

it(
  'I9: many keys and entries are copied with a small heap, every balance the same',
  { timeout: 1_200_000 },
  async () => {
    const from = temporaryDirectory('large');
    fillLedger(from, SIZE);
    const to = await server.createDatabase();
    const { code, stdout, stderr } = await runCommand({
      command: process.execPath,
      args: [
        `--max-old-space-size=${HEAP_MB}`,
        ...[executable, 'store', 'copy', '--from', from, '--to', to, '--json'],
      ],
      timeoutMs: 1_000_000,
    });
    expect([code, stderr]).toEqual([0, '']);
    const { ok, comparisons, violations } = JSON.parse(stdout) as Copied;
    expect([ok, violations]).toEqual([true, []]);
    const counts = Object.fromEntries(comparisons.map((each) => [each.name, each.target]));
    const tenants = SIZE.keys / 10;
    const expected = { api_keys: SIZE.keys, entries: SIZE.entries, balances: tenants, tenants };
    expect(counts).toMatchObject(expected);
    const [source, target] = await Promise.all([
      openSqliteStore({ directory: from }),
      openPostgresStore({ url: to }),
    ]);
    onTestFinished(() => source.close());
    onTestFinished(() => target.close());
    expect(await balancesOf(target)).toEqual(await balancesOf(source));
    expect(await target.audit()).toEqual([]);
  },
);

it('a gateway moves: refused while it runs, then the same key spends what is left from PostgreSQL', async () => {
  const data = temporaryDirectory('moving');
  const to = await server.createDatabase();
  const before = await startLab({ credit: '0.010', data });
  const call = { path: '/status', key: before.gateway.key };
  for (let count = 0; count < 4; count += 1) {
    expect(await before.caller.callPatiently(call)).toMatchObject({ status: 200 });
  }
  const early = await copy(data, to, '--json');
  expect(early.code).toBe(1);
  expect(JSON.parse(early.stderr)).toMatchObject({ error: { code: 'STORE_IN_USE' } });
  await before.gateway.stop();

  const { code, stdout, stderr } = await copy(data, to);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^COMPARED +SQLITE +POSTGRESQL +RESULT$/m);
  expect(stdout).toMatch(/^balances +\d+ +\d+ +identical$/m);
  expect(stdout).toContain('the copy is the same, and its books add up');
  expect(stderr).toContain('never start a gateway on the SQLite store again');
  expect(stdout + stderr).not.toMatch(PASSWORD);
  const again = await copy(data, to);
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringContaining('table owners of the database has rows'),
  ]);

  const after = await startLab({ credit: '0.010', data, store: to });
  expect(after.gateway.key).toBe(before.gateway.key);
  for (let count = 0; count < 6; count += 1) {
    expect(await after.caller.callPatiently(call)).toMatchObject({ status: 200 });
  }
  expect(await after.caller.callPatiently(call)).toMatchObject({ status: 402 });
});

it('options that cannot be meant are refused, with what to write instead', async () => {
  const cwd = temporaryDirectory('nothing');
  const url = 'postgres://me:p4ss-word@127.0.0.1:1/books';
  const run = async (...args: readonly string[]) => {
    const { code, stderr } = await runTollkeeper(['store', 'copy', ...args], { cwd });
    expect(stderr).not.toMatch(PASSWORD);
    return [code, stderr.trim()];
  };
  expect(await run('--from', url, '--to', url)).toEqual([2, expect.stringContaining('--from is')]);
  expect(await run('--from', cwd, '--to', 'mysql://me:p4ss-word@a/b')).toEqual([
    2,
    expect.stringContaining('--to is a connection string'),
  ]);
  expect(await run('--from', cwd)).toEqual([2, expect.stringContaining('name the database')]);
  expect(await run('--from', cwd, '--to', url)).toEqual([
    1,
    expect.stringContaining('holds no SQLite store'),
  ]);
  fillLedger(cwd, { keys: 10, entries: 4 });
  expect(await run('--from', cwd, '--to', url)).toEqual([
    4,
    expect.stringMatching(/PostgreSQL does not answer: .*ECONNREFUSED/),
  ]);
});
