import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { GatewayUnderFire } from '../chaos/gateway-under-fire.ts';
import { ServedRecord } from '../chaos/served-record.ts';
import { startEchoModel } from '../src/server/demo/echo-model.ts';
import { openSqliteStore } from '../src/stores/sqlite/sqlite-store.ts';
import { ChildProgram } from './support/child-program.ts';
import { fillLedger } from './support/fill-ledger.ts';
import { runTollkeeper } from './support/run-command.ts';
import { executable } from './support/start-gateway.ts';
import { startLab } from './support/start-lab.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';
import { renderUnitsConfig } from './support/units-config.ts';
import { waitFor } from './support/wait-for.ts';

const CALLERS = 24;
const UNITS_MOST = 20;
const NANO_PER_UNIT = 1000n;
const CREDIT_NANO = 1_000_000_000_000n;

/** The commands of the guide, in their order. */
function readGuide(): readonly string[] {
  const guide = readFileSync(resolve(import.meta.dirname, '../docs/guides/backup.md'), 'utf8');
  return [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
}

async function readBooks(directory: string) {
  const store = await openSqliteStore({ directory });
  try {
    const [tenant] = await store.tenants('', 1);
    const accounts = await store.accounts(tenant?.id ?? '', Date.now(), 0);
    const balance = accounts.find(({ spec }) => spec.kind === 'balance');
    return {
      granted: balance?.allowance,
      grants: (await store.grants(tenant?.id ?? '')).map(({ amount }) => amount),
      units: Number((balance?.spent ?? 0n) / NANO_PER_UNIT),
      reserved: accounts.map(({ reserved }) => reserved).filter((held) => held !== 0n),
      owners: await store.liveOwners(),
      audit: await store.audit(),
    };
  } finally {
    await store.close();
  }
}

it('PERF-08, I5, I10: backed up under load, killed, wiped and restored, a gateway has charged what it had charged then', async () => {
  const model = await startEchoModel({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => model.close());
  const data = temporaryDirectory('backed-up');
  const backups = temporaryDirectory('backups');
  const file = join(backups, 'tollkeeper.yaml');
  writeFileSync(file, renderUnitsConfig(model.origin, { credit: '1000.00' }));
  const under = await GatewayUnderFire.create({ data, config: file, workers: 2 });
  onTestFinished(() => under.destroy());
  await under.start();
  const { key } = under.gateway;
  const record = new ServedRecord();
  onTestFinished(() => record.close());
  let isFiring = true;
  const call = (units: number, stream: boolean) =>
    record.call({
      ...{ url: under.chatUrl, key, model: 'units', units, stream },
      headers: { 'x-echo-tokens': String(units) },
    });
  const fire = async (caller: number): Promise<void> => {
    for (let turn = caller; isFiring; turn += 1)
      await call(1 + (turn % UNITS_MOST), turn % 3 === 0);
  };
  const callers = Array.from({ length: CALLERS }, (_, caller) => fire(caller));

  await waitFor(() => record.answers >= 300, { timeoutMs: 60_000, what: 'answers' });
  const least = record.units;
  const target = join(backups, 'one');
  const made = await runTollkeeper(['backup', target, '--data', data, '--json']);
  const most = record.units + record.inFlight * UNITS_MOST;
  expect([made.code, JSON.parse(made.stdout)]).toMatchObject([0, { ok: true, held: [] }]);
  isFiring = false;
  under.killWhole();
  await Promise.all(callers);
  await under.gateway.program.exited;
  expect(record.countOf((status) => status === 402 || status >= 500)).toBe(0);

  for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
  const restored = await runTollkeeper(['restore', target, '--data', data]);
  expect([restored.code, restored.stdout]).toEqual([
    0,
    expect.stringContaining('its books add up'),
  ]);
  const clean = {
    granted: CREDIT_NANO,
    grants: [CREDIT_NANO],
    reserved: [],
    owners: [],
    audit: [],
  };
  const { units: restoredUnits, ...restoredBooks } = await readBooks(data);
  console.log({ least, restoredUnits, most });
  expect(restoredBooks).toEqual(clean);
  expect(restoredUnits).toBeGreaterThanOrEqual(least);
  expect(restoredUnits).toBeLessThanOrEqual(most);

  await under.start();
  expect(under.gateway.key).toBe(key);
  expect(await call(7, false)).toMatchObject({ status: 200 });
  await under.stop();
  const { units, ...rest } = await readBooks(data);
  expect(rest).toEqual(clean);
  expect(units).toBe(restoredUnits + 7);
}, 180_000);

it('PERF-08: every command of docs/guides/backup.md does what the guide says, and the balance is the same', async () => {
  const [data, backups] = [temporaryDirectory('guide'), temporaryDirectory('guide')];
  writeFileSync(join(backups, 'tollkeeper.yaml'), '');
  const first = await startLab({ credit: '0.010', data });
  const status = { path: '/status', key: first.gateway.key };
  for (let count = 0; count < 4; count += 1) await first.caller.callPatiently(status);
  const run = (command: string) => {
    const [program, ...args] = command
      .replaceAll('/backups/', `${backups}/`)
      .replaceAll('/var/lib/tollkeeper', data)
      .split(' ');
    expect(program).toBe('tollkeeper');
    return runTollkeeper(args);
  };
  const [backup = '', restore = '', replace = '', check = '', migrate = '', ...more] = readGuide();
  expect(more).toEqual([]);

  expect(await run(backup.replace('monday', 'tollkeeper.yaml/monday'))).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^error: ENOTDIR: .*tollkeeper\.yaml/),
  });
  expect(await run(backup)).toMatchObject({ code: 0 });
  expect(await run(backup)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('one for each backup'),
  });
  expect(await run(replace)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('stop the gateway, and restore again'),
  });
  await first.gateway.stop();
  expect(await run(restore)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--replace'),
  });
  expect(await run(replace)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`what was there before is in ${data}/replaced-`),
  });
  for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
  expect(await run(restore)).toMatchObject({ code: 0 });
  expect(await run(check)).toMatchObject({ code: 0 });
  expect(await run(migrate)).toMatchObject({ code: 0 });

  const second = await startLab({ credit: '0.010', data });
  expect(second.gateway.key).toBe(first.gateway.key);
  for (let count = 0; count < 6; count += 1) {
    expect(await second.caller.callPatiently(status)).toMatchObject({ status: 200 });
  }
  expect(await second.caller.callPatiently(status)).toMatchObject({ status: 402 });
}, 120_000);

