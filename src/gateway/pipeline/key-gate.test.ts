import { describe, expect, it } from 'vitest';

import { buildPlan, buildRateLimit } from '../../../test/support/build-catalog.ts';
import { buildKey, buildTenant } from '../../../test/support/build-key.ts';
import type { DegradedProfile } from '../../domain/catalog.ts';
import type { EffectivePlan } from '../../domain/effective-plan.ts';
import { type KeyTerms, PLAIN_KEY_TERMS } from '../../domain/key-terms.ts';
import { PLAIN_TERMS, type TenantTerms } from '../../domain/tenant-terms.ts';
import type { Tenant } from '../../stores/store.ts';
import { compileKeyGate, compileRates, type KeyGate } from './key-gate.ts';

const SLOW = buildRateLimit({ id: 'slow', count: 6, burst: 1 });
const PROFILE: DegradedProfile = {
  readOnly: true,
  duringGrace: true,
  contextTokensMax: 9000,
  rate: SLOW,
  substitutes: new Map(),
  withheldFeatures: ['export'],
};

function gateOf(
  members: {
    key?: Partial<KeyTerms>;
    tenant?: Partial<TenantTerms>;
    plan?: Partial<EffectivePlan>;
    ancestors?: readonly Tenant[];
  } = {},
): KeyGate | undefined {
  const tenant = buildTenant({ terms: { ...PLAIN_TERMS, ...members.tenant } });
  const key = buildKey('tk_test_0000', { terms: { ...PLAIN_KEY_TERMS, ...members.key } });
  const plan = { ...buildPlan('free'), purchases: [], ...members.plan };
  const found = { key, tenant, ancestors: members.ancestors ?? [] };
  return compileKeyGate(found, { payer: tenant, plan, ratesAbove: [] }, new Map());
}

describe('compileKeyGate', () => {
  it('a plain key has none, so that its calls pass without a look', () => {
    expect(gateOf()).toBeUndefined();
  });

  it.each<[string, Parameters<typeof gateOf>[0]]>([
    ['APIs', { key: { apis: ['a'] } }],
    ['models', { key: { models: ['m'] } }],
    ['operations', { key: { operations: ['read'] } }],
    ['addresses', { key: { addresses: ['10.0.0.0/8'] } }],
    ['an account state', { tenant: { account: 'suspended' } }],
    ['observation', { plan: { enforcement: 'observe' } }],
    ['a cap of files', { plan: { fileBytesMax: 5 } }],
  ])('%s make one', (_what, members) => {
    expect(gateOf(members)).toBeDefined();
  });

  it('roles are asked for by routes, and a degraded profile by a standing', () => {
    expect(gateOf({ key: { roles: ['editor'] } })).toBeUndefined();
    expect(gateOf({ plan: { degraded: PROFILE } })).toBeUndefined();
  });

  it.each<[string, Partial<TenantTerms>]>([
    ['an end of the subscription', { subscription: { state: 'active', endsAt: 5 } }],
    ['a trial', { subscription: { state: 'trialing', endsAt: undefined } }],
    ['a cancellation', { subscription: { state: 'canceled', endsAt: 5 } }],
    ['no payment method', { payment: { ...PLAIN_TERMS.payment, method: 'missing' } }],
    ['a failed charge', { payment: { ...PLAIN_TERMS.payment, failedAt: 5 } }],
    ['an invoice', { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } }],
    ['a dispute', { payment: { ...PLAIN_TERMS.payment, disputed: true } }],
    ['a reauthorisation', { payment: { ...PLAIN_TERMS.payment, reauthorizationRequired: true } }],
  ])('%s is watched', (_what, tenant) => {
    expect(gateOf({ tenant })?.standing).toMatchObject(tenant);
  });

  it('a valid payment method is nothing to watch', () => {
    const payment = { ...PLAIN_TERMS.payment, method: 'valid' } as const;
    expect(gateOf({ tenant: { payment } })).toBeUndefined();
  });

  it('the account of a whole organisation bars all below it', () => {
    const org = buildTenant({ id: 'ten_0', terms: { ...PLAIN_TERMS, account: 'unverified' } });
    expect(gateOf({ ancestors: [org] })?.account).toMatchObject({ code: 'ACCOUNT_UNVERIFIED' });
    const own = gateOf({ tenant: { account: 'pending_approval' }, ancestors: [org] });
    expect(own?.account).toMatchObject({ code: 'SUBSCRIPTION_PENDING_APPROVAL' });
  });
});

it('402 or 429: rates for sale refuse before those that only protect', () => {
  const shield = buildRateLimit({ id: 'shield', class: 'protective' });
  const sold = buildRateLimit({ id: 'sold', class: 'commercial' });
  const owners = { payerId: 'ten_1', keyId: 'key_1', above: [] };
  const rates = compileRates([shield, sold], owners);
  expect(rates.map(({ limit }) => limit.id)).toEqual(['sold', 'shield']);
});

it('QUOTA-03: rates of the tenants above hold too, all tenants below them in one bucket, each key in its own', () => {
  const shield = buildRateLimit({ id: 'rate', class: 'protective' });
  const sold = buildRateLimit({ id: 'rate', class: 'commercial' });
  const each = buildRateLimit({ id: 'key_rate', class: 'protective', scope: 'key' });
  const above = [{ tenantId: 'ten_org', rateLimits: [sold, each] }];
  const rates = compileRates([shield, each], { payerId: 'ten_1', keyId: 'key_1', above });
  expect(rates.map(({ bucketId, from }) => [bucketId, from])).toEqual([
    ['rate:ten_org:rate', 'ancestor'],
    ['rate:ten_1:rate', undefined],
    ['rate:key_1:key_rate', undefined],
    ['rate:ten_org/key/key_1:key_rate', 'ancestor'],
  ]);
});

describe('the degraded service of a plan (DEG-03)', () => {
  const invoice = { payment: { ...PLAIN_TERMS.payment, overdueInvoices: ['inv_1'] } };
  const degraded = gateOf({
    tenant: invoice,
    plan: { degraded: PROFILE, rateLimits: [buildRateLimit({ id: 'fast' })] },
  })?.degraded;

  it('has its own slower rate after those of the plan', () => {
    expect(degraded?.rates.map(({ bucketId, count }) => [bucketId, count])).toEqual([
      ['rate:ten_1:fast', 60],
      ['rate:ten_1:slow', 6],
    ]);
  });

  it('refuses nothing while a failed renewal is forgiven (SUB-09)', () => {
    expect(degraded?.pending).toBe(PROFILE);
    expect(degraded?.forgiven).toEqual({ ...PROFILE, readOnly: false, withheldFeatures: [] });
  });

  it('without a rate of its own keeps the plan as it is', () => {
    const plan = { degraded: { ...PROFILE, rate: undefined }, rateLimits: [SLOW] };
    expect(gateOf({ tenant: invoice, plan })?.degraded?.rates).toHaveLength(1);
  });
});
