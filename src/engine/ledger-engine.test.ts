import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Overrun, Store } from '../stores/store.ts';
import type { ReserveOutcome } from './engine.ts';
import { LedgerEngine } from './ledger-engine.ts';

const TENANT = 'ten_1';
const BALANCE = balanceAccount(TENANT, 'USD');
const clock = createClock();

let directory: string;
let store: Store;
let engines: LedgerEngine[];
let overruns: Overrun[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-engine-'));
  store = await openSqliteStore({ directory });
  engines = [];
  overruns = [];
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await store.close();
  rmSync(directory, { recursive: true });
});

async function openEngine(): Promise<LedgerEngine> {
  const engine = await LedgerEngine.open({
    owner: `own_${engines.length}`,
    journalDirectory: directory,
    store,
    clock,
    events: {
      onFenced: () => undefined,
      onChanges: () => undefined,
      onError: (error) => {
        throw error;
      },
      onOverrun: (overrun) => overruns.push(overrun),
    },
  });
  engines.push(engine);
  return engine;
}

async function addCredit(amount: bigint): Promise<void> {
  await store.addGrant(
    {
      tenantId: TENANT,
      asset: 'USD',
      amount,
      category: 'paid',
      priority: 50,
      effectiveAt: 0,
      expiresAt: undefined,
      source: 'test',
      idempotencyKey: `grant-${amount}-${Math.random()}`,
    },
    clock.now(),
  );
}

function quota(allowance: number): AccountSpec {
  return {
    id: `quo:${TENANT}:requests_lifetime:lifetime`,
    tenantId: TENANT,
    kind: 'quota',
    unit: 'requests',
    allowance,
    windowEndsAt: undefined,
    limit: {
      id: 'requests_lifetime',
      unit: 'requests',
      window: 'lifetime',
      scope: 'tenant',
      keyId: undefined,
    },
  };
}

let requests = 0;
function reserve(
  engine: LedgerEngine,
  account: AccountSpec,
  amount: number,
): Promise<ReserveOutcome> {
  requests += 1;
  return engine.reserve(`req_${requests}`, [{ account, amount }], [], new AbortController().signal);
}

