import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildHolder,
  buildLimit,
  buildPlan,
  buildQuota,
  buildRateLimit,
} from '../../../test/support/build-catalog.ts';
import { describeFacts } from '../../../test/support/describe-facts.ts';
import type { ProblemDetails } from '../../contract/problem-document.ts';
import { accountsFor, type AccountSpec, ANY_CALL } from '../../domain/accounts.ts';
import type { Limit } from '../../domain/catalog.ts';
import type { Facts, LimitFact } from '../../domain/facts.ts';
import { AddressLimiter } from '../address-limiter.ts';

const BILLED: Limit = buildLimit(10, { overage: { kind: 'authorize', unitPico: 2_500_000n } });

/** What a call sets aside of. */
function accountsOf(limit: Limit): readonly AccountSpec[] {
  const plan = buildPlan('free', { limits: [limit] });
  return accountsFor(plan, buildHolder(), ANY_CALL, { asset: 'USD', at: AT });
}

function detailsOf(
  limit: Limit,
  numbers: Partial<LimitFact>,
  members: Partial<Facts> = {},
  accounts: readonly AccountSpec[] = accountsOf(limit),
): ProblemDetails {
  const fact = buildQuota(limit, numbers);
  const label = fact.label && { ...fact.label, class: limit.class, ...numbers.label };
  const reservation = {
    kind: 'short',
    index: 0,
    cause: 'gone',
    held: 0,
    affordableOutputTokens: undefined,
  } as const;
  return describeFacts(
    { limits: [{ ...fact, label }], reservation, ...members },
    {
      catalog: buildCatalog([buildPlan('free', { limits: [BILLED] })]),
      change: (exchange) => {
        exchange.needs = accounts.map((account) => ({ account, amount: 1 }));
      },
    },
  );
}

describe('details of a limit', () => {
  it('QUOTA-10: slots are the calls that run, and have no window', () => {
    const slots = buildLimit(5, { id: 'slots', unit: 'concurrent_requests' });
    const details = detailsOf(slots, { spent: 0, reserved: 5 });
    expect(details).toMatchObject({
      exceeded_limit_type: 'concurrent_requests',
      limit_id: 'slots',
      current_usage: 5,
      allowed_usage: 5,
      remaining: 0,
    });
    expect(details).not.toHaveProperty('window');
  });

  it('slots that a process keeps ahead are no more than there are', () => {
    const slots = buildLimit(2, { unit: 'concurrent_requests' });
    expect(detailsOf(slots, { reserved: 9 })).toMatchObject({ current_usage: 2, remaining: 0 });
  });

  it('QUOTA-06: an operation is named', () => {
    const route = {
      apiId: 'demo',
      routeId: 'demo.render',
      operation: 'render',
      kind: 'proxy',
      dialect: 'plain',
      endpointClass: 'metered',
    } as const;
    const limit = buildLimit(3, { id: 'renders', unit: 'operations' });
    expect(detailsOf(limit, { spent: 3 }, { route })).toMatchObject({
      operation: 'render',
      unit: 'operations',
      exceeded_limit_type: 'operations_per_month',
    });
    expect(detailsOf(buildLimit(3), { spent: 3 }, { route })).not.toHaveProperty('operation');
  });

  it('a limit of one model names it', () => {
    const limit = buildLimit(3, { scope: 'model' });
    const label = { ...buildQuota(limit).label, of: 'large' } as LimitFact['label'];
    expect(detailsOf(limit, { spent: 3, label })).toMatchObject({ model: 'large', scope: 'model' });
  });

  it('PLAN-11: one more unit has a price that waits for approval', () => {
    const overage = { kind: 'authorize', nano: 2500 } as const;
    expect(detailsOf(BILLED, { spent: 10, overage })).toMatchObject({ price: '0.0000025 USD' });
    expect(detailsOf(buildLimit(10), { spent: 10 })).not.toHaveProperty('price');
  });

  it('PLAN-11: of a limit above it is the price there, though the own plan sells the same for another', () => {
    const above = buildLimit(10, { overage: { kind: 'authorize', unitPico: 10_000_000_000n } });
    const holder = buildHolder({
      ancestors: [{ tenantId: 'org', limits: [above], calendar: buildHolder().calendar }],
    });
    const terms = { asset: 'USD', at: AT };
    const specs = accountsFor(buildPlan('free', { limits: [BILLED] }), holder, ANY_CALL, terms);
    const account = specs.find(({ tenantId }) => tenantId === 'org');
    const overage = { kind: 'authorize', nano: 10_000_000 } as const;
    const fact = { accountId: account?.id ?? '', spent: 10, overage };
    expect(detailsOf(BILLED, fact, {}, specs)).toMatchObject({ price: '0.0100 USD' });
  });

  it('a protective limit shows its numbers too, and offers nothing', () => {
    const limit = buildLimit(10, { class: 'protective', window: 'minute' });
    const details = detailsOf(limit, { spent: 10 });
    expect(details).toMatchObject({ allowed_usage: 10, window: 'minute', remaining: 0 });
    expect(details).not.toHaveProperty('upgrade_options');
  });
});

describe('details of a rate', () => {
  const catalog = buildCatalog([
    buildPlan('free', { rateLimits: [buildRateLimit({ count: 100 })] }),
  ]);

  it('the limit by address, and whose it was', () => {
    const limit = { count: 20, periodMs: 1000, burst: 40, loopback: false };
    const routing = {
      code: 'RATE_LIMITED',
      problem: 'too fast',
      pointer: undefined,
      retryAfterMs: 50,
    } as const;
    const change = (exchange: { address: string | undefined }): void => {
      exchange.address = '203.0.113.7';
    };
    const addressLimiter = new AddressLimiter(limit, 1);
    expect(describeFacts({ routing }, { catalog, change, addressLimiter })).toMatchObject({
      limit_id: 'address_limit',
      unit: 'requests',
      allowed_usage: 20,
      window: 'second',
      address: '203.0.113.7',
    });
  });

  it('QUOTA-09, C402-06: a rate that is for sale has its numbers', () => {
    const reservation = {
      kind: 'limited',
      rateLimitId: 'rate_per_minute',
      retryAfterMs: 1,
      class: 'commercial',
    } as const;
    expect(describeFacts({ reservation }, { catalog })).toMatchObject({
      limit_id: 'rate_per_minute',
      exceeded_limit_type: 'requests_per_minute',
      current_usage: 100,
      allowed_usage: 100,
      remaining: 0,
      window: 'minute',
      upgrade_options: [],
    });
  });
});
