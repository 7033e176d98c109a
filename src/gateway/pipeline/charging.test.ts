import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { buildHolder, buildLimit, buildPlan } from '../../../test/support/build-catalog.ts';
import { buildExchange } from '../../../test/support/memory-exchange.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { accountsFor, ANY_CALL } from '../../domain/accounts.ts';
import { NO_TAKE } from '../../domain/take.ts';
import { LedgerEngine } from '../../engine/ledger-engine.ts';
import { readJournal } from '../../engine/journal.ts';
import { createClock } from '../../platform/clock.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import { addGrant } from '../../stores/store-fixture.conformance.ts';
import type { Store } from '../../stores/store.ts';
import { amountsOf, captureWhole, finishStream, noteProgress } from './charging.ts';
import type { Exchange } from './exchange.ts';

const clock = createClock();
const PLAN = buildPlan('free', {
  limits: [buildLimit(100), buildLimit(100, { id: 'tokens_per_day', unit: 'tokens' })],
});
/** Its accounts are requests, tokens and balance. */
const accountsNow = () =>
  accountsFor(PLAN, buildHolder(), ANY_CALL, { asset: 'USD', at: clock.now() });
const takeOf = (outputTokens: number, nano: number) => ({ ...NO_TAKE, outputTokens, nano });

let directory: string;
let store: Store;
let engine: LedgerEngine;

beforeEach(async () => {
  directory = temporaryDirectory('charging');
  store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  await addGrant(store, { tenantId: 'ten_1', amount: 1000n }, clock.now());
  const ignore = () => undefined;
  engine = await LedgerEngine.open({
    owner: 'own_1',
    journalDirectory: directory,
    store,
    clock,
    events: { onFenced: ignore, onChanges: ignore, onError: ignore, onOverrun: ignore },
  });
  onTestFinished(() => engine.close());
});

/** An exchange whose call has 1 request, 20 tokens and 300 nano set aside. */
async function admitted(balance = 300): Promise<Exchange> {
  const amounts = [1, 20, balance];
  const needs = accountsNow().map((account, i) => ({
    account,
    amount: amounts[i] ?? 0,
  }));
  const outcome = await engine.reserve(
    'req_0192f7c0a1b27c3d8e4f5a6b7c8d9e0f',
    needs,
    [],
    new AbortController().signal,
  );
  if (outcome.kind !== 'held') throw new Error(`not held: ${outcome.kind}`);
  const exchange = buildExchange();
  exchange.needs = needs;
  exchange.hold = outcome.hold;
  return exchange;
}

/** Requests, tokens and nano the store has booked as spent. */
async function spent(): Promise<readonly (bigint | undefined)[]> {
  await engine.settleNow();
  const accounts = await store.accounts('ten_1', clock.now(), 0);
  return ['requests', 'tokens', 'USD'].map(
    (unit) => accounts.find(({ spec }) => spec.unit === unit)?.spent,
  );
}

describe('charging', () => {
  it('an amount for each account in its unit', async () => {
    const exchange = await admitted();
    const { hold } = exchange;
    expect(amountsOf(exchange, takeOf(7, 90))).toEqual([1, 7, 90]);
    if (hold !== undefined) engine.release(hold);
  });

  it('a whole answer is charged once, at its cost, in every account', async () => {
    const exchange = await admitted();
    expect(captureWhole({ engine }, exchange, takeOf(7, 90))).toBe(true);
    expect([exchange.hold, exchange.costNano, exchange.overrunNano]).toEqual([undefined, 90, 0]);
    expect(captureWhole({ engine }, exchange, takeOf(7, 90))).toBe(true);
    expect(await spent()).toEqual([1n, 7n, 90n]);
  });

  it('a stream: progress is journalled before its bytes, its end is what is charged', async () => {
    const exchange = await admitted();
    expect(noteProgress({ engine }, exchange, takeOf(3, 40))).toBe(true);
    expect(readJournal(directory, 'own_1').groups).toMatchObject([
      { kind: 'progress', charges: [{ amount: 1 }, { amount: 3 }, { amount: 40 }] },
    ]);
    expect(finishStream({ engine }, exchange, takeOf(7, 90))).toBe(true);
    expect(readJournal(directory, 'own_1').groups.map(({ kind }) => kind)).toEqual([
      'progress',
      'done',
    ]);
    expect(await spent()).toEqual([1n, 7n, 90n]);
  });

  it('what is above the hold and cannot be had is the part of the house, in nano of the balance', async () => {
    const exchange = await admitted(1000);
    expect(captureWhole({ engine }, exchange, takeOf(200, 1050))).toBe(true);
    expect([exchange.costNano, exchange.overrunNano]).toEqual([1050, 50]);
    // Of the quota what this process had of it: how much that is beyond the hold is not fixed.
    expect(await spent()).toEqual([
      1n,
      expect.toSatisfy((tokens) => tokens >= 20n && tokens <= 100n),
      1000n,
    ]);
  });

  it('without a hold, as on a free route, there is nothing to charge', async () => {
    const exchange = buildExchange();
    expect(noteProgress({ engine }, exchange, takeOf(3, 4))).toBe(true);
    expect(finishStream({ engine }, exchange, takeOf(3, 4))).toBe(true);
    expect([exchange.costNano, exchange.overrunNano]).toEqual([4, 0]);
    expect(readJournal(directory, 'own_1').groups).toEqual([]);
  });

  it('a call that takes from no balance has no overrun', async () => {
    const [requests] = accountsNow();
    if (requests === undefined) throw new Error('no account');
    const needs = [{ account: requests, amount: 1 }];
    const outcome = await engine.reserve('req_1', needs, [], new AbortController().signal);
    const exchange = buildExchange();
    exchange.needs = needs;
    exchange.hold = outcome.kind === 'held' ? outcome.hold : undefined;
    expect(captureWhole({ engine }, exchange, takeOf(0, 0))).toBe(true);
    expect(exchange.overrunNano).toBe(0);
  });
});

it('C402-20: books that cannot take the charge mean that nothing is served', async () => {
  const exchange = await admitted();
  const broken = {
    engine: Object.assign(Object.create(engine) as LedgerEngine, { capture: () => undefined }),
  };
  const { hold } = exchange;
  expect(captureWhole(broken, exchange, takeOf(7, 90))).toBe(false);
  expect(exchange.overrunNano).toBe(0);
  if (hold !== undefined) engine.release(hold);
});