describe('LedgerEngine', () => {
  it('BILL-01: a balance that affords N calls serves exactly N of 100 parallel callers, through two processes', async () => {
    await addCredit(1_000n);
    const [one, two] = [await openEngine(), await openEngine()];
    const outcomes = await Promise.all(
      Array.from({ length: 150 }, async (_, i) => {
        const engine = i % 2 === 0 ? one : two;
        const outcome = await reserve(engine, BALANCE, 10);
        if (outcome.kind === 'held') engine.capture(outcome.hold, [10]);
        return outcome;
      }),
    );
    expect(outcomes.filter((outcome) => outcome.kind === 'held')).toHaveLength(100);
    const refused = outcomes.filter((outcome) => outcome.kind === 'short');
    expect(refused).toHaveLength(50);
    expect(new Set(refused.map((outcome) => outcome.cause))).toEqual(new Set(['gone']));
    expect(refused.every((outcome) => outcome.numbers?.spent === 1000)).toBe(true);
    await Promise.all([one.settleNow(), two.settleNow()]);
    expect(await store.audit()).toEqual([]);
  });

  it('QUOTA-04: exactly 10,000 of 10,500 parallel requests fit a quota of 10,000', async () => {
    const [one, two] = [await openEngine(), await openEngine()];
    let served = 0;
    let refused = 0;
    let started = 0;
    const caller = async (): Promise<void> => {
      while (started < 10_500) {
        started += 1;
        const engine = started % 2 === 0 ? one : two;
        const outcome = await reserve(engine, quota(10_000), 1);
        if (outcome.kind === 'held') {
          await new Promise((resolve) => setImmediate(resolve));
          engine.capture(outcome.hold, [1]);
          served += 1;
        } else refused += 1;
      }
    };
    await Promise.all(Array.from({ length: 500 }, caller));
    expect([served, refused]).toEqual([10_000, 500]);
    await Promise.all([one.settleNow(), two.settleNow()]);
    const [account] = await store.accounts(TENANT, clock.now(), 1000);
    expect([account?.allowance, account?.spent]).toEqual([10_000n, 10_000n]);
    expect(await store.audit()).toEqual([]);
  });

  it('gives no false refusal while money is only held: the second caller waits for the first to settle below its hold', async () => {
    await addCredit(100n);
    const engine = await openEngine();
    const first = await reserve(engine, BALANCE, 80);
    const second = reserve(engine, BALANCE, 80);
    if (first.kind !== 'held') throw new Error('not held');
    setTimeout(() => engine.capture(first.hold, [10]), 50);
    expect((await second).kind).toBe('held');
  });

  it('says transient when open holds have what is missing for the whole second', async () => {
    await addCredit(100n);
    const engine = await openEngine();
    await reserve(engine, BALANCE, 80);
    expect(await reserve(engine, BALANCE, 80)).toMatchObject({
      kind: 'short',
      cause: 'held',
      held: 80,
    });
    expect(await reserve(engine, BALANCE, 101)).toMatchObject({
      kind: 'short',
      cause: 'gone',
      held: 80,
    });
  });

  it('says transient too when it is another process that holds, whenever that was asked last', async () => {
    await addCredit(100n);
    const [holder, asker] = [await openEngine(), await openEngine()];
    await reserve(holder, BALANCE, 80);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        // Deadlines at different moments of the rounds in which the holder is asked.
        await new Promise((resolve) => setTimeout(resolve, index * 15));
        return reserve(asker, BALANCE, 80);
      }),
    );
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ kind: 'short', cause: 'held', held: 80 });
    }
  });

  it('sees added credit at the next call, though it has just said gone', async () => {
    await addCredit(5n);
    const engine = await openEngine();
    expect((await reserve(engine, BALANCE, 10)).kind).toBe('short');
    await addCredit(5n);
    await store.allSeen(1000);
    expect((await reserve(engine, BALANCE, 10)).kind).toBe('held');
  });

  it('a stream extends its hold slowly up to the last unit, fetching slice after slice, and not beyond', async () => {
    await addCredit(100_000n);
    const [engine, other] = [await openEngine(), await openEngine()];
    // The other process holds a slice that it does not need.
    const elsewhere = await reserve(other, BALANCE, 5000);
    if (elsewhere.kind !== 'held') throw new Error('not held');
    other.release(elsewhere.hold);
    const { hold } = (await reserve(engine, BALANCE, 1000)) as Extract<
      ReserveOutcome,
      { kind: 'held' }
    >;
    const { signal } = new AbortController();
    for (let held = 1000; held < 100_000; held += 1000) {
      const isGrown = engine.extend(hold, [1000]);
      expect(isGrown || (await engine.extendSlowly(hold, [1000], signal)) === 'grown').toBe(true);
    }
    expect(await engine.extendSlowly(hold, [1], signal)).toBe('gone');
    expect(engine.finish(hold, [100_000])).toEqual([100_000]);
    expect(await engine.extendSlowly(hold, [1], signal)).toBe('gone');
  });

  it('posts cost above the hold to the house, never to the customer', async () => {
    await addCredit(100n);
    const engine = await openEngine();
    const outcome = await reserve(engine, BALANCE, 100);
    if (outcome.kind !== 'held') throw new Error('not held');
    expect(engine.capture(outcome.hold, [130])).toEqual([100]);
    expect(overruns).toMatchObject([{ tenantId: TENANT, unit: 'USD', amount: 30 }]);
    await engine.settleNow();
    expect(await store.audit()).toEqual([]);
    const [account] = await store.accounts(TENANT, clock.now(), 1000);
    expect(account?.spent).toBe(100n);
  });

  it('I4: a hold resolves once', async () => {
    await addCredit(100n);
    const engine = await openEngine();
    const outcome = await reserve(engine, BALANCE, 10);
    if (outcome.kind !== 'held') throw new Error('not held');
    engine.capture(outcome.hold, [10]);
    expect(() => engine.capture(outcome.hold, [10])).toThrow('cannot capture');
  });

  it('all or none: a request short of one account changes no other', async () => {
    await addCredit(5n);
    const engine = await openEngine();
    const both = [
      { account: quota(10), amount: 1 },
      { account: BALANCE, amount: 10 },
    ];
    const outcome = await engine.reserve('req_both', both, [], new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'short', index: 1, cause: 'gone' });
    expect(engine.peek(quota(10))).toMatchObject({ spent: 0 });
    expect(engine.openHolds).toBe(0);
  });

  it('hands slices back when it closes (I10)', async () => {
    await addCredit(1_000n);
    const engine = await openEngine();
    const outcome = await reserve(engine, BALANCE, 10);
    if (outcome.kind !== 'held') throw new Error('not held');
    engine.capture(outcome.hold, [7]);
    await engine.close();
    engines = [];
    const [account] = await store.accounts(TENANT, clock.now(), 0);
    expect(account).toMatchObject({ spent: 7n, reserved: 0n });
    expect(await store.audit()).toEqual([]);
  });
});
