import { describe, expect, it } from 'vitest';

import { type AccountSpec, balanceAccount } from '../domain/accounts.ts';
import { causeOf, hasHeard, LeaseAccount } from './lease-account.ts';

const NOW = 1000;
const QUOTA: AccountSpec = {
  id: 'quo:ten_1:calls:lifetime',
  tenantId: 'ten_1',
  kind: 'quota',
  unit: 'requests',
  allowance: 100,
  windowEndsAt: undefined,
  limit: undefined,
};

/** A slice of 10, usable until just after `NOW`. */
function openSlice(spec: AccountSpec): LeaseAccount {
  const account = new LeaseAccount(spec, 1, 0);
  account.granted = 10;
  account.usableUntil = NOW + 1;
  account.learn({ allowance: 100, spent: 0, reserved: 10 }, 0);
  return account;
}

describe('what a slice is good for', () => {
  it('to the unit, and to the millisecond', () => {
    const account = openSlice(QUOTA);
    expect(account.lacks({ amount: 10 }, NOW, false)).toBe(false);
    expect(account.lacks({ amount: 11 }, NOW, false)).toBe(true);
    expect(account.lacks({ amount: 11, least: 10 }, NOW, false)).toBe(false);
    expect(account.lacks({ amount: 1 }, NOW + 1, false)).toBe(true);
  });

  it('who takes nothing of it is not kept by it', () => {
    const account = openSlice(QUOTA);
    account.granted = 0;
    expect(account.lacks({ amount: 0 }, NOW + 1, false)).toBe(false);
    expect(account.canGive(0, NOW + 1)).toBe(true);
  });

  it('QUOTA-03: under another allowance nothing of it is used before it went back', () => {
    const account = openSlice(QUOTA);
    account.adopt({ ...QUOTA, allowance: 5 });
    expect(account.lacks({ amount: 1 }, NOW, true)).toBe(true);
    expect(account.mustReturn(NOW)).toBe(true);
    account.granted = 0;
    expect([account.stale, account.mustReturn(NOW)]).toEqual([false, false]);
  });

  it('a recall alone leaves it usable', () => {
    const account = openSlice(QUOTA);
    account.recallUntil(NOW);
    expect([account.lacks({ amount: 1 }, NOW, true), account.mustReturn(NOW)]).toEqual([
      false,
      false,
    ]);
  });

  it('a hold that has begun grows in a window that has ended, and not on money that has expired', () => {
    const [quota, money] = [openSlice(QUOTA), openSlice(balanceAccount('ten_1', 'USD'))];
    expect([quota.canGive(10, NOW + 1), quota.canGive(11, NOW)]).toEqual([true, false]);
    expect([money.canGive(10, NOW), money.canGive(10, NOW + 1)]).toEqual([true, false]);
    expect([quota.mustReturn(NOW + 1), money.mustReturn(NOW + 1)]).toEqual([false, true]);
  });

  it.each([
    ['an open hold', (account: LeaseAccount) => account.hold(1, NOW)],
    ['a growth', (account: LeaseAccount) => (account.growing = true)],
    ['a hand-back', (account: LeaseAccount) => (account.handingBack = true)],
  ])('is not idle during %s', (_title, begin) => {
    const account = openSlice(QUOTA);
    expect(account.idle).toBe(true);
    begin(account);
    expect(account.idle).toBe(false);
  });

  it('a charge is told to the store', () => {
    const account = openSlice(QUOTA);
    account.hold(4, NOW);
    account.settle(4, 3);
    expect(account).toMatchObject({ held: 0, charged: 3, left: 7, openHolds: 0, dirty: true });
  });
});

it.each([
  ['nothing is elsewhere', { rounds: 1, askedIn: 0 }, [0, 0], true],
  ['it was part of no question', { rounds: 0, askedIn: 0 }, [0, 0], false],
  ['somebody owes an answer', { rounds: 5, askedIn: 1 }, [1, 0], false],
  ['the holders were not asked on its behalf', { rounds: 5, askedIn: 0 }, [0, 1], false],
  ['they were asked in this very round', { rounds: 2, askedIn: 2 }, [0, 1], false],
  ['they have answered since', { rounds: 3, askedIn: 2 }, [0, 1], true],
] as const)(
  'C402-04: who waits has heard of everybody: %s',
  (_title, hearing, elsewhere, heard) => {
    const [recalling, heldElsewhere] = elsewhere;
    const account = { allowance: 0, spent: 0, reserved: 0 };
    const result = { index: 1, granted: 0, usableUntil: undefined, account, stranded: 0 };
    expect(
      hasHeard(
        { ...hearing, heard: false },
        { ...result, resetsAt: undefined, recalling, heldElsewhere },
      ),
    ).toBe(heard);
  },
);

it.each([
  ['more than anybody alive has', 11, 'stranded'],
  ['what somebody has not answered for', 10, 'unavailable'],
  ['under open holds', 8, 'held'],
  ['what the store has', 3, 'unavailable'],
])('C402-19: why %s is not there in time', (_title, amount, cause) => {
  expect(causeOf(amount, 10, 2, 3)).toBe(cause);
});
