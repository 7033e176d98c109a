import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import type { AccountSpec } from '../domain/accounts.ts';
import { createClock } from '../platform/clock.ts';
import { takeProcessLock } from '../platform/process-lock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import type { Store } from '../stores/store.ts';
import type { Hold, ReserveOutcome } from './engine.ts';
import { readJournal } from './journal.ts';
import { LedgerEngine } from './ledger-engine.ts';
import { ownerLockPath, reclaimOwner } from './reclaim.ts';

const clock = createClock();

let directory: string;
let store: Store;
let engines: LedgerEngine[];

beforeEach(async () => {
  directory = temporaryDirectory('slots');
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  engines = [await openEngine('own_0'), await openEngine('own_1')];
});

async function openEngine(owner: string): Promise<LedgerEngine> {
  const engine = await LedgerEngine.open({
    owner,
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
  return engine;
}

/** So many calls of one key at the same time. */
function slotsOf(allowance: number): AccountSpec {
  return {
    id: 'quo:key_1:concurrent_requests:now',
    tenantId: 'ten_1',
    kind: 'quota',
    unit: 'concurrent_requests',
    allowance,
    windowEndsAt: undefined,
    limit: {
      id: 'concurrent_requests',
      unit: 'concurrent_requests',
      window: 'lifetime',
      scope: 'key',
      keyId: 'key_1',
    },
  };
}

function begin(which: number, allowance: number): Promise<ReserveOutcome> {
  const needs = [{ account: slotsOf(allowance), amount: 1 }];
  const engine = engines[which % engines.length];
  if (engine === undefined) throw new Error('no such engine');
  return engine.reserve('req_1', needs, [], new AbortController().signal);
}

async function hold(which: number, allowance: number): Promise<Hold> {
  const outcome = await begin(which, allowance);
  if (outcome.kind !== 'held') throw new Error(`not held: ${JSON.stringify(outcome)}`);
  return outcome.hold;
}

/** Spent and reserved, as the books have it. */
async function inUse(): Promise<readonly (bigint | undefined)[]> {
  const [account] = await store.accounts('ten_1', clock.now(), 1000);
  return [account?.spent, account?.reserved];
}

describe('concurrency slots (QUOTA-10, QUOTA-11)', () => {
  it.each([1, 2, 5])('of %i slots over two processes each is given once', async (slots) => {
    const holds: Hold[] = [];
    for (let call = 0; call < slots; call += 1) holds.push(await hold(call, slots));
    for (const which of [0, 1]) {
      expect(await begin(which, slots)).toMatchObject({
        kind: 'short',
        cause: 'held',
        held: slots,
      });
    }
    holds.forEach((each, call) => engines[call % 2]?.capture(each, [0]));
  });

  it('is told that all are held though calls go on for ever: it does not wait for their end', async () => {
    const running = await hold(0, 1);
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, call) => begin(call, 1)));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'short', cause: 'held' });
    engines[0]?.release(running);
  });

  it('QUOTA-10: as soon as a call has ended the next one succeeds, wherever either runs', async () => {
    for (let round = 0; round < 24; round += 1) {
      const [here, there] = round % 4 < 2 ? [0, 1] : [1, 0];
      const running = await hold(here, 1);
      expect(await begin(there, 1)).toMatchObject({ kind: 'short', cause: 'held' });
      engines[here]?.release(running);
      // No pause: what the other process said before that call ended is no answer to this one.
      const next = await hold(there, 1);
      engines[there]?.release(next);
    }
  });

  it('charges nothing, writes no journal, and leaves nothing reserved when its process has rested', async () => {
    const holds = await Promise.all([hold(0, 9), hold(1, 9), hold(0, 9)]);
    expect(await inUse()).toEqual([0n, 3n]);
    expect(engines[0]?.capture(holds[0] as Hold, [0])).toEqual([0]);
    expect(engines[1]?.finish(holds[1] as Hold, [0])).toEqual([0]);
    engines[0]?.release(holds[2] as Hold);
    expect(readJournal(directory, 'own_0').groups).toEqual([]);
    await waitFor(async () => (await inUse())[1] === 0n, { timeoutMs: 10_000, what: 'no slot' });
    expect(await inUse()).toEqual([0n, 0n]);
    expect(await store.audit()).toEqual([]);
  });

  it('more callers than slots: never more at once than there are, and all are served in the end', async () => {
    let running = 0;
    let most = 0;
    const call = async (which: number): Promise<number> => {
      for (let tries = 1; ; tries += 1) {
        const outcome = await begin(which, 3);
        if (outcome.kind !== 'held') {
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 3));
        running -= 1;
        engines[which % 2]?.release(outcome.hold);
        return tries;
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, which) => call(which)));
    expect(most).toBe(3);
  });

  it('QUOTA-11: the slots of a dead process come back when its journal has been read', async () => {
    await store.openOwner('own_dead', clock.now());
    const lease = { index: 1, account: slotsOf(2), grantedBefore: 0, need: 2, want: 2, ask: true };
    await store.acquire('own_dead', [lease], clock.now());
    const waiting = begin(0, 2);
    const lock = takeProcessLock(ownerLockPath(directory, 'own_dead'));
    lock?.release();
    expect(await reclaimOwner(store, directory, 'own_dead', clock.now())).toMatchObject({
      settled: 0,
      returned: 2,
    });
    const outcome = await waiting;
    expect(outcome.kind).toBe('held');
    if (outcome.kind === 'held') engines[0]?.release(outcome.hold);
  });
});
