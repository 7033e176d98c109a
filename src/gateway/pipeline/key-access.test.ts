import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildHolder,
  buildLimit,
  buildPlan,
  buildRateLimit,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { ANY_CALL } from '../../domain/accounts.ts';
import type { LimitUnit } from '../../domain/catalog.ts';
import { NO_TAKE } from '../../domain/take.ts';
import { PLAIN_TERMS } from '../../domain/tenant-terms.ts';
import { CallerAccounts, countedAs, needsOf } from './caller-accounts.ts';
import { KeyAccess } from './key-access.ts';

const NEXT_DAY = Date.parse('2027-01-16T00:00:00Z');
const CALL = countedAs(buildRoute());
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
    expect([
      open().accounts.prepaid,
      open(buildPlan('flat', { usage: 'included' })).accounts.prepaid,
    ]).toEqual([true, false]);
    expect(open().identification.access.identity).toEqual(open().identity);
  });

  it('shares buckets by key or by tenant, named alike in the log', () => {
    expect(open().rates).toMatchObject([
      { bucketId: 'rate:key_1:key_rate_per_second', count: 5, periodMs: 1000, burst: 9 },
      { bucketId: 'rate:ten_1:rate_per_minute', count: 60, periodMs: 60_000, burst: 60 },
    ]);
  });

  it('QUOTA-03: counts in the rates of the tenants above, of who pays and of no pool between', () => {
    const org = buildPlan('org', { rateLimits: [buildRateLimit()] });
    const found = {
      ...buildKeyWithTenant(),
      tenant: buildTenant({ planId: 'free' }),
      ancestors: [buildTenant({ id: 'ten_org', planId: 'org' })],
    };
    const { rates } = new KeyAccess(found, buildCatalog([PLAN, org]), AT);
    expect(rates.map(({ bucketId }) => bucketId)).toEqual([
      'rate:key_1:key_rate_per_second',
      'rate:ten_1:rate_per_minute',
      'rate:ten_org:rate_per_minute',
    ]);
    const pooled = {
      ...found,
      tenant: buildTenant({ planId: 'free', terms: { ...PLAIN_TERMS, pooled: true } }),
    };
    const ofPool = new KeyAccess(pooled, buildCatalog([PLAN, org]), AT).rates;
    expect(ofPool.map(({ bucketId, from }) => [bucketId, from])).toEqual([
      ['rate:ten_org:rate_per_minute', undefined],
    ]);
  });

  it('PLAN-11: what was agreed goes with the refusal, so that other plans are tried with it', () => {
    const agreedWith = (overageAuthorizedUntil: number | undefined) =>
      new KeyAccess(
        {
          ...buildKeyWithTenant(),
          tenant: buildTenant({
            planId: 'free',
            terms: { ...PLAIN_TERMS, overageAuthorizedUntil },
          }),
        },
        buildCatalog([PLAN]),
        AT,
      ).agreed;
    expect(agreedWith(undefined)).toBeUndefined();
    expect(agreedWith(AT)).toEqual({ overrides: [], purchases: [], overageAuthorizedUntil: AT });
  });

  it('QUOTA-08: every quota has its policy, the balance none', () => {
    expect(
      open(PLAN, 7)
        .accounts.accountsAt(ANY_CALL, AT)
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
        needsOf(open(PLAN, 7).accounts.shapeAt(ANY_CALL, AT), take).map(({ amount }) => amount),
      ).toEqual(amounts);
    },
  );

  it('QUOTA-04: keeps what calls of one kind count in until a window ends, then works it out anew', () => {
    const access = open().accounts;
    const shape = access.shapeAt(CALL, AT);
    expect(access.shapeAt(CALL, NEXT_DAY - 1)).toBe(shape);
    const next = access.shapeAt(CALL, NEXT_DAY);
    expect(next).not.toBe(shape);
    const dailies = [shape, next].map(({ views }) => views[2]?.spec);
    expect(dailies.map((spec) => spec?.windowEndsAt)).toEqual([NEXT_DAY, NEXT_DAY + 86_400_000]);
    expect(dailies[0]?.id).not.toBe(dailies[1]?.id);
  });

  it('works without any window', () => {
    const access = open(buildPlan('bare', { usage: 'included' }));
    expect(needsOf(access.accounts.shapeAt(CALL, AT), takeOf(1, 1))).toEqual([]);
  });

  it('says of a kind of call what has to be known of it', () => {
    const of = (unit: LimitUnit) => {
      const { countsBytes, countsTime, hasSlots } = open(
        buildPlan('free', { limits: [buildLimit(1, { unit })] }),
      ).accounts.shapeAt(CALL, AT);
      return [countsBytes, countsTime, hasSlots];
    };
    expect(of('requests')).toEqual([false, false, false]);
    for (const unit of ['bytes', 'bytes_in', 'bytes_out', 'storage_bytes'] as const) {
      expect(of(unit)).toEqual([true, false, false]);
    }
    expect(of('compute_ms')).toEqual([false, true, false]);
    expect(of('concurrent_requests')).toEqual([false, false, true]);
  });

  it('QUOTA-03: tells end users apart where a limit does, and nowhere else; a bounded number is remembered', () => {
    const limits = [buildLimit(1, { scope: 'end_user' })];
    const [one, other] = ['a', 'b'].map((endUser) => ({ ...CALL, endUser }));
    const apart = open(buildPlan('free', { limits })).accounts;
    expect(apart.shapeAt(one ?? CALL, AT)).not.toBe(apart.shapeAt(other ?? CALL, AT));
    const together = open().accounts;
    expect(together.shapeAt(one ?? CALL, AT)).toBe(together.shapeAt(other ?? CALL, AT));
    const first = apart.shapeAt(CALL, AT);
    for (let user = 0; user < 256; user += 1) apart.shapeAt({ ...CALL, endUser: `u${user}` }, AT);
    expect(apart.shapeAt(CALL, AT)).not.toBe(first);
    const last = apart.shapeAt({ ...CALL, endUser: 'u255' }, AT);
    expect(apart.shapeAt({ ...CALL, endUser: 'u255' }, AT)).toBe(last);
  });

  it('PLAN-11: bills beyond an allowance as its policy says, and where that was agreed to, until then', () => {
    const specOf = (kind: 'bill' | 'authorize' | 'block') => {
      const overage = kind === 'block' ? { kind } : { kind, unitPico: 1n };
      const [view] = open(
        buildPlan('free', { limits: [buildLimit(1, { overage })] }),
      ).accounts.accountsAt(CALL, AT);
      if (view === undefined) throw new Error('no account');
      return view.spec;
    };
    const agreed = new CallerAccounts(PLAN, buildHolder(), 'USD', AT + 1);
    const plain = new CallerAccounts(PLAN, buildHolder(), 'USD');
    const bills = (accounts: CallerAccounts, at: number) =>
      (['bill', 'authorize', 'block'] as const).map((kind) => accounts.mayBill(specOf(kind), at));
    expect(bills(plain, AT)).toEqual([true, false, false]);
    expect(bills(agreed, AT)).toEqual([true, true, false]);
    expect(bills(agreed, AT + 1)).toEqual([true, false, false]);
  });
});
