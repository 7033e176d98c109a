import { join } from 'node:path';

import { DatabaseSync } from '@photostructure/sqlite';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import type { AccountSpec } from '../domain/accounts.ts';
import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Store } from '../stores/store.ts';
import type { Hold, Need, ReserveOutcome } from './engine.ts';
import { LedgerEngine } from './ledger-engine.ts';

const MINUTE_MS = 60_000;
const system = createClock();
let shiftMs = 0;
const clock = { now: () => system.now() + shiftMs, monotonicMs: () => system.monotonicMs() };
const never = (): AbortSignal => new AbortController().signal;

let directory: string;
let store: Store;
let engine: LedgerEngine;

beforeEach(async () => {
  shiftMs = 0;
  directory = temporaryDirectory('elastic');
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  engine = await LedgerEngine.open({
    owner: 'own_0',
    journalDirectory: directory,
    store,
    clock,
    events: {
      onFenced: () => undefined,
      onChanges: () => undefined,
      onError: (error) => {
        throw error;
      },
      onOverrun: () => undefined,
    },
  });
  onTestFinished(() => engine.close());
});

function bytesOf(allowance: number, windowEndsAt?: number): AccountSpec {
  return {
    id: `quo:ten_1:bytes_out_per_minute:${windowEndsAt}`,
    tenantId: 'ten_1',
    kind: 'quota',
    unit: 'bytes_out',
    allowance,
    windowEndsAt,
    limit: {
      id: 'bytes_out_per_minute',
      unit: 'bytes_out',
      window: 'minute',
      scope: 'tenant',
      keyId: undefined,
    },
  };
}

const reserve = (...needs: readonly Need[]): Promise<ReserveOutcome> =>
  engine.reserve('req_1', needs, [], never());

async function hold(...needs: readonly Need[]): Promise<Hold> {
  const outcome = await reserve(...needs);
  if (outcome.kind !== 'held') throw new Error(`not held: ${JSON.stringify(outcome)}`);
  return outcome.hold;
}

describe('a need of which less is of use too', () => {
  it('takes what it wants where that is there, and else what is left, down to the least', async () => {
    const account = bytesOf(100);
    const first = await hold({ account, amount: 60 });
    const second = await hold({ account, amount: 60, least: 1 });
    // What is here by now is taken at once; the rest can be fetched.
    const taken = second.amounts[0] ?? 0;
    expect(first.amounts).toEqual([60]);
    expect(taken).toBeGreaterThan(0);
    expect(await engine.extendSlowly(second, [40 - taken], never())).toBe('grown');
    engine.capture(first, [60]);
    expect(engine.finish(second, [40])).toEqual([40]);
    expect(await reserve({ account, amount: 60, least: 1 })).toMatchObject({
      kind: 'short',
      cause: 'gone',
      numbers: { allowance: 100, spent: 100 },
    });
  });

  it('waits for no more than the least while others hold the rest', async () => {
    const account = bytesOf(100);
    const first = await hold({ account, amount: 100 });
    const waiting = reserve({ account, amount: 60, least: 10 });
    engine.capture(first, [85]);
    const outcome = await waiting;
    if (outcome.kind !== 'held') throw new Error('not held');
    expect(outcome.hold.amounts).toEqual([15]);
    engine.release(outcome.hold);
  });

  it('an account that nothing is needed of is no reason to wait, and the hold may grow there', async () => {
    const [empty, account] = [{ ...bytesOf(10), id: 'quo:ten_1:empty:lifetime' }, bytesOf(100)];
    const all = await hold({ account: empty, amount: 10 });
    const second = await hold({ account: empty, amount: 0 }, { account, amount: 5 });
    expect(engine.extend(second, [1, 0])).toBe(false);
    engine.release(all);
    expect(engine.extend(second, [4, 7], [1, 7])).toBe(true);
    expect(second.amounts).toEqual([4, 12]);
    expect(engine.capture(second, [4, 12])).toEqual([4, 12]);
  });

  it('C402-19: a store that is silent is told apart from one that has no more', async () => {
    const held = await hold({ account: bytesOf(1000), amount: 4 });
    await engine.settleNow();
    const rival = new DatabaseSync(join(directory, 'ledger.db'), { timeout: 5000 });
    rival.exec('BEGIN IMMEDIATE');
    const outcome = await engine.extendSlowly(held, [996], never());
    rival.exec('ROLLBACK');
    rival.close();
    expect(outcome).toBe('unavailable');
    expect(await engine.extendSlowly(held, [997], never())).toBe('gone');
    expect(await engine.extendSlowly(held, [996], never())).toBe('grown');
    engine.release(held);
  });

  it('grows by as much as there is, when the least is there everywhere', async () => {
    const account = bytesOf(10);
    const held = await hold({ account, amount: 4 });
    await engine.settleNow();
    expect(await engine.extendSlowly(held, [3], never())).toBe('grown');
    const spare = engine.spare(account);
    expect(engine.extend(held, [100], [spare + 1])).toBe(false);
    expect(engine.extend(held, [100], [spare])).toBe(true);
    expect(held.amounts).toEqual([7 + spare]);
    engine.release(held);
  });
});

describe('windows (QUOTA-02)', () => {
  it('QUOTA-04: a hold that is asked for in a window that has ended is told to ask for the next one', async () => {
    const endsAt = clock.now() + MINUTE_MS;
    const need = { account: bytesOf(10, endsAt), amount: 1 };
    engine.release(await hold(need));
    shiftMs = 2 * MINUTE_MS;
    expect(engine.tryReserve('req_1', [need], [])).toBeUndefined();
    expect(await reserve(need)).toEqual({ kind: 'stale' });
  });

  it('a stream that has begun in a window goes on in it after its end, up to its allowance', async () => {
    const endsAt = clock.now() + MINUTE_MS;
    const account = bytesOf(1000, endsAt);
    const held = await hold({ account, amount: 1 });
    shiftMs = 2 * MINUTE_MS;
    for (let bytes = 100; bytes <= 900; bytes += 100) {
      const more = [bytes - (held.amounts[0] ?? 0)];
      const isGrown = engine.extend(held, more);
      expect(isGrown || (await engine.extendSlowly(held, more, never())) === 'grown').toBe(true);
      expect(engine.progress(held, [bytes])).toBe(true);
      // What is left of the window goes back meanwhile.
      await engine.settleNow();
    }
    expect(await engine.extendSlowly(held, [101], never())).toBe('gone');
    expect(engine.finish(held, [900])).toEqual([900]);
    await engine.settleNow();
    shiftMs = 0;
    const [booked] = await store.accounts('ten_1', clock.now(), 0);
    expect([booked?.spent, booked?.reserved]).toEqual([900n, 0n]);
    expect(await store.audit()).toEqual([]);
  });
});
