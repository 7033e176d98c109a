import { describe, expect, it } from 'vitest';

import {
  AT,
  buildBudget,
  buildHolder,
  buildLimit,
  buildPlan,
  buildRateLimit,
} from '../../test/support/build-catalog.ts';
import { accountsFor, ANY_CALL, balanceAccount, bucketId, overageAccount } from './accounts.ts';
import type { Limit } from './catalog.ts';

const HOLDER = buildHolder();
const NOW = { asset: 'USD', at: AT };
const NEXT_MONTH = Date.parse('2027-02-01T00:00:00Z');

describe('accountsFor', () => {
  it('a prepaid plan without limits has the balance alone', () => {
    expect(accountsFor(buildPlan('free'), HOLDER, ANY_CALL, NOW)).toEqual([
      balanceAccount('ten_1', 'USD'),
    ]);
  });

  it('the quota that opens again last, then the others, the budget of the key, the balance', () => {
    const plan = buildPlan('free', {
      limits: [
        buildLimit(1000),
        buildLimit(50, { id: 'key_tokens_per_day', unit: 'tokens', window: 'day', scope: 'key' }),
      ],
    });
    const accounts = accountsFor(plan, { ...HOLDER, budgets: [buildBudget(7)] }, ANY_CALL, NOW);
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
        id: 'quo:key_1:key_budget:lifetime.USD',
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
          from: 'key',
        },
      },
      balanceAccount('ten_1', 'USD'),
    ]);
  });

  it('a plan whose price covers the calls draws on no balance', () => {
    const plan = buildPlan('flat', { usage: 'included', limits: [buildLimit(10)] });
    expect(accountsFor(plan, HOLDER, ANY_CALL, NOW).map(({ kind }) => kind)).toEqual(['quota']);
  });

  it('QUOTA-03: another plan with the same limit means the same account, with another allowance', () => {
    const of = (amount: number) =>
      accountsFor(
        buildPlan(`p${amount}`, { limits: [buildLimit(amount)] }),
        HOLDER,
        ANY_CALL,
        NOW,
      )[0];
    expect(of(10)?.id).toBe(of(1000)?.id);
    expect(of(1000)?.allowance).toBe(1000);
  });

  it('QUOTA-04: the next window is another account', () => {
    const plan = buildPlan('free', { limits: [buildLimit(10)] });
    const ids = [NEXT_MONTH - 1, NEXT_MONTH].map(
      (at) => accountsFor(plan, HOLDER, ANY_CALL, { asset: 'USD', at })[0]?.id,
    );
    expect(ids).toEqual([
      'quo:ten_1:requests_per_month:2027-01',
      'quo:ten_1:requests_per_month:2027-02',
    ]);
  });
});

describe('QUOTA-02: a limit that slides', () => {
  const plan = buildPlan('free', {
    usage: 'included',
    limits: [buildLimit(10, { id: 'pace', window: 'sliding_hour' })],
  });

  it('is one account that never ends, whatever the time and the zone', () => {
    const holder = buildHolder({ calendar: { timeZone: 'Asia/Kolkata', billingAnchorAt: AT } });
    for (const at of [AT, NEXT_MONTH]) {
      const [spec, ...others] = accountsFor(plan, holder, ANY_CALL, { asset: 'USD', at });
      expect(others).toEqual([]);
      expect(spec).toEqual({
        id: 'quo:ten_1:pace.requests:sliding',
        tenantId: 'ten_1',
        kind: 'quota',
        unit: 'requests',
        allowance: 10,
        windowEndsAt: undefined,
        slidingMs: 3_600_000,
        limit: {
          id: 'pace',
          unit: 'requests',
          window: 'sliding_hour',
          scope: 'tenant',
          keyId: undefined,
        },
      });
    }
  });

  it('what goes beyond it slides too', () => {
    const [spec] = accountsFor(plan, HOLDER, ANY_CALL, NOW);
    expect(spec && overageAccount(spec)).toMatchObject({
      id: 'quo:ten_1:pace.requests:sliding:over',
      allowance: Number.MAX_SAFE_INTEGER,
      slidingMs: 3_600_000,
    });
  });

  it('the same limit by the calendar is another account', () => {
    const calendar = buildPlan('free', {
      limits: [buildLimit(10, { id: 'pace', window: 'hour' })],
    });
    const [one, other] = [plan, calendar].map(
      (each) => accountsFor(each, HOLDER, ANY_CALL, NOW)[0],
    );
    expect(other?.id).not.toBe(one?.id);
    expect(other).not.toHaveProperty('slidingMs');
  });

  it('refuses before the window of the same length, which may open sooner, and after every longer one', () => {
    const windows = ['minute', 'hour', 'sliding_minute', 'day', 'sliding_hour'] as const;
    const limits = windows.map((window) => buildLimit(1, { id: window, window }));
    const order = accountsFor(buildPlan('p', { usage: 'included', limits }), HOLDER, ANY_CALL, NOW);
    expect(order.map(({ limit }) => limit?.window)).toEqual([
      'day',
      'sliding_hour',
      'hour',
      'sliding_minute',
      'minute',
    ]);
  });
});

