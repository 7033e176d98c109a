// @needs postgresql
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { openPostgresStore } from '../src/stores/postgres/postgres-store.ts';
import { findProgram } from './support/find-program.ts';
import { runParallel, tally } from './support/gateway-caller.ts';
import { runCommand, runTollkeeper } from './support/run-command.ts';
import { startLab } from './support/start-lab.ts';
import { type Postgres, startPostgres } from './support/start-postgres.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { waitFor } from './support/wait-for.ts';

const PRICE_NANO = 1_000_000n;
const CREDIT_CALLS = 500;

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** The command of the guide that begins with this word. */
function commandOf(program: string): string {
  const guide = readFileSync(resolve(import.meta.dirname, '../docs/guides/postgres.md'), 'utf8');
  const command = new RegExp(`^\`\`\`sh\n(${program} .*)\n\`\`\`$`, 'm').exec(guide)?.[1];
  if (command === undefined) throw new Error(`the guide has no command ${program}`);
  return command;
}

/** The server's own programs lie beside it, and need not be on the PATH. */
async function runInShell(command: string, env: Record<string, string>, cwd: string) {
  const programs = dirname(realpathSync(findProgram('postgresql')));
  const path = `${programs}:${process.env['PATH'] ?? ''}`;
  const args = ['-c', command];
  expect(await runCommand({ command: 'sh', args, cwd, env: { ...env, PATH: path } })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
}

async function readBooks(url: string) {
  const store = await openPostgresStore({ url });
  try {
    const [tenant] = await store.tenants('', 1);
    const accounts = await store.accounts(tenant?.id ?? '', Date.now(), 0);
    const balance = accounts.find(({ spec }) => spec.kind === 'balance');
    return {
      calls: Number((balance?.spent ?? 0n) / PRICE_NANO),
      held: Number((balance?.reserved ?? 0n) / PRICE_NANO),
      audit: await store.audit(),
      owners: (await store.liveOwners()).length,
    };
  } finally {
    await store.close();
  }
}

it('PERF-08: dumped under load and when stopped, as docs/guides/postgres.md says, and started again on what is restored', async () => {
  const cwd = temporaryDirectory('dumps');
  const url = await server.createDatabase();
  const options = { credit: `0.${CREDIT_CALLS}`, data: temporaryDirectory('machine') };
  const { gateway, caller } = await startLab({ ...options, store: url });
  const call = { path: '/status', key: gateway.key };
  let answered = 0;
  const load = runParallel(200, 8, async () => {
    const { status } = await caller.callPatiently(call);
    answered += 1;
    return status;
  });
  await waitFor(() => answered >= 50, { timeoutMs: 60_000, what: 'calls to be served' });
  await runInShell(commandOf('pg_dump'), { DATABASE_URL: url }, cwd);
  expect(tally(await load)).toEqual({ 200: 200 });

  const running = await server.createDatabase();
  const restore = commandOf('pg_restore');
  await runInShell(restore, { NEW_DATABASE_URL: running }, cwd);
  const asOfDump = await readBooks(running);
  expect(asOfDump.audit).toEqual([]);
  expect(asOfDump.calls).toBeLessThanOrEqual(200);
  // What a process held stays with it until somebody says otherwise, and is the customer's again never by itself.
  expect(asOfDump.calls + asOfDump.held).toBeGreaterThanOrEqual(50);
  expect(asOfDump.owners).toBe(2);

  await gateway.stop();
  await runInShell(commandOf('pg_dump'), { DATABASE_URL: url }, cwd);
  const stopped = await server.createDatabase();
  await runInShell(restore, { NEW_DATABASE_URL: stopped }, cwd);
  await server.dropDatabase(url);
  expect(await readBooks(stopped)).toEqual({ calls: 200, held: 0, audit: [], owners: 0 });

  // The key that `dev` shows is in the directory, which has outlived the database.
  const after = await startLab({ ...options, store: stopped });
  expect(after.gateway.key).toBe(gateway.key);
  const left = await runParallel(CREDIT_CALLS, 8, async () => {
    return (await after.caller.callPatiently(call)).status;
  });
  expect(tally(left)).toEqual({ 200: CREDIT_CALLS - 200, 402: 200 });
  const doctor = await runTollkeeper([
    ...['doctor', '--ledger', '--admin', after.gateway.admin],
    ...['--data', after.gateway.data],
  ]);
  expect(doctor.code).toBe(0);
}, 180_000);
