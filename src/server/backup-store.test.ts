import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { balanceAccount } from '../domain/accounts.ts';
import { LedgerEngine } from '../engine/ledger-engine.ts';
import { ownerLockPath } from '../engine/reclaim.ts';
import { createClock } from '../platform/clock.ts';
import { takeProcessLock } from '../platform/process-lock.ts';
import { Database } from '../stores/sqlite/database.ts';
import { migrate, MIGRATIONS } from '../stores/sqlite/migrations.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { addGrant, failure, requestIdAt } from '../stores/store-fixture.conformance.ts';
import type { Store, SyncBatch } from '../stores/store.ts';
import { backUp } from './backup-store.ts';
import { journalDirectory } from './data-directory.ts';

const CLOCK = createClock();
const BALANCE = balanceAccount('ten_1', 'USD');

let directory: string;
let target: string;
beforeEach(() => {
  directory = join(temporaryDirectory('data'), 'data');
  target = join(temporaryDirectory('backups'), 'monday');
});

async function openFunded(amount = 100_000n): Promise<Store> {
  const store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  await addGrant(store, { tenantId: 'ten_1', amount }, Date.now());
  return store;
}

/** A gateway process in small. While `state.slow` nothing it settles arrives. */
async function openEngine(store: Store, owner: string) {
  const state = { slow: false };
  const journals = journalDirectory(directory);
  mkdirSync(journals, { recursive: true });
  const lock = takeProcessLock(ownerLockPath(journals, owner));
  const slowStore = new Proxy(store, {
    get: (of, name) => {
      if (name !== 'sync') return (Reflect.get(of, name) as () => unknown).bind(of);
      return (batch: SyncBatch) =>
        state.slow ? Promise.reject(new Error('no store')) : of.sync(batch);
    },
  });
  const engine = await LedgerEngine.open({
    ...{ owner, journalDirectory: journals, store: slowStore, clock: CLOCK },
    events: { onFenced: fail, onChanges() {}, onError() {}, onOverrun() {} },
  });
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => {
    state.slow = false;
    ended ??= engine.close().then(() => lock?.release());
    return ended;
  };
  onTestFinished(end);
  const hold = async (amount: number) => {
    const needs = [{ account: BALANCE, amount }];
    const id = requestIdAt(Date.now());
    const outcome = await engine.reserve(id, needs, [], new AbortController().signal);
    if (outcome.kind !== 'held') throw new Error(outcome.kind);
    return outcome.hold;
  };
  return { engine, state, hold, end };
}

function fail(): never {
  throw new Error('a process at work was declared dead');
}

async function readBooks(of: string) {
  const store = await openSqliteStore({ directory: of });
  try {
    const [balance] = await store.accounts('ten_1', Date.now(), 0);
    return {
      spent: balance?.spent,
      reserved: balance?.reserved,
      owners: await store.liveOwners(),
      audit: await store.audit(),
    };
  } finally {
    await store.close();
  }
}

describe('of a gateway at work', () => {
  it('PERF-08, I5, I10: what is in the journal and not settled is charged, the rest comes back, and the process goes on', async () => {
    const store = await openFunded();
    const { engine, state, hold, end } = await openEngine(store, 'own_1');
    engine.capture(await hold(100), [70]);
    await engine.settleNow();
    state.slow = true;
    engine.capture(await hold(100), [30]);
    const stream = await hold(300);
    engine.progress(stream, [10]);
    engine.progress(stream, [25]);
    expect((await store.accounts('ten_1', Date.now(), 0))[0]?.spent).toBe(70n);

    const made = await backUp({ directory, target }, CLOCK);
    expect(made).toMatchObject({
      kind: 'made',
      settled: { owners: 1, held: [], violations: [] },
    });
    expect(await readBooks(target)).toEqual({ spent: 125n, reserved: 0n, owners: [], audit: [] });

    engine.finish(stream, [40]);
    state.slow = false;
    await engine.settleNow();
    await end();
    const [balance] = await store.accounts('ten_1', Date.now(), 0);
    expect([balance?.spent, balance?.reserved]).toEqual([140n, 0n]);
    expect(await store.audit()).toEqual([]);
  });

  it('PERF-08: each of three backups under load has exactly what was charged at its moment, streams as far as they were', async () => {
    const store = await openFunded(1_000_000_000n);
    const engines = await Promise.all(['own_1', 'own_2'].map((owner) => openEngine(store, owner)));
    let [charged, streamed, isOpen] = [0, 0, true];
    const work = async ({ engine, hold }: (typeof engines)[number], isStream: boolean) => {
      for (let units = 1; isOpen; units = 1 + (units % 20)) {
        const own = await hold(units * 2);
        const begun = Math.min(units, 5);
        if (isStream) engine.progress(own, [begun]);
        if (isStream) streamed += begun;
        // Meanwhile a backup may be made.
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (isStream) streamed -= begun;
        if (isStream) engine.finish(own, [units]);
        else engine.capture(own, [units]);
        charged += units;
      }
    };
    const loads = engines.flatMap((each) => [work(each, false), work(each, true)]);
    for (let count = 0; count < 3; count += 1) {
      const sofar = charged;
      await waitFor(() => charged > sofar + 200, { timeoutMs: 20_000, what: 'charges' });
      let atItsMoment: number | undefined;
      const clock = {
        ...CLOCK,
        now: () => {
          // Asked for the first time when the ledger stands still.
          atItsMoment ??= charged + streamed;
          return CLOCK.now();
        },
      };
      const one = `${target}-${count}`;
      const made = await backUp({ directory, target: one }, clock);
      expect(made).toMatchObject({ kind: 'made', settled: { owners: 2, violations: [] } });
      expect(await readBooks(one)).toEqual({
        spent: BigInt(atItsMoment ?? -1),
        reserved: 0n,
        owners: [],
        audit: [],
      });
    }
    isOpen = false;
    await Promise.all(loads);
    await Promise.all(engines.map(({ end }) => end()));
    const [balance] = await store.accounts('ten_1', Date.now(), 0);
    expect([balance?.spent, balance?.reserved]).toEqual([BigInt(charged), 0n]);
  }, 60_000);

  it('a process without a lock file is not proven dead: what it holds stays held, and is told', async () => {
    const store = await openFunded();
    await store.openOwner('own_elsewhere', Date.now());
    const request = { index: 1, account: BALANCE, grantedBefore: 0, need: 9, want: 9, ask: false };
    await store.acquire('own_elsewhere', [request], Date.now());
    const made = await backUp({ directory, target }, CLOCK);
    expect(made).toMatchObject({ settled: { owners: 0, held: ['own_elsewhere'] } });
    const owners = ['own_elsewhere'];
    expect(await readBooks(target)).toEqual({ spent: 0n, reserved: 9n, owners, audit: [] });
  });
});