describe('scopes (QUOTA-03)', () => {
  const call = { routeId: 'r', operation: 'image', model: 'large', endUser: 'a:b/c' };
  const idOf = (limit: Limit, holder = HOLDER) =>
    accountsFor(buildPlan('p', { usage: 'included', limits: [limit] }), holder, call, NOW)[0]?.id;
  it.each([
    ['global', 'quo:house:requests_per_month.requests:2027-01'],
    ['tenant', 'quo:pool:requests_per_month:2027-01'],
    ['app', 'quo:ten_1:requests_per_month.requests:2027-01'],
    ['key', 'quo:key_1:requests_per_month.requests:2027-01'],
    ['end_user', 'quo:pool/user/a%3Ab%2Fc:requests_per_month.requests:2027-01'],
    ['model', 'quo:pool/model/large:requests_per_month.requests:2027-01'],
    ['route', 'quo:pool/route/r:requests_per_month.requests:2027-01'],
    ['operation', 'quo:pool/operation/image:requests_per_month.requests:2027-01'],
  ] as const)('each %s is counted by itself: %s', (scope, id) => {
    expect(idOf(buildLimit(1, { scope }), buildHolder({ payerId: 'pool' }))).toBe(id);
  });

  it('a limit of one model, route or operation is none of another call', () => {
    expect(idOf(buildLimit(1, { models: ['small'] }))).toBeUndefined();
    expect(idOf(buildLimit(1, { routes: ['other'] }))).toBeUndefined();
    expect(idOf(buildLimit(1, { operations: ['image'] }))).toBeDefined();
    const plan = buildPlan('p', { usage: 'included', limits: [buildLimit(1, { scope: 'model' })] });
    expect(accountsFor(plan, HOLDER, ANY_CALL, NOW)).toEqual([]);
  });

  it('limits of the key, of the tenants above and of the house hold too, and say whose they are', () => {
    const holder = buildHolder({
      keyLimits: [buildLimit(1, { id: 'own', scope: 'key' })],
      ancestors: [{ tenantId: 'org', limits: [buildLimit(2)], calendar: HOLDER.calendar }],
      houseLimits: [buildLimit(3, { id: 'all', scope: 'global' })],
    });
    const accounts = accountsFor(buildPlan('p', { limits: [buildLimit(9)] }), holder, call, NOW);
    expect(accounts.map(({ id, limit }) => [id, limit?.from])).toEqual([
      ['quo:key_1/own:own.requests:2027-01', 'key'],
      ['quo:ten_1:requests_per_month:2027-01', undefined],
      ['quo:org:requests_per_month:2027-01', 'ancestor'],
      ['quo:house:all.requests:2027-01', 'house'],
      ['bal:ten_1:USD', undefined],
    ]);
  });
});

it('a limit of a plan, of a key and of a tenant above are counted apart, though they have one id', () => {
  const limits = [buildLimit(1, { id: 'x', scope: 'key' })];
  const holder = buildHolder({
    payerId: 'pool',
    keyLimits: limits,
    ancestors: [{ tenantId: 'org', limits, calendar: HOLDER.calendar }],
  });
  const accounts = accountsFor(
    buildPlan('p', { usage: 'included', limits }),
    holder,
    ANY_CALL,
    NOW,
  );
  // They stay with the key's tenant, whoever pays for it next month.
  expect(accounts.map(({ id, tenantId }) => [id, tenantId])).toEqual([
    ['quo:key_1:x.requests:2027-01', 'ten_1'],
    ['quo:key_1/own:x.requests:2027-01', 'ten_1'],
    ['quo:org/key/key_1:x.requests:2027-01', 'ten_1'],
  ]);
});

it('a limit that is given another unit under the same id is another account: calls are not added to bytes', () => {
  const idOf = (limit: Limit) => {
    const plan = buildPlan('p', { usage: 'included', limits: [limit] });
    return accountsFor(plan, HOLDER, ANY_CALL, NOW)[0]?.id;
  };
  const guard = (unit: Limit['unit']) => idOf(buildLimit(1, { id: 'guard', unit }));
  expect([guard('requests'), guard('bytes')]).toEqual([
    'quo:ten_1:guard.requests:2027-01',
    'quo:ten_1:guard.bytes:2027-01',
  ]);
  const misnamed = buildLimit(1, { id: 'tokens_per_month', unit: 'requests' });
  expect(idOf(misnamed)).toBe('quo:ten_1:tokens_per_month.requests:2027-01');
});

it('what was spent in one asset counts as nothing in another', () => {
  const limits = [buildLimit(1, { id: 'spend_per_month', unit: 'spend' })];
  const holder = { ...HOLDER, budgets: [buildBudget(7)] };
  const idsIn = (asset: string) =>
    accountsFor(buildPlan('p', { limits }), holder, ANY_CALL, { ...NOW, asset }).map(
      ({ id }) => id,
    );
  expect(idsIn('EUR')).toEqual([
    'quo:ten_1:spend_per_month:2027-01.EUR',
    'quo:key_1:key_budget:lifetime.EUR',
    'bal:ten_1:EUR',
  ]);
});

