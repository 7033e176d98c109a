import { describe, expect, it } from 'vitest';

import {
  AT,
  buildCatalog,
  buildPlan,
  buildRateLimit,
  buildRoute,
} from '../../../test/support/build-catalog.ts';
import { buildKeyWithTenant, buildTenant } from '../../../test/support/build-key.ts';
import { buildExchange, MemoryRequest } from '../../../test/support/memory-exchange.ts';
import type { DegradedProfile, Plan, Route } from '../../domain/catalog.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import type { Exchange } from './exchange.ts';
import { KeyAccess } from './key-access.ts';
import { isRefusedByStanding, ratesOf, stand, withholdService } from './stand.ts';

const DAY_MS = 86_400_000;
const PROFILE: DegradedProfile = {
  readOnly: true,
  duringGrace: true,
  contextTokensMax: undefined,
  rate: buildRateLimit({ id: 'slow' }),
  substitutes: new Map(),
  withheldFeatures: ['export'],
};
const INVOICE = { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } };
const FAILED = { payment: { ...PLAIN_TERMS.payment, failedAt: AT - DAY_MS } };

function standing(of: {
  terms?: Partial<TenantTerms>;
  plan?: Partial<Plan>;
  route?: Partial<Route>;
  method?: string;
}): Exchange {
  const plan = buildPlan('free', { rateLimits: [buildRateLimit({ id: 'fast' })], ...of.plan });
  const tenant = buildTenant({ terms: { ...PLAIN_TERMS, ...of.terms } });
  const exchange = buildExchange(new MemoryRequest({ method: of.method ?? 'POST' }));
  exchange.access = new KeyAccess({ ...buildKeyWithTenant(), tenant }, buildCatalog([plan]), AT);
  stand(exchange, buildRoute(of.route));
  return exchange;
}

const isServed = (of: Parameters<typeof standing>[0]): boolean =>
  !isRefusedByStanding(standing(of));

describe('stand', () => {
  it('says nothing where nothing is known', () => {
    const trial = { subscription: { state: 'trialing', endsAt: AT + DAY_MS } } as const;
    for (const exchange of [standing({}), standing({ terms: trial })]) {
      expect(exchange.standing).toBeUndefined();
      expect(isRefusedByStanding(exchange)).toBe(false);
    }
  });

  it('knows the end of a subscription to the millisecond', () => {
    const until = (endsAt: number) => ({ subscription: { state: 'active', endsAt } as const });
    expect(isServed({ terms: until(AT + 1) })).toBe(true);
    expect(standing({ terms: until(AT) }).standing?.code).toBe('SUBSCRIPTION_EXPIRED');
  });

  it('GW-18: what is free is never refused for money', () => {
    const route = { endpointClass: 'free' } as const;
    expect(standing({ terms: INVOICE, route }).standing).toBeUndefined();
  });

  it('a caller without a key owes nothing', () => {
    const exchange = buildExchange();
    stand(exchange, buildRoute());
    expect(exchange.standing).toBeUndefined();
    expect(ratesOf(exchange)).toEqual([]);
  });

  it('without a profile everything stops (DEG-04)', () => {
    expect(isServed({ terms: INVOICE, method: 'GET' })).toBe(false);
  });
});

describe('a degraded service (DEG-01, DEG-02)', () => {
  const plan = { degraded: PROFILE };

  it.each<[string, string, Partial<Route>, boolean]>([
    ['reads', 'GET', {}, true],
    ['reads', 'HEAD', {}, true],
    ['does not write', 'POST', {}, false],
    ['does what a route is open for', 'POST', { degradedAccess: 'allow' }, true],
    ['does not do what a route is closed for', 'GET', { degradedAccess: 'refuse' }, false],
  ])('%s: %s %j', (_what, method, route, served) => {
    expect(isServed({ terms: INVOICE, plan, method, route })).toBe(served);
  });

  it('that writes too is still closed where the route says so', () => {
    const writing = { degraded: { ...PROFILE, readOnly: false } };
    expect(isServed({ terms: INVOICE, plan: writing })).toBe(true);
    const route = { degradedAccess: 'refuse' } as const;
    expect(isServed({ terms: INVOICE, plan: writing, route })).toBe(false);
  });

  it('is slower, and its profile is at hand', () => {
    const exchange = standing({ terms: INVOICE, plan, method: 'GET' });
    expect(exchange.degraded).toBe(PROFILE);
    expect(ratesOf(exchange).map(({ limit }) => limit.id)).toEqual(['fast', 'slow']);
    expect(ratesOf(standing({})).map(({ limit }) => limit.id)).toEqual(['fast']);
  });

  it('refuses with the code of the standing what its profile leaves out', () => {
    const exchange = standing({ terms: INVOICE, plan, method: 'GET' });
    withholdService(exchange);
    expect(isRefusedByStanding(exchange)).toBe(true);
    expect(exchange.standing?.code).toBe('INVOICE_OVERDUE');
  });

  it('SUB-09: a failed renewal is forgiven, slower where the plan says so, and nothing is refused', () => {
    const exchange = standing({ terms: FAILED, plan });
    expect(exchange.standing).toMatchObject({ standing: 'grace', level: 'degraded' });
    expect(isRefusedByStanding(exchange)).toBe(false);
    expect(exchange.degraded).toMatchObject({ readOnly: false, withheldFeatures: [] });
    const full = standing({
      terms: FAILED,
      plan: { degraded: { ...PROFILE, duringGrace: false } },
    });
    expect(full.standing).toMatchObject({ standing: 'grace', level: 'full' });
    expect(full.degraded).toBeUndefined();
  });

  it('DEG-06: who pays is served in full with the next call', () => {
    const exchange = standing({ plan });
    expect([exchange.standing, exchange.degraded]).toEqual([undefined, undefined]);
  });
});