it('has the ledger, the days of the request log and the demo key, closed to others, and neither token nor journals', async () => {
  const store = await openFunded();
  const row = { at: 0, tenantId: 't', status: 200, code: '', facts: '{}' };
  const ids = [requestIdAt(0), requestIdAt(86_400_000)];
  await store.appendRequests(ids.map((requestId) => ({ ...row, requestId })));
  mkdirSync(journalDirectory(directory));
  for (const name of ['admin.token', 'demo.key', 'own.yaml', 'journal/a.000001.journal']) {
    writeFileSync(join(directory, name), name);
  }
  const made = await backUp({ directory, target }, CLOCK);
  const names = ['demo.key', 'ledger.db', 'requests-1970-01-01.db', 'requests-1970-01-02.db'];
  expect(readdirSync(target).toSorted()).toEqual([...names, 'manifest.json'].toSorted());
  expect(made.kind === 'made' && made.manifest.files.map(({ name }) => name)).toEqual(names);
  for (const name of [...names, 'manifest.json', '.']) {
    expect(statSync(join(target, name)).mode & 0o077).toBe(0);
  }
  const copy = await openSqliteStore({ directory: target });
  onTestFinished(() => copy.close());
  expect(await Promise.all(ids.map((id) => copy.request(id)))).toEqual(
    ids.map((requestId) => ({ ...row, requestId })),
  );
});

describe('refused, with nothing left behind', () => {
  const leftBehind = () => readdirSync(join(target, '..'));

  it('a directory without a store, and none is made', async () => {
    mkdirSync(directory);
    expect(await backUp({ directory, target }, CLOCK)).toMatchObject({
      code: 'NO_STORE',
      message: expect.stringContaining(`${directory} holds no SQLite store`),
    });
    expect([readdirSync(directory), leftBehind()]).toEqual([[], []]);
  });

  it.each([
    ['a directory that is not empty', () => mkdirSync(join(target, 'more'), { recursive: true })],
    ['a file', () => writeFileSync(target, 'mine')],
  ])('a target that is there: %s', async (_title, plant) => {
    await openFunded();
    plant();
    expect(await backUp({ directory, target }, CLOCK)).toMatchObject({ code: 'TARGET_EXISTS' });
    expect(leftBehind()).toEqual(['monday']);
  });

  it('a target inside of what it saves', async () => {
    await openFunded();
    const inside = join(directory, 'backups', 'monday');
    expect(await backUp({ directory, target: inside }, CLOCK)).toMatchObject({
      code: 'TARGET_INSIDE',
    });
    expect(existsSync(join(directory, 'backups'))).toBe(false);
  });

  it.each([
    ['an earlier', MIGRATIONS.slice(0, 1), /schema version 1 .* tollkeeper migrate first/],
    ['a newer', [...MIGRATIONS, 'SELECT 1'], /start the newer version/],
  ])('a store of %s version, which stays as it is', async (_title, steps, message) => {
    mkdirSync(directory);
    const path = join(directory, 'ledger.db');
    const ledger = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
    migrate(ledger, steps);
    ledger.close();
    const bytes = readFileSync(path);
    await expect(backUp({ directory, target }, CLOCK)).rejects.toMatchObject({
      ...failure('incompatible'),
      message: expect.stringMatching(message),
    });
    expect(readFileSync(path)).toEqual(bytes);
    expect(leftBehind()).toEqual([]);
  });

  it('a day of the request log that is damaged: the file is named', async () => {
    const store = await openFunded();
    const row = { at: 0, tenantId: 't', status: 200, code: '', facts: 'x'.repeat(20_000) };
    await store.appendRequests([{ ...row, requestId: requestIdAt(0) }]);
    await store.close();
    const path = join(directory, 'requests-1970-01-01.db');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(7, 4096 * 2));
    const refused = await backUp({ directory, target }, CLOCK);
    expect(refused).toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining(path),
    });
    expect(leftBehind()).toEqual([]);
  });
});

it('a backup of books that do not add up is kept, and says so', async () => {
  await (await openFunded()).close();
  const path = join(directory, 'ledger.db');
  const ledger = new Database({ path, durability: 'normal', busyTimeoutMs: 1000 });
  ledger.execute('UPDATE entries SET amount = amount + 1 WHERE leg = 0');
  ledger.close();
  const made = await backUp({ directory, target }, CLOCK);
  expect(made.kind === 'made' && made.settled.violations[0]?.invariant).toContain('I1');
});
