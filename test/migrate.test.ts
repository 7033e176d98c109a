// @needs postgresql
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { MIGRATIONS as POSTGRES_MIGRATIONS } from '../src/stores/postgres/migrations.ts';
import { Database } from '../src/stores/sqlite/database.ts';
import { migrate, MIGRATIONS } from '../src/stores/sqlite/migrations.ts';
import { runTollkeeper } from './support/run-command.ts';
import { startPostgres } from './support/start-postgres.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const KNOWN = MIGRATIONS.length;

function ledgerOf(directory: string): Database {
  const path = join(directory, 'ledger.db');
  return new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
}

it('PERF-08: migrate says from where to where it brought a SQLite store, and --check only tells', async () => {
  const data = temporaryDirectory('old');
  const run = (...args: string[]) => runTollkeeper(['migrate', '--data', data, ...args]);
  const nothing = await run('--check', '--json');
  expect([nothing.code, JSON.parse(nothing.stdout)]).toEqual([
    1,
    { ok: false, store: 'sqlite', from: 0, to: KNOWN, steps: KNOWN },
  ]);
  expect(readdirSync(data)).toEqual([]);
  const ledger = ledgerOf(data);
  migrate(ledger, MIGRATIONS.slice(0, 1));
  ledger.close();

  const pending = await run('--check');
  expect([pending.code, pending.stdout]).toEqual([
    1,
    expect.stringMatching(/has schema version 1, this program \d+: \d steps? to make\n$/),
  ]);
  expect(pending.stderr).toContain('next: back up the store with the version that wrote it');
  expect(await run()).toEqual({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining(`is at schema version ${KNOWN} now, from 1: `),
  });
  expect(await run('--check')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('up to date'),
  });
});

it('a store of a newer version is refused, by --check too', async () => {
  const data = temporaryDirectory('newer');
  const ledger = ledgerOf(data);
  migrate(ledger);
  ledger.execute(`INSERT INTO migrations (id) VALUES (${KNOWN + 1})`);
  ledger.close();
  for (const more of [[], ['--check']]) {
    expect(await runTollkeeper(['migrate', '--data', data, ...more])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/schema version \d+ and this program knows \d+: start the/),
    });
  }
});

it('migrate brings the database of the configuration up to date, and says nothing of its password', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const cwd = temporaryDirectory('configured');
  writeFileSync(join(cwd, 'tollkeeper.yaml'), 'version: 1\nstore: ${DATABASE_URL}\n');
  const known = POSTGRES_MIGRATIONS.length;
  const run = async (url: string, ...args: string[]) => {
    const result = await runTollkeeper(['migrate', ...args], { cwd, env: { DATABASE_URL: url } });
    expect(result.stdout + result.stderr).not.toContain('p4ss-word');
    return result;
  };
  const url = await server.createDatabase();
  expect((await run(url, '--check')).code).toBe(1);
  const made = await run(url, '--json');
  expect([made.code, JSON.parse(made.stdout)]).toEqual([
    0,
    { ok: true, store: 'postgres', from: 0, to: known, steps: known },
  ]);
  expect(await run(url, '--check')).toMatchObject({
    code: 0,
    stdout: `the database has schema version ${known}: up to date\n`,
  });
  expect(await run('postgres://me:p4ss-word@127.0.0.1:1/books')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('PostgreSQL does not answer'),
  });
});
