import { expect, it } from 'vitest';

import { AT, buildCatalog, buildPlan } from '../../test/support/build-catalog.ts';
import { buildKey, buildTenant } from '../../test/support/build-key.ts';
import { PLAIN_KEY_TERMS } from './key-terms.ts';
import { accessOf } from './tenant-access.ts';
import { PLAIN_TERMS, type TenantTerms } from './tenant-terms.ts';

const CATALOG = buildCatalog([buildPlan('free')]);
const tenant = (id: string, terms: Partial<TenantTerms> = {}) =>
  buildTenant({ id, terms: { ...PLAIN_TERMS, ...terms } });
const budgetsOf = (
  key: Parameters<typeof buildKey>[1],
  own = tenant('app'),
  ...ancestors: (typeof own)[]
) =>
  accessOf({ key: buildKey('tk_test_0000', key), tenant: own, ancestors }, CATALOG, AT).holder
    .budgets;

it('BILL-05: who has no budget has no node; all of them share one empty list', () => {
  expect(budgetsOf({})).toEqual([]);
  expect(budgetsOf({}, tenant('app'), tenant('org'))).toBe(budgetsOf({}));
});

it('TEN-03: the budgets of the key, its tenant and all above it, nearest first, each for its own time', () => {
  const key = { budgetNano: 1, terms: { ...PLAIN_KEY_TERMS, budgetWindow: 'day' as const } };
  const app = tenant('app', { budgetNano: 2 });
  const department = tenant('department');
  const organisation = tenant('org', { budgetNano: 3, budgetWindow: 'month' });
  expect(budgetsOf(key, app, department, organisation)).toMatchObject([
    {
      id: 'key_budget',
      ownerId: 'key_1',
      tenantId: 'app',
      from: 'key',
      amountNano: 1,
      window: 'day',
    },
    { id: 'tenant_budget', ownerId: 'app', tenantId: 'app', from: 'tenant', window: 'lifetime' },
    { id: 'tenant_budget', ownerId: 'org', tenantId: 'org', from: 'ancestor', window: 'month' },
  ]);
});

it('PLAN-16: a part of a pool has its own budget, and the days of who pays for it', () => {
  const pooled = tenant('app', { pooled: true, budgetNano: 2, timeZone: 'Asia/Tokyo' });
  const inner = tenant('department', { pooled: true, budgetNano: 3 });
  const payer = tenant('org', { budgetNano: 4, timeZone: 'Europe/Berlin' });
  const top = tenant('group', { budgetNano: 5 });
  const budgets = budgetsOf({ budgetNano: 1 }, pooled, inner, payer, top);
  expect(budgets.map(({ ownerId, calendar }) => [ownerId, calendar.timeZone])).toEqual([
    ['key_1', 'Europe/Berlin'],
    ['app', 'Europe/Berlin'],
    ['department', 'Europe/Berlin'],
    ['org', 'Europe/Berlin'],
    ['group', 'UTC'],
  ]);
});
