import { describe, expect, it } from 'vitest';

import { AT, buildLimit, buildPlan } from '../../test/support/build-catalog.ts';
import { accountsFor, balanceAccount, bucketId } from './accounts.ts';

const HOLDER = { tenantId: 'ten_1', keyId: 'key_1', budgetNano: undefined };
const NEXT_MONTH = Date.parse('2027-02-01T00:00:00Z');

describe('accountsFor', () => {
  it('a prepaid plan without limits has the balance alone', () => {
    expect(accountsFor(buildPlan('free'), HOLDER, 'USD', AT)).toEqual([
      balanceAccount('ten_1', 'USD'),
    ]);
  });

  it('quotas in the order of the plan, then the budget of the key, then the balance', () => {
    const plan = buildPlan('free', {
      limits: [
        buildLimit(1000),
        buildLimit(50, { id: 'key_tokens_per_day', unit: 'tokens', window: 'day', scope: 'key' }),
      ],
    });
    const accounts = accountsFor(plan, { ...HOLDER, budgetNano: 7 }, 'USD', AT);
    expect(accounts).toEqual([
      {
        id: 'quo:ten_1:requests_per_month:2027-01',
        tenantId: 'ten_1',
        kind: 'quota',
        unit: 'requests',
        allowance: 1000,
        windowEndsAt: NEXT_MONTH,
        limit: {
          id: 'requests_per_month',
          unit: 'requests',
          window: 'month',
          scope: 'tenant',
          keyId: undefined,
        },
      },
      expect.objectContaining({
        id: 'quo:key_1:key_tokens_per_day:2027-01-15',
        unit: 'tokens',
        allowance: 50,
        limit: expect.objectContaining({ scope: 'key', keyId: 'key_1' }),
      }),
      {
        id: 'quo:key_1:key_budget:lifetime',
        tenantId: 'ten_1',
        kind: 'quota',
        unit: 'spend',
        allowance: 7,
        windowEndsAt: undefined,
        limit: {
          id: 'key_budget',
          unit: 'spend',
          window: 'lifetime',
          scope: 'key',
          keyId: 'key_1',
        },
      },
      balanceAccount('ten_1', 'USD'),
    ]);
  });

  it('a plan whose price covers the calls draws on no balance', () => {
    const plan = buildPlan('flat', { usage: 'included', limits: [buildLimit(10)] });
    expect(accountsFor(plan, HOLDER, 'USD', AT).map(({ kind }) => kind)).toEqual(['quota']);
  });

  it('QUOTA-03: another plan with the same limit means the same account, with another allowance', () => {
    const of = (amount: number) =>
      accountsFor(buildPlan(`p${amount}`, { limits: [buildLimit(amount)] }), HOLDER, 'USD', AT)[0];
    expect(of(10)?.id).toBe(of(1000)?.id);
    expect(of(1000)?.allowance).toBe(1000);
  });

  it('QUOTA-04: the next window is another account', () => {
    const plan = buildPlan('free', { limits: [buildLimit(10)] });
    const ids = [NEXT_MONTH - 1, NEXT_MONTH].map(
      (at) => accountsFor(plan, HOLDER, 'USD', at)[0]?.id,
    );
    expect(ids).toEqual([
      'quo:ten_1:requests_per_month:2027-01',
      'quo:ten_1:requests_per_month:2027-02',
    ]);
  });
});

it.each([
  ['key', 'rate:key_1:burst'],
  ['tenant', 'rate:ten_1:burst'],
] as const)('the bucket of a limit of each %s is %s', (scope, id) => {
  expect(bucketId({ id: 'burst', scope, count: 1, periodMs: 1000, burst: 1 }, HOLDER)).toBe(id);
});
