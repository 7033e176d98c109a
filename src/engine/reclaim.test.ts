import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { ChildProgram } from '../../test/support/child-program.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { balanceAccount } from '../domain/accounts.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { StoreError } from '../stores/store-error.ts';
import { addGrant } from '../stores/store-fixture.conformance.ts';
import type { Store } from '../stores/store.ts';
import { readJournal } from './journal.ts';
import { ownerLockPath, reclaimOwner } from './reclaim.ts';

const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/**
 * A process that sets 500 aside, charges 70 and 30, streams to 25 of another hold, settles only the first charge,
 * and then does nothing more but live.
 */
const VICTIM = `
  const { openSqliteStore } = await import(${urlOf('../stores/sqlite/sqlite-store.ts')});
  const { LedgerEngine } = await import(${urlOf('./ledger-engine.ts')});
  const { ownerLockPath } = await import(${urlOf('./reclaim.ts')});
  const { takeProcessLock } = await import(${urlOf('../platform/process-lock.ts')});
  const { createClock } = await import(${urlOf('../platform/clock.ts')});
  const { balanceAccount } = await import(${urlOf('../domain/accounts.ts')});
  const [directory] = process.argv.slice(2);
  const lock = takeProcessLock(ownerLockPath(directory, 'own_1'));
  const store = await openSqliteStore({ directory });
  let slow = false;
  const fail = (error) => { if (!slow) throw error; };
  const late = new Proxy(store, { get: (target, name) => {
    const member = target[name];
    if (name === 'sync') return (batch) => slow ? Promise.reject(new Error('late')) : target.sync(batch);
    return typeof member === 'function' ? member.bind(target) : member;
  } });
  const engine = await LedgerEngine.open({
    owner: 'own_1', journalDirectory: directory, store: late, clock: createClock(),
    events: { onFenced() {}, onChanges() {}, onError: fail, onOverrun() {} },
  });
  const account = balanceAccount('ten_1', 'USD');
  const hold = async (id, amount) => (await engine.reserve(id, [{ account, amount }], [], new AbortController().signal)).hold;
  engine.capture(await hold('req_1', 100), [70]);
  await engine.settleNow();
  slow = true;
  engine.capture(await hold('req_2', 100), [30]);
  const stream = await hold('req_3', 300);
  engine.progress(stream, [10]);
  engine.progress(stream, [25]);
  process.stdout.write('served\\n');
  setInterval(() => lock, 1000);
`;

let directory: string;
let store: Store;

beforeEach(async () => {
  directory = temporaryDirectory('reclaim');
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  await addGrant(store, { tenantId: 'ten_1', amount: 1000n }, Date.now());
});

async function startVictim(): Promise<ChildProgram> {
  const file = join(directory, 'victim.mjs');
  writeFileSync(file, VICTIM);
  const program = new ChildProgram({
    command: process.execPath,
    args: [...process.execArgv, file, directory],
  });
  onTestFinished(async () => {
    await program.stop('SIGKILL');
  });
  await waitFor(() => program.stdout.includes('served') || program.exit !== undefined, {
    timeoutMs: 20_000,
    what: 'the victim',
  });
  expect(program.stderr).toBe('');
  return program;
}

const numbers = async () =>
  (await store.accounts('ten_1', Date.now(), 0)).find(
    ({ spec }) => spec.id === balanceAccount('ten_1', 'USD').id,
  );

