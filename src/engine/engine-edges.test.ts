import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { buildTenant } from '../../test/support/build-key.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import { createClock } from '../platform/clock.ts';
import { openSqliteStore } from '../stores/sqlite/sqlite-store.ts';
import { addGrant } from '../stores/store-fixture.conformance.ts';
import type { Change, Store } from '../stores/store.ts';
import type { Hold, Need, RateNeed } from './engine.ts';
import { readJournal } from './journal.ts';
import { LedgerEngine } from './ledger-engine.ts';

const DAY_MS = 86_400_000;
/** A journal record has at most 64 KiB: more charges than fit make the write fail. */
const CHARGES_MAX = 6000;
const BALANCE = balanceAccount('ten_1', 'USD');
const clock = createClock();
const never = (): AbortSignal => new AbortController().signal;

let directory: string;
let store: Store;
let engine: LedgerEngine;
let errors: unknown[];
let changes: Change[];

beforeEach(async () => {
  directory = temporaryDirectory('edges');
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  errors = [];
  changes = [];
  engine = await LedgerEngine.open({
    owner: 'own_1',
    journalDirectory: directory,
    store,
    clock,
    events: {
      onFenced: () => undefined,
      onChanges: (heard) => changes.push(...heard),
      onError: (error) => errors.push(error),
      onOverrun: () => undefined,
    },
  });
  onTestFinished(() => engine.close());
});

function quotaOf(number: number): AccountSpec {
  const id = `calls_${number}`;
  return {
    id: `quo:ten_1:${id}:lifetime`,
    tenantId: 'ten_1',
    kind: 'quota',
    unit: 'requests',
    allowance: 10,
    windowEndsAt: undefined,
    limit: { id, unit: 'requests', window: 'lifetime', scope: 'tenant', keyId: undefined },
  };
}

function hold(accounts: readonly AccountSpec[], rates: readonly RateNeed[] = []): Promise<Hold> {
  return reserve(
    accounts.map((account) => ({ account, amount: 1 })),
    rates,
  );
}

async function reserve(needs: readonly Need[], rates: readonly RateNeed[] = []): Promise<Hold> {
  const outcome = await engine.reserve('req_1', needs, rates, never());
  if (outcome.kind !== 'held') throw new Error(`not held: ${outcome.kind}`);
  return outcome.hold;
}

const rateOf = (burst: number): RateNeed => ({
  bucketId: 'rate:ten_1:x',
  count: 1,
  periodMs: DAY_MS,
  burst,
});

describe('a journal that cannot be written (DESIGN 5)', () => {
  const wide = { ...quotaOf(0), allowance: 2 * CHARGES_MAX };
  const tooMany = Array.from({ length: CHARGES_MAX }, () => ({ account: wide, amount: 1 }));

  it('charges nothing, sets everything free, and turns the next calls away before they are sent on', async () => {
    // So much is here then that all of them fit at once.
    const first = await reserve([{ account: wide, amount: CHARGES_MAX }]);
    engine.release(first);
    const held = await reserve(tooMany);
    const amounts = tooMany.map(() => 1);
    expect(engine.capture(held, amounts)).toBeUndefined();
    expect([errors.length, engine.openHolds]).toEqual([1, 0]);
    expect(engine.peek(wide)).toMatchObject({ spent: 0 });
    expect(() => engine.release(held)).toThrow('cannot release it again');

    const need = [{ account: wide, amount: 1 }];
    expect(engine.tryReserve('req_2', need, [])).toBeUndefined();
    expect(await engine.reserve('req_2', need, [], never())).toMatchObject({
      kind: 'short',
      cause: 'unavailable',
    });
    expect([errors.length, engine.openHolds]).toEqual([1, 0]);
    expect(readJournal(directory, 'own_1').groups).toEqual([]);
    await engine.settleNow();
    expect(await store.audit()).toEqual([]);
  });
});

it('an account that the store knows as another fails the calls that need it, and none that asked beside them', async () => {
  await store.openOwner('own_before', clock.now());
  const known = { index: 1, account: quotaOf(3), grantedBefore: 0, need: 1, want: 1, ask: false };
  await store.acquire('own_before', [known], clock.now());
  const accounts = [0, 1, 2, 3, 4, 5].map((number) =>
    number === 3 ? { ...quotaOf(number), unit: 'bytes' } : quotaOf(number),
  );
  const outcomes = await Promise.all(
    accounts.map((account, number) =>
      engine.reserve(`req_${number}`, [{ account, amount: 1 }], [], never()),
    ),
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    ...['held', 'held', 'held'],
    ...['short', 'held', 'held'],
  ]);
  expect(outcomes[3]).toMatchObject({ cause: 'unavailable' });
  expect(errors.map(String)).toEqual([expect.stringContaining('is already another account')]);
  for (const outcome of outcomes) if (outcome.kind === 'held') engine.release(outcome.hold);
});

it('a call that needs all that can be counted is short of it, as one that needs a little more than there is', async () => {
  const needs = [{ account: quotaOf(0), amount: Number.MAX_SAFE_INTEGER }];
  const both = await Promise.all(
    ['req_1', 'req_2'].map((id) => engine.reserve(id, needs, [], never())),
  );
  expect(both).toEqual([1, 2].map(() => expect.objectContaining({ kind: 'short', cause: 'gone' })));
  expect(errors).toEqual([]);
});

