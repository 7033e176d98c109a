import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { buildHolder, buildLimit, buildPlan } from '../../../test/support/build-catalog.ts';
import { buildExchange } from '../../../test/support/memory-exchange.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { accountsFor, ANY_CALL } from '../../domain/accounts.ts';
import type { Plan } from '../../domain/catalog.ts';
import { NO_TAKE } from '../../domain/take.ts';
import { LedgerEngine } from '../../engine/ledger-engine.ts';
import { readJournal } from '../../engine/journal.ts';
import { createClock } from '../../platform/clock.ts';
import { openSqliteStore } from '../../stores/sqlite/sqlite-store.ts';
import { addGrant } from '../../stores/store-fixture.conformance.ts';
import type { Store } from '../../stores/store.ts';
import { CallerAccounts } from './caller-accounts.ts';
import { amountsOf, captureWhole, finishStream, noteProgress } from './charging.ts';
import type { Exchange } from './exchange.ts';
import { growHold, growHoldSlowly, isCovered, noteShort } from './hold-growth.ts';
import { ALL, shareNeeds } from './overage-share.ts';

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

describe('PLAN-11: beyond an allowance of 10 tokens each is billed 1.5 nano', () => {
  const LIMIT = buildLimit(10, {
    id: 'tokens_per_day',
    unit: 'tokens',
    overage: { kind: 'bill', unitPico: 1500n },
  });
  const signal = new AbortController().signal;
  let exchange: Exchange;

  /** Tokens within the allowance, nano and tokens beyond it, set aside. */
  const heldOf = () => [...(exchange.hold?.amounts ?? [])];

  /** An exchange that a call of at most so many tokens, for 90 nano, was admitted to. */
  async function admit(tokens: number, covered: number): Promise<void> {
    const plan = buildPlan('pro', { limits: [LIMIT] });
    const accounts = new CallerAccounts(plan, buildHolder(), 'USD');
    const shape = accounts.shapeAt(ANY_CALL, clock.now());
    const take = takeOf(tokens, 90);
    const id = shape.views[0]?.spec.id ?? '';
    const shared = shareNeeds(accounts, shape, { take, least: take }, new Map([[id, covered]]));
    const outcome = await engine.reserve('req_1', shared.needs, [], signal);
    if (outcome.kind !== 'held') throw new Error(`not held: ${outcome.kind}`);
    exchange = buildExchange();
    exchange.needs = shared.needs;
    exchange.shares = shared.shares;
    exchange.hold = outcome.hold;
  }

  /** Tokens within the allowance, tokens beyond it and nano the store has booked as spent. */
  async function spentBeyond(): Promise<readonly (bigint | undefined)[]> {
    await engine.settleNow();
    const accounts = await store.accounts('ten_1', clock.now(), 0);
    const spentOf = (over: boolean, unit: string) =>
      accounts.find(({ spec }) => spec.unit === unit && spec.id.endsWith(':over') === over)?.spent;
    return [spentOf(false, 'tokens'), spentOf(true, 'tokens') ?? 0n, spentOf(false, 'USD')];
  }

  it('what a call can begin with is split alike; an allowance that reaches is not split', () => {
    const overage = { kind: 'bill', unitPico: 1000n } as const;
    const limits = [LIMIT, buildLimit(100, { overage })];
    const asked = { take: takeOf(20, 90), least: takeOf(12, 60) };
    const shareUnder = (usage: Plan['usage'], nano: number, covered: number) => {
      const accounts = new CallerAccounts(buildPlan('p', { limits, usage }), buildHolder(), 'USD');
      const shape = accounts.shapeAt(ANY_CALL, clock.now());
      const splits = new Map([[shape.views[0]?.spec.id ?? '', covered]]);
      const take = { ...asked.take, nano };
      const { needs, shares } = shareNeeds(accounts, shape, { ...asked, take }, splits);
      const parts = needs.map(({ account, amount, least }) => [account.unit, amount, least]);
      return { parts, shares: shares.map(({ within, beyond }) => [within, beyond]) };
    };
    expect(shareUnder('prepaid', 90, 10)).toEqual({
      parts: [
        ['tokens', 10, undefined],
        ['requests', 1, undefined],
        ['USD', 105, 63],
        ['tokens', 10, 2],
      ],
      shares: [[0, 3]],
    });
    // A plan whose price covers the calls does not cover what is beyond it.
    expect(shareUnder('included', 0, 10).parts.at(-1)).toEqual(['USD', 15, undefined]);
    expect(shareUnder('included', 0, ALL).parts).toEqual([
      ['tokens', 20, 12],
      ['requests', 1, undefined],
      ['tokens', 0, 0],
      ['USD', 0, undefined],
    ]);
  });

  it.each([
    [20, 90 + 15, [10, 10]],
    [13, 90 + 5, [10, 3]],
    [10, 90, [10, 0]],
    [7, 90, [7, 0]],
  ])('%i of 20 tokens cost %i, rounded up once, and are %j', async (tokens, nano, parts) => {
    await admit(20, 10);
    expect(heldOf()).toEqual([10, 105, 10]);
    expect(captureWhole({ engine }, exchange, takeOf(tokens, 90))).toBe(true);
    expect([exchange.costNano, exchange.overrunNano]).toEqual([nano, 0]);
    expect(await spentBeyond()).toEqual([...parts, nano].map(BigInt));
  });

  it('a stream that outgrows it takes what is left of it first, and the rest beyond', async () => {
    await admit(4, ALL);
    expect(heldOf()).toEqual([4, 90, 0]);
    const growth = { take: takeOf(13, 90), ahead: takeOf(15, 90) };
    expect(isCovered(exchange, takeOf(4, 90))).toBe(true);
    expect(isCovered(exchange, growth.take)).toBe(false);
    expect(growHold({ engine }, exchange, growth)).toBe(false);
    expect(await growHoldSlowly({ engine }, exchange, growth, signal)).toBe('grown');
    expect(isCovered(exchange, growth.take)).toBe(true);
    expect(heldOf()[0]).toBe(10);
    expect(heldOf()[2]).toBeGreaterThanOrEqual(3);
    expect(noteProgress({ engine }, exchange, growth.take)).toBe(true);
    expect(finishStream({ engine }, exchange, growth.take)).toBe(true);
    expect(exchange.costNano).toBe(95);
    expect(await spentBeyond()).toEqual([10n, 3n, 95n]);
  });

  it('a stream that neither the allowance nor the balance reaches for is told which, with its numbers', async () => {
    await admit(4, ALL);
    const growth = { take: takeOf(1000, 90), ahead: takeOf(1001, 90) };
    expect(await growHoldSlowly({ engine }, exchange, growth, signal)).toBe('gone');
    expect(isCovered(exchange, takeOf(4, 90))).toBe(true);
    // Of 996 tokens beyond what it holds of the allowance, in nano, with its own price.
    noteShort({ engine }, exchange, growth.take, 'gone');
    expect(exchange.reservation).toMatchObject({ kind: 'short', index: 1, cause: 'gone' });
    expect(exchange.shortNeed).toBe(90 + 996 * 1.5);
    expect(exchange.shortNumbers).toMatchObject({ allowance: 1000, spent: 0 });
    noteShort({ engine }, exchange, growth.take, 'unavailable');
    expect(exchange.shortNumbers).toBeUndefined();
    expect(finishStream({ engine }, exchange, takeOf(4, 90))).toBe(true);
    expect(await spentBeyond()).toEqual([4n, 0n, 90n]);
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