it('PLAN-11: what more costs goes with the allowance and not with what is beyond it', () => {
  const overage = { kind: 'bill', unitPico: 5n } as const;
  const plan = buildPlan('p', { usage: 'included', limits: [buildLimit(1, { overage })] });
  const [spec] = accountsFor(plan, HOLDER, ANY_CALL, NOW);
  expect(spec?.overage).toEqual(overage);
  expect(spec && overageAccount(spec)).not.toHaveProperty('overage');
});

it('BILL-05, DEL-04: each budget above a call is an account of its own, the one that opens again last first, then the nearest', () => {
  const above = { id: 'tenant_budget', from: 'ancestor' } as const;
  const budgets = [
    buildBudget(5, { window: 'month' }),
    buildBudget(30, { ...above, ownerId: 'ten_1', from: 'tenant' }),
    buildBudget(40, { ...above, ownerId: 'dep', tenantId: 'dep', window: 'day' }),
    buildBudget(50, { ...above, ownerId: 'org', tenantId: 'org' }),
  ];
  const accounts = accountsFor(buildPlan('p'), buildHolder({ budgets }), ANY_CALL, NOW);
  expect(accounts.map(({ id, tenantId, allowance }) => [id, tenantId, allowance])).toEqual([
    ['quo:ten_1:tenant_budget:lifetime.USD', 'ten_1', 30],
    ['quo:org:tenant_budget:lifetime.USD', 'org', 50],
    ['quo:key_1:key_budget:2027-01.USD', 'ten_1', 5],
    ['quo:dep:tenant_budget:2027-01-15.USD', 'dep', 40],
    ['bal:ten_1:USD', 'ten_1', 0],
  ]);
  expect(accounts[2]).toMatchObject({
    unit: 'spend',
    windowEndsAt: NEXT_MONTH,
    limit: { window: 'month', scope: 'key', keyId: 'key_1', from: 'key' },
  });
});

describe('the order limits refuse in', () => {
  it('commercial before protective, the one that opens again last first, slots last, narrow before wide', () => {
    const limits = [
      buildLimit(1, { id: 'slots', unit: 'concurrent_requests' }),
      buildLimit(1, { id: 'shield', window: 'lifetime', class: 'protective' }),
      buildLimit(1, { id: 'minute', window: 'minute' }),
      buildLimit(1, { id: 'year', window: 'year' }),
      buildLimit(1, { id: 'key-year', window: 'year', scope: 'key' }),
    ];
    const accounts = accountsFor(
      buildPlan('p', { usage: 'included', limits }),
      HOLDER,
      ANY_CALL,
      NOW,
    );
    expect(accounts.map(({ limit }) => limit?.id)).toEqual([
      'key-year',
      'year',
      'minute',
      'slots',
      'shield',
    ]);
  });

  it('402 or 429: what only protects comes after the budget of the key and the balance', () => {
    const shield = buildLimit(1, { id: 'shield', class: 'protective' });
    const namesOf = (...limits: readonly Limit[]) =>
      accountsFor(
        buildPlan('p', { limits }),
        { ...HOLDER, budgets: [buildBudget(7)] },
        ANY_CALL,
        NOW,
      ).map(({ limit, kind }) => limit?.id ?? kind);
    expect(namesOf(shield)).toEqual(['key_budget', 'balance', 'shield']);
    expect(namesOf(shield, buildLimit(1))).toEqual([
      'requests_per_month',
      'key_budget',
      'balance',
      'shield',
    ]);
  });

  it('a soft limit counts without end; slots have no window; overage has an account of its own', () => {
    const plan = buildPlan('p', {
      usage: 'included',
      limits: [
        buildLimit(10, { id: 'soft', soft: true }),
        buildLimit(5, { id: 'slots', unit: 'concurrent_requests' }),
      ],
    });
    const [soft, slots] = accountsFor(plan, HOLDER, ANY_CALL, NOW);
    expect(soft).toMatchObject({ allowance: Number.MAX_SAFE_INTEGER, limit: { softAt: 10 } });
    expect(slots).toMatchObject({
      id: 'quo:ten_1:slots.concurrent_requests:now',
      windowEndsAt: undefined,
    });
    expect(slots && overageAccount(slots)).toMatchObject({
      id: 'quo:ten_1:slots.concurrent_requests:now:over',
      allowance: Number.MAX_SAFE_INTEGER,
    });
  });
});

it.each([
  ['key', 'rate:key_1:burst'],
  ['tenant', 'rate:ten_1:burst'],
] as const)('the bucket of a limit of each %s is %s', (scope, id) => {
  expect(bucketId(buildRateLimit({ id: 'burst', scope }), HOLDER)).toBe(id);
});