describe('a journal that fails in the middle of a stream', () => {
  it('what could not be written stands in the way of nothing else: the stream ends as ever', async () => {
    const wide = { ...quotaOf(0), allowance: 2 * CHARGES_MAX };
    engine.release(await reserve([{ account: wide, amount: CHARGES_MAX }]));
    const stream = await hold([wide]);
    expect(engine.progress(stream, [1])).toBe(true);
    const needs = Array.from({ length: CHARGES_MAX }, () => ({ account: wide, amount: 1 }));
    const tooMany = await reserve(needs);
    const amounts = needs.map(({ amount }) => amount);
    expect(engine.capture(tooMany, amounts)).toBeUndefined();
    expect(engine.finish(stream, [1])).toEqual([1]);
    expect(engine.openHolds).toBe(0);
    expect(readJournal(directory, 'own_1').groups.map(({ kind }) => kind)).toEqual([
      'progress',
      'done',
    ]);
  });
});

describe('streams', () => {
  it('equal progress is written once, never above the hold, and a release ends it for replay', async () => {
    const held = await hold([quotaOf(0)]);
    expect([
      engine.progress(held, [1]),
      engine.progress(held, [1]),
      engine.progress(held, [9]),
    ]).toEqual([true, true, true]);
    engine.release(held);
    expect(readJournal(directory, 'own_1').groups).toMatchObject([
      { kind: 'progress', charges: [{ amount: 1 }] },
      { kind: 'done', charges: [] },
    ]);
    await engine.settleNow();
    expect(engine.peek(quotaOf(0))).toMatchObject({ spent: 0 });
  });

  it('progress of a resolved hold is not written: a replay would charge it again', async () => {
    const held = await hold([quotaOf(0)]);
    engine.capture(held, [1]);
    expect([engine.progress(held, [1]), engine.extend(held, [1])]).toEqual([false, false]);
    expect(readJournal(directory, 'own_1').groups.map(({ kind }) => kind)).toEqual(['charge']);
  });

  it('a hold grows by what is free here, all or none', async () => {
    const held = await hold([quotaOf(0), quotaOf(1)]);
    const spare = engine.spare(quotaOf(0));
    expect(engine.extend(held, [spare, engine.spare(quotaOf(1)) + 1])).toBe(false);
    expect(engine.spare(quotaOf(0))).toBe(spare);
    expect(engine.extend(held, [spare, 0])).toBe(true);
    expect(engine.spare(quotaOf(0))).toBe(0);
    expect(engine.capture(held, [spare + 1, 1])).toEqual([spare + 1, 1]);
  });

  it('of an account never seen nothing is known', () => {
    expect([engine.spare(quotaOf(7)), engine.peek(quotaOf(7))]).toEqual([0, undefined]);
  });

  it('a hold of somebody else is a bug, told as one', () => {
    expect(() => engine.release({ requestId: 'req_1', needs: [], amounts: [] })).toThrow(TypeError);
  });
});

describe('protective limits (QUOTA-07)', () => {
  it('a request takes one token of each, and is limited by the one that has none', async () => {
    engine.release(await hold([quotaOf(0)], [rateOf(1)]));
    const needs = [{ account: quotaOf(0), amount: 1 }];
    const outcome = await engine.reserve('req_2', needs, [rateOf(1)], never());
    expect(outcome).toMatchObject({ kind: 'limited', index: 0 });
    expect(engine.openHolds).toBe(0);
  });

  it('tokens without a hold: taken, or milliseconds until there is one', async () => {
    const rate = rateOf(2);
    expect([await engine.takeToken(rate), await engine.takeToken(rate)]).toEqual([0, 0]);
    const waitMs = await engine.takeToken(rate);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(DAY_MS);
  });

  it('a store that does not answer is our trouble, not too fast a caller', async () => {
    const closed = await openSqliteStore({ directory });
    const other = await LedgerEngine.open({
      owner: 'own_2',
      journalDirectory: directory,
      store: closed,
      clock,
      events: {
        onFenced: () => undefined,
        onChanges: () => undefined,
        onError: (error) => errors.push(error),
        onOverrun: () => undefined,
      },
    });
    await other.settleNow();
    await closed.close();
    const outcome = await other.reserve('req_1', [], [rateOf(1)], never());
    expect(outcome).toEqual({
      kind: 'short',
      index: -1,
      cause: 'unavailable',
      numbers: undefined,
      held: 0,
    });
    expect(errors.length).toBeGreaterThan(0);
    await expect(other.close()).rejects.toMatchObject({ name: 'StoreError' });
  });
});

it('news of a tenant hands its slices back: the next call sees what changed', async () => {
  await store.createTenant(buildTenant());
  await addGrant(store, { tenantId: 'ten_1', amount: 100n }, clock.now());
  engine.release(await hold([BALANCE]));
  expect(engine.spare(BALANCE)).toBeGreaterThan(0);
  await store.changeTenant('ten_1', { planId: 'pro' });
  await waitFor(() => changes.some(({ kind }) => kind === 'tenant'), {
    timeoutMs: 5000,
    what: 'the news',
  });
  await engine.settleNow();
  expect(engine.spare(BALANCE)).toBe(0);
  engine.release(await hold([BALANCE]));
});