describe('reclaimOwner (DESIGN 5: only proof returns money)', () => {
  it('leaves a live process alone, charges what a killed one had served, and returns the rest, once', async () => {
    const victim = await startVictim();
    const seen = readJournal(directory, 'own_1').groups.map(({ kind }) => kind);
    expect(seen.slice(-3)).toEqual(['charge', 'progress', 'progress']);
    expect(await reclaimOwner(store, directory, 'own_1', Date.now())).toBeUndefined();
    expect(await store.lastSettled('own_1')).toBeDefined();

    await victim.stop('SIGKILL');
    const before = await numbers();
    expect(before?.spent).toBe(70n);
    const result = await reclaimOwner(store, directory, 'own_1', Date.now());
    expect(result).toEqual({ settled: 55, returned: Number(before?.reserved ?? 0n) - 55 });
    expect(await numbers()).toMatchObject({ spent: 125n, reserved: 0n });
    expect(await store.audit()).toEqual([]);
    expect(readJournal(directory, 'own_1').groups).toEqual([]);
    expect(existsSync(ownerLockPath(directory, 'own_1'))).toBe(false);

    expect(await reclaimOwner(store, directory, 'own_1', Date.now())).toBeUndefined();
    expect(await numbers()).toMatchObject({ spent: 125n, reserved: 0n });
  }, 60_000);

  it('of one that was written off, what its journal says it had served is charged to the house', async () => {
    const victim = await startVictim();
    await victim.stop('SIGKILL');
    const order = { heardBefore: Date.now() + 1, now: Date.now() };
    expect(await store.writeOff('own_1', order)).toMatchObject({ kind: 'written_off' });
    expect(await numbers()).toMatchObject({ spent: 70n, reserved: 0n });
    const result = await reclaimOwner(store, directory, 'own_1', Date.now());
    expect(result).toEqual({ settled: 0, returned: 0, house: 55 });
    expect(await numbers()).toMatchObject({ spent: 70n, reserved: 0n });
    expect(await store.audit()).toEqual([]);
    expect(existsSync(ownerLockPath(directory, 'own_1'))).toBe(false);
    expect(readJournal(join(directory, 'evidence'), 'own_1').groups.length).toBeGreaterThan(0);
  }, 60_000);

  it('a journal that a loss of power has left with zeros and damage gives back the rest, and says how much was lost', async () => {
    const victim = await startVictim();
    await victim.stop('SIGKILL');
    const path = join(directory, 'own_1.000001.journal');
    const file = readFileSync(path);
    // The charge of 30 is the second record: the first is as long.
    const length = 8 + file.readUInt32LE(0);
    file.fill(0, length + 20, length + 30);
    writeFileSync(path, Buffer.concat([file, Buffer.alloc(4096)]));
    const before = await numbers();
    const result = await reclaimOwner(store, directory, 'own_1', Date.now());
    expect(result).toEqual({
      settled: 25,
      returned: Number(before?.reserved ?? 0n) - 25,
      damagedBytes: length + 4096,
    });
    expect(await numbers()).toMatchObject({ spent: 95n, reserved: 0n });
    expect(await store.audit()).toEqual([]);
  }, 60_000);

  it('a journal that somebody removed gives back what was not settled, and says that it is missing', async () => {
    const victim = await startVictim();
    await victim.stop('SIGKILL');
    rmSync(join(directory, 'own_1.000001.journal'));
    const before = await numbers();
    const result = await reclaimOwner(store, directory, 'own_1', Date.now());
    const returned = Number(before?.reserved ?? 0n);
    expect(result).toEqual({ settled: 0, returned, journalMissing: true });
    expect(await numbers()).toMatchObject({ spent: 70n, reserved: 0n });
    expect(await store.audit()).toEqual([]);
  }, 60_000);

  it('a store that is away right after it says what was reclaimed, and is asked about the lock file another time', async () => {
    const victim = await startVictim();
    await victim.stop('SIGKILL');
    const returned = Number((await numbers())?.reserved ?? 0n) - 55;
    const leaving = {
      lastSettled: store.lastSettled.bind(store),
      reclaim: async (...order: Parameters<Store['reclaim']>) => {
        leaving.lastSettled = () => Promise.reject(new StoreError('unavailable', 'away'));
        return await store.reclaim(...order);
      },
    };
    const result = await reclaimOwner(leaving, directory, 'own_1', Date.now());
    expect(result).toEqual({ settled: 55, returned });
    expect(existsSync(ownerLockPath(directory, 'own_1'))).toBe(true);
    expect(await reclaimOwner(store, directory, 'own_1', Date.now())).toBeUndefined();
    expect(existsSync(ownerLockPath(directory, 'own_1'))).toBe(false);
  }, 60_000);

  it('without the lock file there is no proof: the money stays held', async () => {
    await store.openOwner('own_2', Date.now());
    expect(await reclaimOwner(store, directory, 'own_2', Date.now())).toBeUndefined();
    expect(await store.liveOwners()).toContain('own_2');
  });

  it('the lock file of an owner that ended in order is removed, and its journal put away', async () => {
    writeFileSync(ownerLockPath(directory, 'own_3'), '');
    writeFileSync(join(directory, 'own_3.000001.journal'), '');
    expect(await reclaimOwner(store, directory, 'own_3', Date.now())).toBeUndefined();
    expect(existsSync(ownerLockPath(directory, 'own_3'))).toBe(false);
    expect(existsSync(join(directory, 'own_3.000001.journal'))).toBe(false);
  });
});
