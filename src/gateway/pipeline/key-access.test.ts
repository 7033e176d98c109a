import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildLimit,
  buildPlan,
  buildRateLimit,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { ANY_CALL } from '../../domain/accounts.ts';
import { NO_TAKE } from '../../domain/take.ts';
import { KeyAccess } from './key-access.ts';

const NEXT_DAY = Date.parse('2027-01-16T00:00:00Z');
const ROUTE = buildRoute();
const PLAN = buildPlan('free', {
  limits: [
    buildLimit(1000),
    buildLimit(500, { id: 'tokens_per_day', unit: 'tokens', window: 'day' }),
    buildLimit(9, { id: 'spend_per_lifetime', unit: 'spend', window: 'lifetime' }),
  ],
  rateLimits: [
    buildRateLimit({ id: 'key_rate_per_second', scope: 'key', count: 5, periodMs: 1000, burst: 9 }),
    buildRateLimit(),
  ],
});
const open = (plan = PLAN, budgetNano?: number) =>
  new KeyAccess(
    { ...buildKeyWithTenant({ budgetNano }), tenant: buildTenant({ planId: plan.id }) },
    buildCatalog([plan]),
    AT,
  );
const takeOf = (outputTokens: number, nano: number) => ({ ...NO_TAKE, outputTokens, nano });

describe('KeyAccess', () => {
  it('says who calls, on which version of which plan', () => {
    expect(open().identity).toEqual({
      kind: 'key',
      keyId: 'key_1',
      tenantId: 'ten_1',
      planId: 'free',
      planVersion: 'v-free',
      planTitle: 'FREE',
      freePlan: true,
    });
    expect(open(buildPlan('pro', { priceNano: 1n })).identity).toMatchObject({ freePlan: false });
    expect([open().prepaid, open(buildPlan('flat', { usage: 'included' })).prepaid]).toEqual([
      true,
      false,
    ]);
    expect(open().identification.access.identity).toEqual(open().identity);
  });

  it('shares buckets by key or by tenant, named alike in the log', () => {
    expect(open().rates).toEqual([
      { bucketId: 'rate:key_1:key_rate_per_second', count: 5, periodMs: 1000, burst: 9 },
      { bucketId: 'rate:ten_1:rate_per_minute', count: 60, periodMs: 60_000, burst: 60 },
    ]);
  });

  it('QUOTA-08: every quota has its policy, the balance none', () => {
    expect(
      open(PLAN, 7)
        .accountsAt(ANY_CALL, AT)
        .map(({ policy }) => policy?.item),
    ).toEqual([
      '"spend_per_lifetime";q=9;qu="tollkeeper-nano"',
      '"requests_per_month";q=1000;w=2678400;qu="requests"',
      '"tokens_per_day";q=500;w=86400;qu="tollkeeper-tokens"',
      '"key_budget";q=7;qu="tollkeeper-nano"',
      undefined,
    ]);
  });

  it.each([
    ['everything', takeOf(30, 4), [4, 1, 30, 4, 4]],
    ['no tokens', takeOf(0, 4), [4, 1, 4, 4]],
    ['no money', takeOf(30, 0), [1, 30]],
  ])(
    'takes from each account in its own unit, and leaves out where it takes nothing: %s',
    (_what, take, amounts) => {
      expect(
        open(PLAN, 7)
          .needsAt(ANY_CALL, take, AT)
          .map(({ amount }) => amount),
      ).toEqual(amounts);
    },
  );

  it('QUOTA-04: keeps the needs of a flat route until a window ends, then works them out anew', () => {
    const access = open();
    const take = takeOf(0, 1);
    const needs = access.flatNeedsAt(ROUTE, take, AT);
    expect(access.flatNeedsAt(ROUTE, take, NEXT_DAY - 1)).toBe(needs);
    const daily = access.accountsAt(ANY_CALL, NEXT_DAY - 1)[2]?.spec.id;
    expect(access.flatNeedsAt(ROUTE, take, NEXT_DAY)).not.toBe(needs);
    expect(access.accountsAt(ANY_CALL, NEXT_DAY)[2]?.spec.id).not.toBe(daily);
    expect(access.accountsAt(ANY_CALL, NEXT_DAY)[2]?.spec.windowEndsAt).toBe(NEXT_DAY + 86_400_000);
  });

  it('works without any window', () => {
    const access = open(buildPlan('bare', { usage: 'included' }));
    expect(access.flatNeedsAt(ROUTE, takeOf(1, 1), AT)).toEqual([]);
  });
});