it('a restore that is killed leaves a directory that no gateway starts on, and is done again; nothing is lost', async () => {
  const [data, backups] = [temporaryDirectory('killed'), temporaryDirectory('killed')];
  // A copy: what filled it may have it open for a while.
  fillLedger(join(backups, 'filled'), { keys: 5000, entries: 20_000 });
  cpSync(join(backups, 'filled'), data, { recursive: true });
  const before = await readBooks(data);
  const target = join(backups, 'monday');
  expect(await runTollkeeper(['backup', target, '--data', data])).toMatchObject({ code: 0 });
  const args = ['restore', target, '--data', data, '--replace'];
  const killed = new ChildProgram({ command: process.execPath, args: [executable, ...args] });
  onTestFinished(async () => {
    await killed.stop('SIGKILL');
  });
  const mark = join(data, 'restoring');
  await waitFor(() => existsSync(mark) || killed.exit !== undefined, {
    timeoutMs: 60_000,
    what: 'the restore to be at work',
  });
  expect(await killed.stop('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
  await expect(openSqliteStore({ directory: data })).rejects.toMatchObject({
    code: 'incompatible',
    message: expect.stringContaining('run tollkeeper restore again'),
  });
  expect(await runTollkeeper(args)).toMatchObject({ code: 0, stderr: expect.any(String) });
  expect(await readBooks(data)).toEqual(before);
  const aside = readdirSync(data).filter((name) => name.startsWith('replaced-'));
  const ledgers = aside.filter((name) => existsSync(join(data, name, 'ledger.db')));
  expect(await readBooks(join(data, ledgers[0] ?? ''))).toEqual(before);
}, 120_000);

it('with PostgreSQL backup and restore say what to use instead', async () => {
  const cwd = temporaryDirectory('configured');
  const store = 'postgres://me:p4ss-word@127.0.0.1:1/books';
  writeFileSync(join(cwd, 'tollkeeper.yaml'), `version: 1\nstore: ${store}\n`);
  for (const command of ['backup', 'restore']) {
    const { code, stderr } = await runTollkeeper([command, 'monday'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/its own tools|own tools do this: pg_/),
    ]);
    expect(stderr).not.toContain('p4ss-word');
  }
});
