import { expect, it } from 'vitest';

import { Entries, transfer } from './entries.ts';
import type { Leg, LedgerTransaction } from './tables.ts';

const leg = (asset: string, amount: number): Leg => ({
  ledgerAccount: 'house:revenue',
  asset,
  amount,
  grantId: undefined,
});

/** Posts a transaction of these legs; `written` is what the table was given. */
function openEntries() {
  const written: LedgerTransaction[] = [];
  const entries = new Entries({ add: (transaction) => written.push(transaction) });
  const post = (legs: readonly Leg[]): void =>
    entries.post({ id: 'usage:1', kind: 'usage', reference: 'own_1:1', at: 0, legs });
  return { post, written };
}

it('I1: a transaction that sums to zero in each asset is written down', () => {
  const { post, written } = openEntries();
  const legs = [
    ...transfer('tenant:one', 'house:revenue', { asset: 'USD', amount: 7 }),
    ...transfer('tenant:one', 'house:revenue', { asset: 'EUR', amount: 3 }),
  ];
  post(legs);
  expect(written).toMatchObject([{ legs }]);
});

it.each([
  ['one asset is off', [leg('USD', 7), leg('USD', -6)], /off by 1 USD/],
  ['two assets make up for each other', [leg('USD', 7), leg('EUR', -7)], /off by 7 USD/],
  ['a leg moves nothing', [leg('USD', 0)], /leg of 0/],
  ['a leg is no whole number', [leg('USD', 0.5), leg('USD', -0.5)], /leg of 0.5/],
])('I1: nothing is written down where %s', (_title, legs, message) => {
  const { post, written } = openEntries();
  expect(() => post(legs)).toThrow(message);
  expect(written).toEqual([]);
});
