import { describe, expect, it } from 'vitest';

import { READ_ONLY } from '../../test/support/build-catalog.ts';
import { type CallKind, type StandingTerms, standOf } from './standing.ts';
import { PLAIN_TERMS, type PaymentTerms, type SubscriptionTerms } from './tenant-terms.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;
const STRICT: StandingTerms = { graceDays: 7, degraded: undefined };

function stand(
  terms: { payment?: Partial<PaymentTerms>; subscription?: SubscriptionTerms },
  plan: StandingTerms = STRICT,
  call: CallKind = 'write',
) {
  return standOf(
    {
      ...PLAIN_TERMS,
      subscription: terms.subscription ?? PLAIN_TERMS.subscription,
      payment: { ...PLAIN_TERMS.payment, ...terms.payment },
    },
    plan,
    call,
    NOW,
  );
}

describe('standOf', () => {
  it.each([
    ['trialing', NOW + 1, 'trialing', undefined],
    ['trialing', NOW, 'trial_expired', 'TRIAL_EXPIRED'],
    ['active', undefined, 'active', undefined],
    ['active', NOW, 'expired', 'SUBSCRIPTION_EXPIRED'],
    ['canceled', NOW + 1, 'canceled', undefined],
    ['canceled', NOW, 'expired', 'SUBSCRIPTION_CANCELED'],
    ['paused', undefined, 'paused', 'SUBSCRIPTION_PAUSED'],
  ] as const)('a subscription %s until %s is %s: %s', (state, endsAt, lifecycle, code) => {
    expect(stand({ subscription: { state, endsAt } })).toMatchObject({ lifecycle, code });
  });

  it.each<[Partial<PaymentTerms>, string, string | undefined]>([
    [{}, 'good', undefined],
    [{ method: 'valid' }, 'good', undefined],
    [{ method: 'missing' }, 'delinquent', 'PAYMENT_METHOD_MISSING'],
    [{ method: 'unverified' }, 'delinquent', 'PAYMENT_METHOD_UNVERIFIED'],
    [{ method: 'invalid' }, 'delinquent', 'PAYMENT_METHOD_INVALID'],
    [{ reauthorizationRequired: true }, 'delinquent', 'PAYMENT_REAUTHORIZATION_REQUIRED'],
    [{ overdueInvoices: ['inv_1'] }, 'delinquent', 'INVOICE_OVERDUE'],
    [{ disputed: true, overdueInvoices: ['inv_1'] }, 'disputed', 'PAYMENT_DISPUTED'],
  ])('payments with %j are in %s standing: %s', (payment, standing, code) => {
    expect(stand({ payment })).toMatchObject({ standing, code, level: 'full' });
  });

  it('SUB-07: a failed renewal is forgiven to the last millisecond of the grace, and grace is for nothing else', () => {
    const failedAt = NOW - 7 * DAY_MS;
    expect(stand({ payment: { failedAt: failedAt + 1 } })).toMatchObject({
      standing: 'grace',
      code: undefined,
      graceEndsAt: NOW + 1,
    });
    expect(stand({ payment: { failedAt } })).toMatchObject({
      standing: 'delinquent',
      code: 'PAYMENT_METHOD_INVALID',
    });
    expect(stand({ payment: { failedAt: NOW } }, { ...STRICT, graceDays: 0 })).toMatchObject({
      code: 'PAYMENT_METHOD_INVALID',
    });
  });

  it.each<[Partial<PaymentTerms>, string]>([
    [{ disputed: true }, 'PAYMENT_DISPUTED'],
    [{ overdueInvoices: ['inv_1'] }, 'INVOICE_OVERDUE'],
    [{ reauthorizationRequired: true }, 'PAYMENT_REAUTHORIZATION_REQUIRED'],
    [{ method: 'missing' }, 'PAYMENT_METHOD_MISSING'],
    [{ method: 'unverified' }, 'PAYMENT_METHOD_UNVERIFIED'],
  ])('BILL-18, BILL-19, BILL-20: a failed renewal forgives nothing of %j', (payment, code) => {
    expect(stand({ payment: { ...payment, failedAt: NOW } })).toMatchObject({
      code,
      graceEndsAt: undefined,
    });
  });

  it('BILL-15: a method that does not work any more is what the grace forgives', () => {
    expect(stand({ payment: { method: 'invalid', failedAt: NOW } })).toMatchObject({
      standing: 'grace',
      code: undefined,
    });
  });

  it('what ended is told before what is owed', () => {
    const subscription = { state: 'active', endsAt: 1 } as const;
    expect(stand({ subscription, payment: { disputed: true } })).toMatchObject({
      code: 'SUBSCRIPTION_EXPIRED',
      standing: 'disputed',
      since: 1,
    });
  });
});

describe('degraded service (DEG-01, DEG-02)', () => {
  const owed = { payment: { overdueInvoices: ['inv_1'] } };
  it('serves reads and refuses writes when it is read-only', () => {
    const plan = { ...STRICT, degraded: READ_ONLY };
    expect(stand(owed, plan, 'read')).toMatchObject({ level: 'degraded', stillServed: true });
    expect(stand(owed, plan, 'write')).toMatchObject({ level: 'degraded', stillServed: false });
    expect(stand({}, plan, 'write')).toMatchObject({ level: 'full', code: undefined });
  });

  it('serves everything its profile leaves when it is not', () => {
    const plan = { ...STRICT, degraded: { ...READ_ONLY, readOnly: false } };
    expect(stand(owed, plan, 'write')).toMatchObject({ level: 'degraded', stillServed: true });
  });

  it('SUB-09: begins in grace where the plan says so, and refuses nothing then', () => {
    const grace = { payment: { failedAt: NOW } };
    const plan = { ...STRICT, degraded: { ...READ_ONLY, duringGrace: true } };
    expect(stand(grace, plan)).toMatchObject({ level: 'degraded', code: undefined });
    expect(stand(grace, { ...STRICT, degraded: READ_ONLY })).toMatchObject({ level: 'full' });
  });
});
