import { describe, expect, it } from 'vitest';

import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import { LeaseAccount } from './lease-account.ts';
import { asLedgerHold, LedgerHold } from './ledger-hold.ts';

const QUOTA: AccountSpec = {
  id: 'quo:ten_1:tokens_per_day:2027-01-15',
  tenantId: 'ten_1',
  kind: 'quota',
  unit: 'tokens',
  allowance: 1000,
  windowEndsAt: 5000,
  limit: undefined,
};
const NOW = 1000;

function leaseOf(spec: AccountSpec, index: number, granted: number): LeaseAccount {
  const account = new LeaseAccount(spec, index, 0);
  account.granted = granted;
  return account;
}

/** A hold of so many tokens and nano, out of slices of 100 tokens and 500 nano. */
function hold(tokens: number, nano: number, least?: number) {
  const accounts = [leaseOf(QUOTA, 1, 100), leaseOf(balanceAccount('ten_1', 'USD'), 2, 500)];
  const needs = accounts.map(({ spec }, i) => ({
    account: spec,
    amount: i === 0 ? tokens : nano,
    ...(least === undefined ? {} : { least }),
  }));
  const made = new LedgerHold('req_1', needs, accounts, 0);
  return { made, lefts: () => accounts.map(({ left }) => left), accounts };
}

describe('what a hold sets aside', () => {
  it.each([
    [10, 90, undefined, [10, 90]],
    [100, 500, undefined, [100, 500]],
    [101, 90, 1, [100, 90]],
    [10, 900, 1, [10, 500]],
  ])('of %i tokens and %i nano, least %j: %j', (tokens, nano, least, held) => {
    const { made, lefts } = hold(tokens, nano, least);
    expect(made.amounts).toEqual(held);
    expect(lefts()).toEqual([100 - (held[0] ?? 0), 500 - (held[1] ?? 0)]);
  });

  it('grows by what is wanted, or what is left, or not at all when the least is not there', () => {
    const { made, lefts } = hold(10, 90);
    expect(made.grow([91, 10], [91, 10], NOW)).toBe(false);
    expect(made.grow([10, 411], [10, 411], NOW)).toBe(false);
    expect([made.amounts, lefts()]).toEqual([
      [10, 90],
      [90, 410],
    ]);
    expect(made.grow([200, 10], [90, 10], NOW)).toBe(true);
    expect([made.amounts, lefts()]).toEqual([
      [100, 100],
      [0, 400],
    ]);
    expect(made.grow([5, 7], [0, 7], NOW)).toBe(true);
    expect([made.amounts, lefts()]).toEqual([
      [100, 107],
      [0, 393],
    ]);
  });

  it('QUOTA-04: after its end a window gives a hold that has begun more, and expired money does not', () => {
    const { made, accounts } = hold(10, 90);
    for (const account of accounts) account.usableUntil = NOW;
    expect(made.grow([0, 1], [0, 1], NOW)).toBe(false);
    expect(made.grow([5, 9], [5, 0], NOW)).toBe(true);
    expect(made.amounts).toEqual([15, 90]);
  });

  it('grows to amounts as far as that is here, and never shrinks', () => {
    const { made } = hold(10, 90);
    made.growTo([4, 80], NOW);
    expect(made.amounts).toEqual([10, 90]);
    made.growTo([4, 91], NOW);
    expect(made.amounts).toEqual([10, 91]);
    made.growTo([150, 100], NOW);
    expect(made.amounts).toEqual([100, 100]);
    made.growTo([150, 101], NOW);
    expect(made.amounts).toEqual([100, 101]);
    expect(made.cap([120, 60])).toEqual([100, 60]);
  });
});

describe('what a hold is charged', () => {
  it('C402-20: at most what it holds and what is free here; the house pays the rest, to the unit', () => {
    const { made } = hold(10, 90);
    expect(made.chargeable([7, 90])).toEqual([7, 90]);
    const amounts = [100, 501];
    const takes = made.chargeable(amounts);
    expect(takes).toEqual([100, 500]);
    expect(made.overruns(amounts, takes)).toEqual([
      { requestId: 'req_1', tenantId: 'ten_1', unit: 'USD', amount: 1 },
    ]);
    expect(made.overruns([7, 90], [7, 90])).toEqual([]);
  });

  it('a slice that promises more than it has takes nothing from what is held', () => {
    const { made, accounts } = hold(10, 90);
    for (const account of accounts) account.granted = 0;
    expect(made.chargeable([20, 90])).toEqual([10, 90]);
  });

  it('the journal has nothing of an account that nothing is charged in, or that the store has charged', () => {
    const { made } = hold(10, 90);
    expect(made.charges([0, 90])).toEqual([{ index: 2, amount: 90 }]);
    expect(made.charges([1, 0])).toEqual([{ index: 1, amount: 1 }]);
    made.endCommit([4, 90], true);
    expect(made.charges([4, 90])).toEqual([]);
    expect(made.charges([10, 95])).toEqual([
      { index: 1, amount: 6 },
      { index: 2, amount: 5 },
    ]);
  });

  it('what a settlement has in it is charged once the store has it, and held again when it does not', () => {
    const { made, accounts } = hold(10, 90);
    const chargedAndHeld = () => accounts.map(({ charged, held }) => [charged, held]);
    made.beginCommit([4, 80]);
    expect(accounts.map(({ committing, dirty }) => [committing, dirty])).toEqual([
      [4, true],
      [80, true],
    ]);
    made.endCommit([4, 80], false);
    expect(chargedAndHeld()).toEqual([
      [0, 10],
      [0, 90],
    ]);
    expect(made.isAtStore([1, 1])).toBe(false);
    made.beginCommit([4, 80]);
    made.endCommit([4, 80], true);
    made.beginCommit([6, 80]);
    made.endCommit([6, 80], true);
    expect(accounts.map(({ committing }) => committing)).toEqual([0, 0]);
    expect(chargedAndHeld()).toEqual([
      [6, 4],
      [80, 10],
    ]);
    expect([made.isAtStore([6, 80]), made.isAtStore([7, 80])]).toEqual([true, false]);
  });

  it('what is announced counts as spent until it is charged, once', () => {
    const { made, accounts } = hold(10, 90);
    const announced = () => accounts.map((account) => account.announced);
    made.announce([4, 80]);
    made.announce([5, 85]);
    expect(announced()).toEqual([5, 85]);
    made.endCommit([4, 80], true);
    made.announce([5, 85]);
    expect(announced()).toEqual([1, 5]);
    made.announce([]);
    expect(announced()).toEqual([0, 0]);
  });

  it('a replay would charge what is on disk and nothing else', () => {
    const { made } = hold(10, 90);
    expect([made.isOnDisk([0, 0]), made.isOnDisk([0, 1])]).toEqual([true, false]);
    made.progressed = [4, 80];
    expect([made.isSeen, made.isOnDisk([0, 0]), made.isOnDisk([4, 80])]).toEqual([
      true,
      false,
      false,
    ]);
    made.isStream = true;
    expect(made.isSeen).toBe(false);
    made.onDisk = [4, 80];
    expect([made.isSeen, made.isOnDisk([4, 80]), made.isOnDisk([4, 81])]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

it('a hold of another engine is a bug', () => {
  const { made } = hold(1, 1);
  expect(asLedgerHold(made)).toBe(made);
  expect(() => asLedgerHold({ requestId: 'req_1', needs: [], amounts: [] })).toThrow(TypeError);
});
