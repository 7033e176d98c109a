import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { addGrant } from '../stores/store-fixture.conformance.ts';
import type { Store, SyncBatch, SyncResult } from '../stores/store.ts';
import type { Hold, Secured } from './engine.ts';
import { readJournal } from './journal.ts';
import { LedgerEngine } from './ledger-engine.ts';
import { replayJournal } from './replay.ts';
import { COMMIT_WAIT_MS_MAX, GROUP_MAX, WAITING_MAX } from './securing.ts';

const BALANCE = balanceAccount('ten_1', 'USD');
const SLOTS: AccountSpec = {
  id: 'quo:ten_1:slots:lifetime',
  tenantId: 'ten_1',
  kind: 'quota',
  unit: 'concurrent_requests',
  allowance: 10,
  windowEndsAt: undefined,
  limit: {
    id: 'slots',
    unit: 'concurrent_requests',
    window: 'lifetime',
    scope: 'tenant',
    keyId: undefined,
  },
};
const clock = createClock();

type Sync = (batch: SyncBatch) => Promise<SyncResult>;

let directory: string;
let store: Store;
let engine: LedgerEngine;
let errors: unknown[];
let unserved: string[];
/** What the engine's settlements go through. */
let through: (sync: Sync) => Sync;

beforeEach(async () => {
  directory = temporaryDirectory('securing-journals');
  store = await openSqliteStore({ directory: temporaryDirectory('securing') });
  await addGrant(store, { tenantId: 'ten_1', amount: 100_000n }, clock.now());
  [errors, unserved, through] = [[], [], (sync) => sync];
  const [opened, heard] = [store, errors];
  const sync: Sync = (batch) => through(opened.sync.bind(opened))(batch);
  const seen = new Proxy(opened, {
    get: (target, name) => {
      if (name === 'sync') return sync;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  engine = await LedgerEngine.open({
    owner: 'own_1',
    journalDirectory: directory,
    store: seen,
    clock,
    events: {
      onFenced: () => undefined,
      onChanges: () => undefined,
      onError: (error) => heard.push(error),
      onOverrun: () => undefined,
      onUnserved: (requestId) => unserved.push(requestId),
    },
  });
  const ended = engine;
  onTestFinished(async () => {
    // Some have been reclaimed, or have lost their journal: they only have to stop.
    await ended.close().catch(() => undefined);
    await opened.close();
  });
});

async function hold(amount: number, requestId = 'req_1', slots = 0): Promise<Hold> {
  const needs = [{ account: BALANCE, amount }];
  if (slots > 0) needs.push({ account: SLOTS, amount: slots });
  const outcome = await engine.reserve(requestId, needs, [], new AbortController().signal);
  if (outcome.kind !== 'held') throw new Error(`not held: ${outcome.kind}`);
  return outcome.hold;
}

async function spent(): Promise<bigint | undefined> {
  const accounts = await store.accounts('ten_1', clock.now(), 0);
  return accounts.find(({ spec }) => spec.id === BALANCE.id)?.spent;
}

const kinds = (): readonly string[] =>
  readJournal(directory, 'own_1').groups.map(({ kind }) => kind);

/** From now on settlements wait until what this returns is called; with `has`, commits are at the store meanwhile. */
function silenceStore(has = false): () => void {
  let answer = (): void => undefined;
  const silence = new Promise<void>((resolve) => {
    answer = resolve;
  });
  through = (sync) => async (batch) => {
    const done = has && batch.waitsUntilMs !== undefined ? await sync(batch) : undefined;
    await silence;
    return done ?? sync(batch);
  };
  return () => answer();
}

/** As the supervisor does it when the process is dead. */
async function reclaim(): Promise<void> {
  const afterSeq = (await store.lastSettled('own_1')) ?? 0;
  const records = { afterSeq, ...replayJournal(readJournal(directory, 'own_1').groups, afterSeq) };
  await store.reclaim('own_1', records, clock.now());
}

describe('journal-fsync', () => {
  it('is in the journal before it may be served, counted at once, and charged once', async () => {
    const held = await hold(10);
    const secured = engine.secureCharge(held, [7], 'journal-fsync');
    expect(engine.peek(BALANCE)).toMatchObject({ spent: 7 });
    expect(kinds()).toEqual([]);
    expect(await secured).toEqual([7]);
    expect(kinds()).toEqual(['progress', 'done']);
    expect([engine.openHolds, engine.peek(BALANCE)?.spent]).toEqual([0, 7]);
    await engine.settleNow();
    expect(await spent()).toBe(7n);
    await engine.close();
    expect(await store.audit()).toEqual([]);
  });

  it('I5: at most one group is charged and not served, however many wait; beyond the bound they are refused', async () => {
    const holds: Hold[] = [];
    for (let each = 0; each <= WAITING_MAX; each += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the first ones fetch the slice that the others share
      holds.push(await hold(1, `req_${each}`));
    }
    let served = 0;
    let mostUnserved = 0;
    const charges = holds.map(async (held) => {
      const taken = await engine.secureCharge(held, [1], 'journal-fsync');
      if (taken !== undefined) served += 1;
    });
    while (engine.openHolds > 0) {
      const charged =
        replayJournal(readJournal(directory, 'own_1').groups, 0).leases[0]?.charged ?? 0;
      mostUnserved = Math.max(mostUnserved, charged - served);
      // oxlint-disable-next-line no-await-in-loop -- looks after every turn of the loop
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(charges);
    expect([served, mostUnserved]).toEqual([WAITING_MAX, GROUP_MAX]);
    await engine.settleNow();
    expect(await spent()).toBe(BigInt(WAITING_MAX));
    await engine.close();
  }, 60_000);

  it('a disk that does not take it: nothing is charged or served from then on, in any class', async () => {
    const [first, second] = [await hold(10), await hold(10, 'req_2')];
    rmSync(directory, { recursive: true });
    expect(await engine.secureCharge(first, [7], 'journal-fsync')).toBeUndefined();
    expect([errors.length, engine.openHolds, engine.peek(BALANCE)?.spent]).toEqual([1, 1, 0]);
    expect(engine.capture(second, [7])).toBeUndefined();
    const third = await hold(10, 'req_3');
    expect(await engine.secureProgress(third, [7], 'journal-fsync')).toBe(false);
    engine.release(third);
    await engine.settleNow();
    expect(await spent()).toBe(0n);
  });

  it('a stream is on disk piece by piece; a repeated one waits for nothing, and a release ends it', async () => {
    const held = await hold(10);
    expect(await engine.secureProgress(held, [3], 'journal-fsync')).toBe(true);
    expect(await engine.secureProgress(held, [3], 'journal-fsync')).toBe(true);
    expect(kinds()).toEqual(['progress']);
    expect(await engine.secureCharge(held, [5], 'journal-fsync')).toEqual([5]);
    expect(kinds()).toEqual(['progress', 'progress', 'done']);
    const other = await hold(10, 'req_2');
    expect(await engine.secureProgress(other, [3], 'journal-fsync')).toBe(true);
    engine.release(other);
    await engine.settleNow();
    await reclaim();
    expect(await spent()).toBe(5n);
  });

  it('a stream whose end finds no place is charged as far as it was seen', async () => {
    const stream = await hold(10, 'req_stream');
    expect(await engine.secureProgress(stream, [3], 'journal-fsync')).toBe(true);
    const others: Hold[] = [];
    for (let each = 0; each < WAITING_MAX; each += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the first ones fetch the slice that the others share
      others.push(await hold(1, `req_${each}`));
    }
    const charges = others.map((held) => engine.secureCharge(held, [1], 'journal-fsync'));
    expect(await engine.secureCharge(stream, [5], 'journal-fsync')).toBeUndefined();
    await Promise.all(charges);
    await engine.settleNow();
    expect([engine.openHolds, await spent()]).toEqual([0, BigInt(WAITING_MAX + 3)]);
  }, 60_000);

  it('what is free leaves no record', async () => {
    expect(await engine.secureCharge(await hold(10), [0], 'journal-fsync')).toEqual([0]);
    expect(kinds()).toEqual([]);
    await engine.close();
  });
});

describe('commit-before-serve', () => {
  it('is at the store before it may be served, and no replay charges it again', async () => {
    const held = await hold(10);
    const secured = engine.secureCharge(held, [7], 'commit-before-serve');
    expect(engine.peek(BALANCE)).toMatchObject({ spent: 7 });
    expect(await secured).toEqual([7]);
    expect([await spent(), engine.openHolds, engine.peek(BALANCE)?.spent]).toEqual([7n, 0, 7]);
    expect(kinds()).toEqual([]);
    await reclaim();
    expect(await spent()).toBe(7n);
    expect(await store.audit()).toEqual([]);
  });

  it('many are in one settlement, beside what others charge by journal', async () => {
    let settlements = 0;
    through = (sync) => (batch) => {
      if (batch.leases.length > 0) settlements += 1;
      return sync(batch);
    };
    const holds: Hold[] = [];
    for (let each = 0; each < GROUP_MAX; each += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the first ones fetch the slice that the others share
      holds.push(await hold(1, `req_${each}`));
    }
    const plain = await hold(5, 'req_plain');
    settlements = 0;
    const charges = holds.map((held) => engine.secureCharge(held, [1], 'commit-before-serve'));
    expect(engine.capture(plain, [5])).toEqual([5]);
    expect(await Promise.all(charges)).toEqual(holds.map(() => [1]));
    expect(settlements).toBeLessThanOrEqual(2);
    expect(await spent()).toBe(BigInt(GROUP_MAX + 5));
    await engine.close();
    expect(await spent()).toBe(BigInt(GROUP_MAX + 5));
  });

  const LOST = new Error('the connection broke');
  it.each([
    ['before it was settled', false, 0n],
    ['after it was settled: nobody can tell at first', true, 7n],
  ])(
    'a store that breaks off %s: no answer, and the books say what it has',
    async (_, has, charged) => {
      const held = await hold(10);
      await engine.settleNow();
      let broken = 0;
      through = (sync) => async (batch) => {
        if (batch.leases.length === 0 || broken > 0) return sync(batch);
        broken += 1;
        if (has) await sync(batch);
        throw LOST;
      };
      expect(await engine.secureCharge(held, [7], 'commit-before-serve')).toBeUndefined();
      await engine.settleNow();
      expect([errors, engine.openHolds, await spent()]).toEqual([[LOST], 0, charged]);
      expect(unserved).toEqual(has ? ['req_1'] : []);
      expect(
        await engine.secureCharge(await hold(10, 'req_2'), [1], 'commit-before-serve'),
      ).toEqual([1]);
      expect(await spent()).toBe(charged + 1n);
      await engine.close();
      expect(await store.audit()).toEqual([]);
    },
  );

  it('a store that is away: each call is told so, and all of it is free again', async () => {
    const holds = [await hold(10), await hold(10, 'req_2')];
    let isAway = true;
    through = (sync) => (batch) => (isAway ? Promise.reject(LOST) : sync(batch));
    const told = await Promise.all(
      holds.map((held) => engine.secureCharge(held, [7], 'commit-before-serve')),
    );
    expect(told).toEqual([undefined, undefined]);
    isAway = false;
    await engine.settleNow();
    expect([engine.openHolds, engine.peek(BALANCE)?.spent, await spent()]).toEqual([0, 0, 0n]);
    await engine.close();
    expect(await store.audit()).toEqual([]);
  });

  it.each([
    ['comes to it too late: nobody is charged', false, 0n],
    ['has done it and cannot say so: what it has stays, and somebody is told', true, 7n],
  ])('a store that does not answer, and %s', async (_, has, charged) => {
    const [sent, queued] = [await hold(10), await hold(10, 'req_2')];
    await engine.settleNow();
    const answer = silenceStore(has);
    const first = engine.secureCharge(sent, [7], 'commit-before-serve');
    await sleep(COMMIT_WAIT_MS_MAX / 2);
    const second = engine.secureCharge(queued, [5], 'commit-before-serve');
    expect(await first).toBeUndefined();
    expect(engine.openHolds).toBe(2);
    expect(await second).toBeUndefined();
    expect(engine.openHolds).toBe(1);
    answer();
    await engine.settleNow();
    await engine.settleNow();
    expect([engine.openHolds, await spent()]).toEqual([0, charged]);
    expect(unserved).toEqual(has ? ['req_1'] : []);
    await engine.close();
    expect([await spent(), await store.audit()]).toEqual([charged, []]);
  });

  it('a stream is on disk piece by piece, and at the store before its end', async () => {
    const held = await hold(10);
    expect(await engine.secureProgress(held, [3], 'journal-fsync')).toBe(true);
    expect(kinds()).toEqual(['progress']);
    expect(await engine.secureCharge(held, [5], 'commit-before-serve')).toEqual([5]);
    expect([kinds(), await spent()]).toEqual([['progress', 'progress', 'done'], 5n]);
    await reclaim();
    expect(await spent()).toBe(5n);
  });

  it('with a slot that lasts, the whole cost is at the store with the head, and the slot goes back at the end', async () => {
    const held = await hold(10, 'req_1', 1);
    expect(await engine.secureProgress(held, [7, 0], 'commit-before-serve')).toBe(true);
    expect([await spent(), engine.openHolds]).toEqual([7n, 1]);
    expect(await engine.secureCharge(held, [7, 0], 'commit-before-serve')).toEqual([7, 0]);
    expect([engine.openHolds, kinds()]).toEqual([0, []]);
    await engine.close();
    expect([await spent(), await store.audit()]).toEqual([7n, []]);
  });

  it('whose answer ends before its head was committed is charged once', async () => {
    const held = await hold(10, 'req_1', 1);
    const head = engine.secureProgress(held, [7, 0], 'commit-before-serve');
    const end = engine.secureCharge(held, [7, 0], 'commit-before-serve');
    expect([await head, await end]).toEqual([true, [7, 0]]);
    expect([engine.openHolds, await spent(), engine.peek(BALANCE)?.spent]).toEqual([0, 7n, 7]);
    await engine.settleNow();
    await engine.close();
    expect([await spent(), await store.audit()]).toEqual([7n, []]);
  });

  it('whose answer ends before its head could not be committed costs nothing', async () => {
    const held = await hold(10, 'req_1', 1);
    await engine.settleNow();
    let isAway = true;
    through = (sync) => (batch) => (isAway ? Promise.reject(LOST) : sync(batch));
    const head = engine.secureProgress(held, [7, 0], 'commit-before-serve');
    const end = engine.secureCharge(held, [7, 0], 'commit-before-serve');
    expect([await head, await end]).toEqual([false, undefined]);
    isAway = false;
    await engine.settleNow();
    await engine.settleNow();
    expect([engine.openHolds, await spent(), engine.peek(BALANCE)?.spent]).toEqual([0, 0n, 0]);
    await engine.close();
    expect(await store.audit()).toEqual([]);
  });

  it('a store that was silent for long serves who came last, and refuses who has waited for too long', async () => {
    const holds = [await hold(1), await hold(1, 'req_2'), await hold(1, 'req_3')] as const;
    await engine.settleNow();
    const answer = silenceStore();
    const charge = (held: Hold) => engine.secureCharge(held, [1], 'commit-before-serve');
    const sent = charge(holds[0]);
    await sleep(50);
    const stale = charge(holds[1]);
    await sleep(3200);
    const fresh = charge(holds[2]);
    answer();
    expect([await sent, await stale, await fresh]).toEqual([undefined, undefined, [1]]);
    expect([engine.openHolds, await spent()]).toEqual([0, 1n]);
    await engine.close();
    expect(await store.audit()).toEqual([]);
  });

  it('released before it is on its way: it is not sent', async () => {
    const [held, other] = [await hold(10), await hold(10, 'req_2')];
    await engine.settleNow();
    const goOn = silenceStore();
    const earlier = engine.settleNow();
    const secured = [held, other].map((each) =>
      engine.secureProgress(each, [7], 'commit-before-serve'),
    );
    await sleep(50);
    engine.release(held);
    goOn();
    await Promise.all([earlier, ...secured]);
    expect([await spent(), engine.openHolds, unserved]).toEqual([7n, 1, []]);
    engine.release(other);
    await engine.settleNow();
    expect([await spent(), unserved]).toEqual([7n, []]);
    await engine.close();
    expect(await store.audit()).toEqual([]);
  });

  it('released while it is on its way: what the store has stays, and somebody is told', async () => {
    const held = await hold(10);
    const secured = engine.secureProgress(held, [7], 'commit-before-serve');
    through = (sync) => async (batch) => {
      const result = await sync(batch);
      if (batch.leases.length > 0) engine.release(held);
      return result;
    };
    await secured;
    expect([await spent(), engine.openHolds, unserved]).toEqual([7n, 0, ['req_1']]);
    through = (sync) => sync;
    await engine.close();
  });
});

describe('both', () => {
  it.each<Secured>(['journal-fsync', 'commit-before-serve'])(
    '%s: above the hold it takes what is there, and an ended hold is refused',
    async (durability) => {
      const held = await hold(10);
      expect(await engine.secureCharge(held, [12], durability)).toEqual([12]);
      expect(await engine.secureProgress(held, [13], durability)).toBe(false);
      await engine.close();
      expect(await spent()).toBe(12n);
    },
  );
});
